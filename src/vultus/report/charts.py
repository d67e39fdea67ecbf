"""Bare axes in the page's style, and charts as SVG that takes its ink and its letters from the page."""

import io
import re
from collections.abc import Mapping
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart
from matplotlib.text import Text

from vultus.report.colours import INK, RULE
from vultus.report.markup import Markup

LETTERS = 8  # points, at a chart's full width


def blank(width: float, height: float, margins: Mapping[str, float] | None = None) -> tuple[Chart, Axes]:
    """A chart of width × height inches, with one pair of axes without a box.

    margins: left, right, bottom and top edge of the axes in parts of the chart; None to fit its letters.
    """
    chart = Chart(figsize=(width, height), layout=None if margins else "constrained")
    if margins:
        chart.subplots_adjust(**margins)
    return chart, styled(chart.add_subplot())


def styled(axes: Axes) -> Axes:
    """Axes without a box, in the page's colours."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(labelsize=LETTERS, colors=RULE, labelcolor=INK, length=3)
    axes.set_axisbelow(True)
    return axes


def to_svg(chart: Chart, alt: str) -> Markup:
    """Inline `<svg>`: as wide as its place, ink and rules in the page's colours, nothing that names an address."""
    buffer = io.StringIO()
    for words in chart.findobj(Text):
        words.set_parse_math(False)  # a run may be called $x$
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "vultus"}):
        chart.savefig(
            buffer,
            format="svg",
            transparent=True,
            dpi=180,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' id="[a-z]+[._\w]*_\d+"', "", text)  # figure_1, axes_1 …: alike in every chart
    text = re.sub(r'font: ([\d.]+px) [^;"]*', r"font-size: \1", text)
    text = re.sub(r">\s+<", "><", text)
    box = re.search(r'viewBox="([^"]*)"', text)
    start = f'<svg role="img" aria-label="{escape(alt)}" viewBox="{box[1] if box else ""}">'
    text = start + text[text.index(">") + 1 :]
    return Markup(text.replace(INK, "currentColor").replace(RULE, "var(--rule)").strip())
