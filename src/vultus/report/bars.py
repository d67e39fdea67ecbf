"""Figures as bars with their intervals, one chart for each measure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart

from vultus.report.charts import LETTERS, blank
from vultus.report.colours import INK, QUIET, RULE
from vultus.report.results import Measure, Row, number, title

WIDTH = 3.5  # inches


def bar_chart(table: Sequence[Row], measure: Measure, colours: Mapping[str, str]) -> Chart:
    """Bars best first: learned features in the colour of their run's label, baselines grey; a dashed line at chance.

    Raises ValueError when no row has the measure.
    """
    found = [(row, row.cells[measure]) for row in table if measure in row.cells]
    if not found:
        raise ValueError(f"no figure of {' '.join(title(measure))}: nothing to draw")
    sign = 1 if found[0][1].lower_is_better else -1
    found.sort(key=lambda pair: sign * pair[1].value)
    unit = found[0][1].unit
    scale = 100 if unit == "%" else 1
    chart, axes = blank(WIDTH, 0.55 + 0.2 * len(found))
    for place, (row, figure) in enumerate(found):
        colour = colours.get(row.label, QUIET) if row.learned else QUIET
        axes.barh(place, scale * figure.value, height=0.62, color=colour, alpha=0.85 if row.learned else 0.45)
        ends = scale * np.array([figure.low, figure.high])
        axes.plot(ends, [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
        beside = "  " + number(figure.value, unit).replace("-", "−")
        axes.text(max(ends[1], 0), place, beside, va="center", fontsize=LETTERS - 0.5, color=INK)
    chance = scale * float(np.median([f.chance for _, f in found]))
    axes.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (3, 3)), alpha=0.7)
    _frame(axes, [row.label + row.what for row, _ in found], unit, found[0][1].lower_is_better)
    right = max(scale * f.high for _, f in found)
    left = min(0.0, *(scale * f.low for _, f in found))
    axes.set_xlim(left, left + 1.16 * (max(right, chance) - left))
    return chart


def _frame(axes: Axes, names: Sequence[str], unit: str, shorter: bool) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    words = {"%": "per cent", "°": "degrees"}.get(unit, unit)
    axes.set_xlabel(words + (", shorter is better" if shorter else ""), fontsize=LETTERS, color=INK)
