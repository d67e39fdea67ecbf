"""A section of the page, and the small pieces several sections share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from vultus.report.colours import run_colour
from vultus.report.markup import Markup, element, join

if TYPE_CHECKING:  # a page without runs does not wait for torch
    from vultus.report.collect import Run


@dataclass(frozen=True)
class Section:
    """`key` is its anchor."""

    key: str
    title: str
    body: Markup

    def html(self) -> Markup:
        return element("section", element("h2", self.title), self.body, id=self.key)


def symbols(text: str) -> Markup:
    """Text with F_s, F_f, F_p and F_p̂ set as symbols."""
    return Markup(re.sub("F_(.\u0302?)", r"<i>F</i><sub>\1</sub>", escape(text)))


def note(text: str) -> Markup:
    """Why something is not there, in one line."""
    return element("p", text, class_="note")


def legend(colours: Mapping[str, str]) -> Markup:
    """Names beside their colours."""
    items = [
        element("li", element("i", style=f"background:{colour}", aria_hidden="true"), name)
        for name, colour in colours.items()
    ]
    return element("ul", *items, class_="legend")


def run_colours(runs: "Sequence[Run]") -> dict[str, str]:
    """Colour by the run's label."""
    return {run.label: run_colour(place) for place, run in enumerate(runs)}


def facts(pairs: Mapping[str, str]) -> Markup:
    """Terms and what is said of them."""
    return element("dl", join(join((element("dt", k), element("dd", v))) for k, v in pairs.items() if v))


def fold(summary: str, *content: str) -> Markup:
    """Something for those who ask."""
    return element("details", element("summary", summary), *content)


def contents(sections: Sequence[Section]) -> Markup:
    """Links to the sections."""
    links = (element("a", section.title, href=f"#{section.key}") for section in sections)
    return element("nav", *links, aria_label="Sections")


def joined(sections: Sequence[Section]) -> Markup:
    """The sections one after the other."""
    return join(section.html() for section in sections)
