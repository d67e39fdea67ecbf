"""Small tables of the page, as the terminal shows them too."""

import re
from collections.abc import Sequence

from vultus.evaluation.table import Grid
from vultus.report.markup import Markup, element, join
from vultus.report.section import symbols


def grid_table(made: Grid, caption: str) -> Markup:
    """A grid with its caption above; the first column names its rows."""
    heads = [_cell("th", head, i, scope="col") for i, head in enumerate(made.heads)]
    inner = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *(_row(row) for row in made.rows)),
        class_="results",
        aria_label=caption,
    )
    box = element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return join((element("p", symbols(caption), class_="caption"), box))


def _row(texts: Sequence[str]) -> Markup:
    name, *values = texts
    return element("tr", _cell("th", name, 0, scope="row"), *(_cell("td", text, 1) for text in values))


def _cell(kind: str, text: str, place: int, **attributes: str) -> Markup:
    """The first line of a text, and small below it the others."""
    first, *others = (re.sub(r"(^|–)-(?=\d)", r"\1−", line) for line in text.split("\n"))
    content = (symbols(first), *(element("small", symbols(line)) for line in others))
    return element(kind, *content, **(attributes | ({"class_": "num"} if place else {})))
