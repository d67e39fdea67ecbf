"""The fields of a Config as people read them: name, type, default, and the comment behind it in the source."""

import ast
import inspect
import io
import json
import textwrap
import tokenize
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, get_type_hints


@dataclass(frozen=True)
class Setting:
    """One field."""

    name: str
    type: str  # as the source writes it, on one line
    default: str  # as Python writes it, strings in double quotes; "" where a value must be given
    comment: str


def settings_of(config: type) -> list[Setting]:
    """The fields of the dataclass `config` in order, inherited ones included.

    Raises ValueError for a field without a comment on its own line: `vultus pretrain --help` could not explain it.
    """
    written: dict[str, tuple[str, str]] = {}
    for kind in reversed(config.__mro__):
        if is_dataclass(kind):
            written |= _written(kind)
    settings = []
    for field in fields(config):
        kind_of_value, comment = written.get(field.name, ("", ""))
        if not comment:
            raise ValueError(
                f"{config.__name__}.{field.name} has no comment: say behind it, on the same line, what it sets "
                f"(`{field.name}: … = …  # its meaning`), for the flag's help and the method's page are made of it"
            )
        settings.append(Setting(field.name, kind_of_value, _default(field), comment))
    return settings


def _written(kind: type) -> dict[str, tuple[str, str]]:
    """Type and comment of each field that the class itself lists."""
    source = textwrap.dedent(inspect.getsource(kind))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}
    found, hints = {}, get_type_hints(kind)
    (listed,) = (node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    for node in listed:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            comment = " ".join(comments[line] for line in lines if line in comments)
            written = ast.unparse(node.annotation)
            if written.isidentifier() and not isinstance(hints[node.target.id], type):  # an alias: what it stands for
                written = str(hints[node.target.id]).replace("typing.", "")
            found[node.target.id] = (written.replace("'", '"'), comment)
    return found


def _default(field: "Field[Any]") -> str:
    if field.default is not MISSING:
        return shown(field.default)
    return shown(field.default_factory()) if field.default_factory is not MISSING else ""


def shown(value: object) -> str:
    """A value as the source of a Config writes it: strings in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
