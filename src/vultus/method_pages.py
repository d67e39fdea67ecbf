"""A page for every method, written from its source, its settings and a built example: `make docs`.

Nothing on a page is typed by hand, so nothing on it can be out of date: a test compares what is committed with what
would be written now. Pictures are left out of that comparison, since renderers differ in their last digits.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import torch

from vultus.methods.catalogue import METHODS, build_method
from vultus.methods.model import FaceModel
from vultus.methods.settings import settings_of, shown
from vultus.recipes import RECIPES
from vultus.report.view_picture import view_picture
from vultus.training.config import RunConfig
from vultus.views import View

SIZE = 48  # pixels at which widths of features and sides of views are told
PICTURED = 64  # pixels at which views are drawn


@dataclass(frozen=True)
class Facts:
    """What only a built method tells, with the default settings at SIZE pixels."""

    widths: Mapping[str, int]  # values of each feature
    default_feature: str
    weights: Mapping[str, float]
    balanced: tuple[str, ...]
    views: Mapping[str, View]


@cache
def facts(name: str) -> Facts:
    """Build the method `name`, read a black picture, and ask it everything else."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        method = build_method(_classes(name)[0](), SIZE)
        model = FaceModel(method, name, SIZE, sha256="")
    return Facts(model.widths, model.default_feature, dict(method.weights), method.balanced, method.views())


def _classes(name: str) -> tuple[Any, Any]:
    """The Config and the method; of classes that have nothing but a protocol in common, so of any type."""
    return METHODS[name]


def method_page(name: str) -> str:
    """Markdown about the method `name`."""
    config, method = _classes(name)
    module = method.__module__
    parts = [
        f"# {method.__name__}",
        _doc(sys.modules[module]),
        f"**`{method.__name__}`**: {_doc(method)}",
        f"Source: [`{module}`](../../src/{module.replace('.', '/')}.py)",
        _use(name),
        _views(name),
        _features(name),
        _losses(name),
        _settings(config),
        _recipes(name),
    ]
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """Markdown: a line a method."""
    rows = []
    for name in METHODS:
        told, (_, method) = facts(name), _classes(name)
        features = ", ".join(
            f"**`{feature}`** {width:,}" if feature == told.default_feature else f"`{feature}` {width:,}"
            for feature, width in told.widths.items()
        )
        draws = "yes" if hasattr(method, "reconstructions") else "no"
        about = " ".join(_doc(sys.modules[method.__module__]).partition("\n\n")[0].split())
        rows.append((f"[`{name}`]({name}.md)", about, features, draws, f"[views](images/{name}.png)"))
    return "\n\n".join(
        (
            "# The methods",
            f"Each learns by `vultus pretrain NAME FACES --out RUN`. Features are told with their number of values at "
            f"{SIZE} px and default settings; the one that `embed` returns is bold. These pages are written by "
            "`make docs` from the source.",
            _table(("method", "what it is", "features", "draws faces", "pictures"), rows) + "\n",
        )
    )


def _use(name: str) -> str:
    return f"""## Use

```sh
vultus pretrain {name} FACES --out runs/{name}
```

```python
import vultus

z = vultus.load("runs/{name}").embed(["a.jpg", "b.jpg"])  # (2, D), feature "{facts(name).default_feature}"
```"""


def _views(name: str) -> str:
    """The picture, then every view as data; views of the same recipe share a line."""
    alike: dict[View, list[str]] = {}
    for view_name, view in facts(name).views.items():
        alike.setdefault(view, []).append(f"`{view_name}`")
    lines = "\n".join(f"- {', '.join(names)}: {_told(view)}" for view, names in alike.items())
    return f"""## Views

![A column a face, a row a view](images/{name}.png)

{_doc(_classes(name)[1].views)}

Above: five rendered faces, and what the method sees of them in training at {PICTURED} px. At {SIZE} px the views are:

{lines}"""


def _told(view: View) -> str:
    operations = ", ".join(f"`{operation!r}`" for operation in (*view.geometry, *view.photometry))
    operations = re.sub(r"\d+\.\d{5,}", lambda number: f"{float(number[0]):.4g}", operations)  # 4/3 has 16 digits
    told = [f"{view.size} px", operations or "the whole face"]
    if view.partner:
        told.append("of the partner: another picture of the same person where one is known, else the face itself")
    if view.part < 1:
        told.append(f"of the first {100 * view.part:.3g} % of a batch")
    if view.copies > 1:
        told.append(f"{view.copies} draws of each face")
    return "; ".join(told)


def _features(name: str) -> str:
    told, (_, method) = facts(name), _classes(name)
    rows = [
        (f"`{feature}`", f"{width:,}", "`embed` returns it" if feature == told.default_feature else "")
        for feature, width in told.widths.items()
    ]
    parts = ["## Features", _doc(method.features), _table(("feature", f"values at {SIZE} px", ""), rows)]
    if hasattr(method, "reconstructions"):
        parts.append(f"It draws faces too, `reconstructions(images)`: {_doc(method.reconstructions)}")
    return "\n\n".join(part for part in parts if part)


def _losses(name: str) -> str:
    told, (_, method) = facts(name), _classes(name)
    rows = []
    for loss, weight in told.weights.items():
        note = "not learned from, only logged" if weight == 0 else ""
        note = "moved by Dynamic Weight Average" if loss in told.balanced else note
        rows.append((f"`{loss}`", f"{weight:g}", note))
    table = _table(("loss", "weight", ""), rows)
    return "\n\n".join(part for part in ("## Losses", _doc(method.losses), table) if part)


def _settings(config: type) -> str:
    rows = [(f"`{s.name}`", f"`{s.type}`", f"`{s.default}`", s.comment) for s in settings_of(config)]
    told = "Fields of the config and flags of `vultus pretrain`, there with hyphens for underscores."
    return f"## Settings\n\n{told}\n\n{_table(('setting', 'type', 'default', 'meaning'), rows)}"


def _recipes(name: str) -> str:
    lines = []
    for recipe, make in RECIPES.items():
        if recipe.partition("-")[0] != name:
            continue
        run = make()
        changed = _changed(run, RunConfig(run.method)) + _changed(run.method, type(run.method)())
        about = (make.__doc__ or "").splitlines()[0]
        lines.append(f"- `{recipe}`: {about} {', '.join(changed) or 'Every setting at its default'}.")
    return "\n\n".join(
        ("## Recipes", "Chosen by `--recipe`; after each, what differs from the defaults.", "\n".join(lines) or "None.")
    )


def _changed(config: Any, default: Any) -> list[str]:
    """The fields of `config` that differ, as `name = value`."""
    pairs = ((f.name, getattr(config, f.name), getattr(default, f.name)) for f in fields(config))
    return [f"`{name} = {shown(value)}`" for name, value, usual in pairs if value != usual]


def _doc(thing: Any) -> str:
    """Its own docstring without indentation, "" for none; a class does not answer with its parent's."""
    return inspect.cleandoc(vars(thing).get("__doc__") or "" if isinstance(thing, type) else thing.__doc__ or "")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars inside of cells are escaped, also in code."""
    lines = [list(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_pages(folder: Path) -> None:
    """The index, and a page and a picture for every method."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name in METHODS:
        (folder / f"{name}.md").write_text(method_page(name), encoding="utf-8")
        views = build_method(_classes(name)[0](), PICTURED).views()
        view_picture(views, PICTURED).save(folder / "images" / f"{name}.png", optimize=True)
        print(folder / f"{name}.md")
    (folder / "README.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m vultus.method_pages FOLDER")
    write_pages(Path(sys.argv[1]))
