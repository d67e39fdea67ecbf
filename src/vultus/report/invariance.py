"""Invariance curves: a chart for each factor, a line for each feature."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart
from matplotlib.ticker import MaxNLocator

from vultus.evaluation.invariance import Curve
from vultus.report.charts import LETTERS, blank, styled
from vultus.report.colours import INK, RULE, run_colour

WIDTH, HEIGHT = 3.0, 2.1  # inches, of one factor
MARGINS = {"left": 0.13, "right": 0.975, "bottom": 0.2, "top": 0.95}
ACROSS = 3  # factors side by side on the whole sheet


def feature_colours(curves: Sequence[Curve]) -> dict[str, str]:
    """Colour by feature."""
    return {name: run_colour(i) for i, name in enumerate(dict.fromkeys(curve.feature for curve in curves))}


def by_factor(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Factor → its curves, in order of appearance."""
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.factor, []).append(curve)
    return found


def factor_chart(curves: Sequence[Curve], colours: dict[str, str]) -> Chart:
    """One factor, every feature in its colour."""
    chart, axes = blank(WIDTH, HEIGHT, MARGINS)
    _draw(axes, curves, colours)
    return chart


def sheet(curves: Sequence[Curve]) -> Chart:
    """All factors on one sheet, with a legend: for a file of its own."""
    factors, colours = by_factor(curves), feature_colours(curves)
    down = -(-len(factors) // ACROSS)
    chart = Chart(figsize=(ACROSS * WIDTH, down * (HEIGHT + 0.35) + 0.3), layout="constrained")
    for place, (name, own) in enumerate(factors.items(), 1):
        axes = styled(chart.add_subplot(down, ACROSS, place))
        _draw(axes, own, colours)
        axes.set_title(name, fontsize=LETTERS + 1, color=INK, loc="left")
    handles = [axes.plot([], [], color=colour, label=name)[0] for name, colour in colours.items()]
    handles.append(axes.plot([], [], color=INK, linestyle=(0, (3, 2)), linewidth=1, label="another person")[0])
    chart.supylabel("cosine to itself at the reference value", fontsize=LETTERS, color=INK)
    chart.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=LETTERS)
    return chart


def _draw(axes: Axes, curves: Sequence[Curve], colours: dict[str, str]) -> None:
    for curve in curves:
        colour = colours[curve.feature]
        axes.fill_between(curve.at, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.at, curve.similarity, color=colour, linewidth=1.5, marker="o", markersize=2)
        axes.axhline(curve.others, color=colour, linewidth=1, linestyle=(0, (3, 2)), alpha=0.8)
    unit = f", {curves[0].unit}" if curves[0].unit else ""
    axes.set_xlabel(f"{_axis(curves[0].factor)}{unit}", fontsize=LETTERS, color=INK)
    bottom = min(0.9, *(min((*curve.low, curve.others)) for curve in curves))
    axes.set_ylim(bottom - 0.05 * (1 - bottom), 1 + 0.04 * (1 - bottom))
    axes.set_xlim(curves[0].at[0], curves[0].at[-1])
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 3, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def _axis(factor: str) -> str:
    return factor if factor == "yaw" or factor.startswith("light") else f"strength of {factor}"
