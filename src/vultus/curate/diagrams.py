"""The funnel and the judgements as charts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vultus.curate.config import CurateConfig
from vultus.curate.funnel import WHAT, Funnel
from vultus.report.charts import LETTERS, blank, to_svg
from vultus.report.colours import INK, QUIET, RUNS
from vultus.report.markup import Markup

KEPT, STOPPED = RUNS[0], QUIET


class Part(NamedTuple):
    """A part of the judgement, as the page shows it."""

    key: str
    title: str
    low: float  # of the axis
    high: float
    thresholds: tuple[str, ...] = ()  # settings that cut it


PARTS = (
    Part("quality", "quality, all parts together", 0, 1, ("min_quality",)),
    Part("size", "size, pixels from brows to chin", 0, 256, ("min_size",)),
    Part("sharpness", "sharpness, fine detail against contrast", 0, 0.9, ("min_sharpness",)),
    Part("brightness", "brightness, mean grey", 0, 1, ("min_brightness", "max_brightness")),
    Part("contrast", "contrast, standard deviation of the grey", 0, 0.4, ("min_contrast",)),
    Part("clipped", "part that is black or white", 0, 0.6),
    Part("outside", "part outside of the photograph", 0, 0.6, ("max_outside",)),
    Part("score", "the detector's score", 0.3, 1, ("min_score",)),
    Part("yaw", "yaw, degrees", -90, 90, ("max_yaw",)),
    Part("pitch", "pitch, degrees", -60, 60, ("max_pitch",)),
    Part("roll", "roll, degrees", -60, 60),
    Part("residual", "misfit of the points, distances of the eyes", 0, 0.4),
)
BINS = 36


def funnel_chart(through: Funnel) -> Markup:
    """A bar for each stage: what it left."""
    names = ["photographs", *(WHAT[step.stage] for step in through.steps)]
    counts = [through.photographs, *(step.left for step in through.steps)]
    chart, axes = blank(7.2, 0.5 + 0.27 * len(counts))
    for place, count in enumerate(counts):
        axes.barh(place, count, height=0.66, color=KEPT if place == len(counts) - 1 else QUIET, alpha=0.8)
        axes.text(count + 0.01 * max(counts), place, f"{count:,}", va="center", fontsize=LETTERS, color=INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    axes.set_xlim(0, 1.13 * max(counts))
    return to_svg(chart, "; ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True)))


def histogram(part: Part, kept: NDArray[np.float32], stopped: NDArray[np.float32], config: CurateConfig) -> Markup:
    """Faces by a part: the kept, and on top of them those that were stopped; dashed at the thresholds in force."""
    chart, axes = blank(3.5, 1.75)
    edges = np.linspace(part.low, part.high, BINS + 1)
    values: Sequence[NDArray[np.float32]] = [np.clip(each, part.low, part.high) for each in (kept, stopped)]
    axes.hist(values, bins=list(edges), stacked=True, color=[KEPT, STOPPED], alpha=0.85)
    for name in part.thresholds:
        limit = float(getattr(config, name))
        for at in (limit, -limit) if part.low < 0 else (limit,):
            if part.low < at < part.high:
                axes.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (3, 3)), alpha=0.8)
    axes.set_xlim(part.low, part.high)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(part.title, fontsize=LETTERS, color=INK)
    middle = float(np.median(kept)) if len(kept) else float("nan")
    return to_svg(chart, f"{part.title}: {len(kept):,} faces kept, median {middle:.2f}; {len(stopped):,} not kept")
