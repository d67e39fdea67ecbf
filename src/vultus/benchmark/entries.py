"""What is pre-trained: a method or a recipe by name, and the settings in which it departs from it."""

import contextlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated

import tyro
from tyro.conf import AvoidSubcommands, OmitArgPrefixes

from vultus.meant import meant
from vultus.methods.catalogue import method_name
from vultus.recipes import RECIPES, recipe
from vultus.training.config import RunConfig

OWN = ("size", "seed", "epochs", "minutes", "split")  # of the whole benchmark, so not of one method


@dataclass(frozen=True)
class Entry:
    """`label`: its name in the tables; `config`: its settings but for those that the benchmark gives to all."""

    label: str
    method: str
    recipe: str
    flags: tuple[str, ...]  # of `vultus pretrain`, behind the recipe
    config: RunConfig

    @property
    def slug(self) -> str:
        """The label as a part of a folder's name."""
        return slug(self.label)

    @property
    def encoder(self) -> str:
        return str(self.config.method.encoder)


def slug(text: str) -> str:
    """Letters, digits, dots and hyphens of a name."""
    return re.sub(r"[^\w.]+", "-", text).strip("-")


def entries(names: Sequence[str], settings: Sequence[str] = ()) -> tuple[Entry, ...]:
    """Entries from names such as `pcl`, `pcl-paper`, `moco:version=v3`, and settings `batch=64` of all of them.

    Raises ValueError for names, settings and values that do not exist, and for an entry given twice.
    """
    made = tuple(_entry(name, settings) for name in names)
    for entry in made:
        if sum(other.label == entry.label for other in made) > 1:
            raise ValueError(f"{entry.label} is given twice; give each method once: --seeds repeats all of them")
    return made


def _entry(text: str, common: Sequence[str]) -> Entry:
    name, *own = text.split(":")
    chosen = name if name in RECIPES else f"{name}-cpu"
    if chosen not in RECIPES:
        methods = dict.fromkeys(r.partition("-")[0] for r in RECIPES)
        there = f"there are {', '.join(methods)}, and the recipes {', '.join(RECIPES)}"
        raise ValueError(f"no method {name!r}: {there}{meant(name, (*methods, *RECIPES))}")
    base = recipe(chosen)
    method = method_name(base.method)
    known = {f.name for f in (*fields(RunConfig), *fields(base.method))} - {"method", *OWN}
    flags: list[str] = []
    for setting in (*common, *own):
        key, equals, value = setting.partition("=")
        field = key.replace("-", "_")
        if field in OWN:
            raise ValueError(f"{setting!r}: {key} is one for all methods; give it as the benchmark's own flag")
        if not equals or field not in known:
            raise ValueError(
                f"{method} has no setting {setting!r}: expected NAME=VALUE with a name that `vultus pretrain {method} "
                f"--help` lists; give what only some methods have to those, as {method}:NAME=VALUE"
            )
        flags += [f"--{field.replace('_', '-')}", *value.split()]
    return Entry(" ".join([name, *own]), method, chosen, tuple(flags), _parsed(base, flags, text))


def _parsed(base: RunConfig, flags: Sequence[str], text: str) -> RunConfig:
    kind = Annotated[RunConfig, AvoidSubcommands, OmitArgPrefixes]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            found: RunConfig = tyro.cli(kind, default=base, args=list(flags))
    except SystemExit:
        lines = (line.strip("│╭╮╰╯─ ") for line in said.getvalue().splitlines())
        told = " ".join(line for line in lines if line).partition(" For full helptext")[0]
        fault = re.search(r"Error parsing (?:RunConfig: )?(.*?)(?: [-─]{4,}|$)", told)  # behind it stands the help
        raise ValueError(f"the settings of {text} are not understood: {fault[1] if fault else told}") from None
    return found
