"""The critical-difference picture (Demšar, JMLR 2006): average ranks on a line, bars over what cannot be told apart."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart

from vultus.benchmark.ranks import Ranks
from vultus.report.charts import LETTERS, blank
from vultus.report.colours import INK, QUIET

WIDTH, STEP = 7.0, 0.24  # inches: of the chart, and between two names
THICK = 3.2  # points, of a bar over methods that are level


def rank_chart(ranks: Ranks) -> Chart:
    """Best on the left; the better half is named on the left side, the rest on the right."""
    count, groups = len(ranks.names), ranks.groups
    half = (count + 1) // 2
    depth = 0.35 * len(groups) + 0.4  # where the names begin, in steps below the line
    steps = depth + half + 2.2
    chart, axes = blank(WIDTH, STEP * steps, {"left": 0.02, "right": 0.98, "bottom": 0.02, "top": 0.98})
    axes.set_axis_off()
    axes.set_xlim(1 - 0.62 * (count - 1), count + 0.62 * (count - 1))
    axes.set_ylim(-depth - half, 2.2)
    _scale(axes, count)
    if ranks.difference is not None:
        _difference(axes, ranks.difference)
    for level, (first, last) in enumerate(groups):
        y = -0.35 * (level + 1)
        ends = [ranks.average[first] - 0.03, ranks.average[last] + 0.03]
        axes.plot(ends, [y, y], color=INK, linewidth=THICK, solid_capstyle="butt")
    for place, (name, rank) in enumerate(zip(ranks.names, ranks.average, strict=True)):
        left = place < half
        y = -depth - (place if left else count - 1 - place)
        edge = 1 - 0.08 * (count - 1) if left else count + 0.08 * (count - 1)
        axes.plot([rank, rank, edge], [0, y, y], color=QUIET, linewidth=0.9)
        label = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
        beside = edge + (-0.012 if left else 0.012) * (count - 1)
        axes.text(beside, y, label, ha="right" if left else "left", va="center", fontsize=LETTERS, color=INK)
    return chart


def _scale(axes: Axes, count: int) -> None:
    axes.plot([1, count], [0, 0], color=INK, linewidth=1.0)
    for rank in range(1, count + 1):
        axes.plot([rank, rank], [0, 0.18], color=INK, linewidth=1.0)
        axes.text(rank, 0.3, str(rank), ha="center", va="bottom", fontsize=LETTERS, color=INK)


def _difference(axes: Axes, length: float) -> None:
    """The critical difference as a ruler above the line's best end."""
    axes.plot([1, 1 + length], [1.5, 1.5], color=INK, linewidth=1.0)
    for x in (1.0, 1 + length):
        axes.plot([x, x], [1.4, 1.6], color=INK, linewidth=1.0)
    text = f"critical difference {length:.2f}"
    axes.text(1 + length / 2, 1.65, text, ha="center", va="bottom", fontsize=LETTERS - 1, color=INK)
