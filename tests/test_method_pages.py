"""The methods' pages say what the source says, and say it now."""

import inspect
import re
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from vultus import method_pages
from vultus.methods.catalogue import METHODS
from vultus.methods.settings import Setting, settings_of
from vultus.recipes import RECIPES
from vultus.report.view_picture import ENLARGED, GAP, Shown, sheet, view_rows
from vultus.views import Flip, View

PAGES = Path(__file__).parents[1] / "docs" / "methods"
STALE = "is not what the source says now: run `make docs` and commit docs/methods"
page = cache(method_pages.method_page)


@dataclass(frozen=True)
class Parent:
    width: int = 3  # of the net, in channels


@dataclass(frozen=True, kw_only=True)
class Told(Parent):
    must: float  # has no default
    form: Literal[
        "dot",
        "correlation",
    ] = "dot"  # which | form
    scales: tuple[float, ...] = field(default_factory=lambda: (0.5, 1.0))  # of the crops


@dataclass(frozen=True)
class Silent(Parent):
    told: int = 1  # has its comment
    silent: int = 2


def test_every_method_has_a_page_and_a_picture_and_no_other_is_left():
    assert {p.stem for p in PAGES.glob("*.md")} == {*METHODS, "README"}, "run `make docs`"
    assert {p.stem for p in (PAGES / "images").glob("*.png")} == set(METHODS), "run `make docs`"


@pytest.mark.parametrize("name", METHODS)
def test_the_page_is_current(name):
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == page(name), f"docs/methods/{name}.md {STALE}"


def test_the_index_is_current():
    assert (PAGES / "README.md").read_text(encoding="utf-8") == method_pages.index(), f"docs/methods/README.md {STALE}"


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_stands_on_the_page_with_its_comment(name):
    config, _ = METHODS[name]
    source = "".join(inspect.getsource(kind) for kind in config.__mro__[:-1])
    for f in fields(config):
        comment = re.search(rf"^    {f.name}: [^#]*# *(.*)$", source, re.M)[1].replace("|", "\\|")
        row = next(line for line in page(name).splitlines() if line.startswith(f"| `{f.name}` |") and comment in line)
        assert row.count("`") >= 6


@pytest.mark.parametrize("name", METHODS)
def test_features_losses_views_and_recipes_stand_on_the_page(name):
    told, text = method_pages.facts(name), page(name)
    assert told.default_feature in told.widths and told.weights
    assert all(f"`{key}`" in text for key in (*told.widths, *told.weights, *told.views))
    assert all(f"`{recipe}`" in text for recipe in RECIPES if recipe.partition("-")[0] == name)
    assert f"vultus pretrain {name} FACES --out runs/{name}" in text and f'vultus.load("runs/{name}")' in text


def test_a_recipe_tells_what_differs_and_nothing_else():
    line = next(line for line in page("pcl").splitlines() if line.startswith("- `pcl-paper`"))
    assert "`lr = 0.0001`" in line and "`flips = 100`" in line and '`encoder = "attentive"`' in line
    assert "`temperature" not in line and "`seed" not in line


def test_settings_are_read_with_inherited_wrapped_and_made_ones():
    assert settings_of(Told) == [
        Setting("width", "int", "3", "of the net, in channels"),
        Setting("must", "float", "", "has no default"),
        Setting("form", 'Literal["dot", "correlation"]', '"dot"', "which | form"),
        Setting("scales", "tuple[float, ...]", "(0.5, 1.0)", "of the crops"),
    ]


def test_a_setting_without_comment_is_named():
    with pytest.raises(ValueError, match=r"Silent\.silent has no comment: .* same line"):
        settings_of(Silent)


def shown(count=3, side=16):
    torch.manual_seed(0)
    first, second = torch.randint(0, 256, (2, count, 3, side, side), dtype=torch.uint8)
    return Shown(first, second, torch.full((count, 5, 2), 0.5))


def test_rows_are_the_faces_and_their_views():
    faces = shown()
    rows = view_rows({"a": View(16, (Flip(1.0),), part=0.2, copies=4), "b": View(8, partner=True)}, faces, 16)
    assert list(rows) == ["the face", "its partner", "a", "b"]
    assert [row.shape for row in rows.values()] == [(3, 3, 16, 16)] * 3 + [(3, 3, 8, 8)]
    np.testing.assert_allclose(rows["the face"], faces.images.numpy(), atol=1)
    np.testing.assert_allclose(rows["its partner"], faces.partners.numpy(), atol=1)
    np.testing.assert_allclose(rows["a"], faces.images.numpy()[..., ::-1], atol=1)
    assert "its partner" not in view_rows({"a": View(16)}, faces, 16)


def test_the_sheet_shows_each_size_as_it_is():
    large, small = np.full((2, 3, 16, 16), 40, np.uint8), np.full((2, 3, 8, 8), 90, np.uint8)
    pixels = np.asarray(sheet({"large": large, "small": small}))
    assert pixels.shape[0] == ENLARGED * 24 + 3 * GAP
    counts = {value: int((pixels == value).all(-1).sum()) for value in (40, 90)}
    assert counts[90] == 2 * (8 * ENLARGED) ** 2 and counts[40] == 2 * (16 * ENLARGED) ** 2
