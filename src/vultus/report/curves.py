"""How training went: every logged quantity over the faces seen, all runs in one chart each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from vultus.report.charts import LETTERS, blank
from vultus.report.collect import Run
from vultus.report.colours import INK, RULE, run_colour

WIDTH, HEIGHT = 3.5, 2.1  # inches
MARGINS = {"left": 0.15, "right": 0.975, "bottom": 0.2, "top": 0.8}  # one for all, so that axes stand in line
STEPS = [1, 2, 2.5, 5, 10]  # between ticks, times a power of ten
LONG = 80  # points from which a noisy curve is drawn smoothed over its own shadow
TITLES = {
    "lr": "learning rate",
    "knn": "kNN probe, per cent",
    "effective_rank": "effective rank",
    "feature_std": "feature deviation",
}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ORDER = ("knn", "effective_rank", "feature_std", "lr")


@dataclass(frozen=True)
class Curve:
    """One quantity of one run: values over steps, and faces a step."""

    label: str
    colour: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    batch: int

    @property
    def faces(self) -> NDArray[np.int64]:
        """Seen at each step."""
        return self.steps * self.batch


def curves(runs: Sequence[Run]) -> dict[str, list[Curve]]:
    """Quantity → its curve in each run that logged it; losses first, weights after them, then probe and rate."""
    found: dict[str, list[Curve]] = {}
    for place, run in enumerate(runs):
        names = dict.fromkeys(k for e in run.events for k in e if k not in ("step", "kind", "seconds", "text"))
        for name in names:
            steps, values = _points(run.events, name)
            curve = Curve(run.label, run_colour(place), steps, values, int(run.plan["batch"]))
            found.setdefault(name, []).append(curve)
    return dict(sorted(found.items(), key=lambda pair: _place(pair[0])))


def curve_title(name: str) -> str:
    """What a logged quantity is called."""
    if name.startswith("weight_"):
        return f"weight α of the {name.removeprefix('weight_')} loss"
    return TITLES.get(name, f"{name} loss")


def curve_chart(name: str, drawn: Sequence[Curve], end: float = 0) -> Chart:
    """One quantity of all runs over faces seen; steps stand above where all runs share a batch size.

    end: of the horizontal axis, in faces, so that charts compare; 0 for the last face of these curves.
    Raises ValueError without curves.
    """
    if not drawn:
        raise ValueError(f"no run logged {name!r}: nothing to draw")
    chart, axes = blank(WIDTH, HEIGHT, MARGINS)
    scale = 100 if name == "knn" else 1
    for curve in drawn:
        _line(axes, curve.faces, curve.values * scale, curve.colour, noisy=_place(name)[0] == 0)
    axes.set_xlabel("faces seen", fontsize=LETTERS, color=INK)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: _short(y)))
    axes.set_xlim(0, 1.01 * (end or max(float(curve.faces.max()) for curve in drawn)))
    batches = {curve.batch for curve in drawn}
    if len(batches) == 1:
        _steps_above(axes, batches.pop())
    return chart


def _points(events: Sequence[Mapping[str, Any]], name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    found = [(e["step"], e[name]) for e in events if name in e]
    steps, values = zip(*found, strict=True)
    return np.array(steps, np.int64), np.array(values, np.float64)


def _place(name: str) -> tuple[int, int]:
    if name in ORDER:
        return 2, ORDER.index(name)
    return (1 if name.startswith("weight_") else 0), 0


def _line(axes: Axes, x: NDArray[np.int64], y: NDArray[np.float64], colour: str, noisy: bool) -> None:
    if len(x) < LONG or not noisy:
        axes.plot(x, y, color=colour, linewidth=1.5, marker="o" if len(x) < 12 else "", markersize=2.5)
        return
    axes.plot(x, y, color=colour, linewidth=0.7, alpha=0.3, rasterized=len(x) > 2000)
    window = max(len(x) // 30, 3)
    smooth = np.convolve(y, np.ones(window) / window, mode="valid")
    start = (window - 1) // 2
    axes.plot(x[start : start + len(smooth)], smooth, color=colour, linewidth=1.5)


def _steps_above(axes: Axes, batch: int) -> None:
    above = axes.secondary_xaxis("top", functions=(lambda f: np.divide(f, batch), lambda s: np.multiply(s, batch)))
    above.set_xlabel(f"steps of {batch} faces", fontsize=LETTERS - 1, color=INK)
    above.tick_params(labelsize=LETTERS - 1, colors=RULE, labelcolor=INK, length=2, pad=1)
    above.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS, integer=True))
    above.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))
    above.spines["top"].set_color(RULE)


def _short(value: float) -> str:
    """1,500 → 1.5 k, 0.00025 → 2.5·10⁻⁴."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    if value and abs(value) < 1e-2:
        digits, power = f"{value:.2e}".split("e")
        return f"{float(digits):g}·10{str(int(power)).translate(RAISED)}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
