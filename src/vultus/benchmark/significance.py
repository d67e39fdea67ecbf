"""Which rows of a column cannot be told from its best, and which cannot be compared with it."""

from collections.abc import Mapping, Sequence

import numpy as np

from vultus.evaluation.figure import Figure
from vultus.evaluation.paired import differences, why_not

ALPHA = 0.05


def best_of(figures: Mapping[str, Figure]) -> str:
    """The name of the best value. Raises ValueError where there is none."""
    if not figures:
        raise ValueError("no figure to choose the best of")
    sign = 1 if next(iter(figures.values())).lower_is_better else -1
    return min(figures, key=lambda name: sign * figures[name].value)


def level_with_best(figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """The names whose difference from the best is not beyond chance at 5 %, without the best itself.

    Paired bootstrap on the same test samples (the mean of the seeds' values, see `paired.py`), p corrected
    after Holm over the rows of the column. A row without comparable scores is not named.
    """
    top = best_of(figures)
    aside = {top, *not_comparable(figures)}
    rivals = {name: figure for name, figure in figures.items() if name not in aside}
    corrected = holm([found.p for found in differences(figures[top], list(rivals.values()))]) if rivals else []
    return tuple(name for name, p in zip(rivals, corrected, strict=True) if p >= ALPHA)


def not_comparable(figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """The names of which nothing can be said beside the best: their scores are lost, or of other test samples."""
    top = best_of(figures)
    return tuple(name for name, figure in figures.items() if name != top and why_not(figures[top], figure))


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected step by step (Holm 1979): the smallest times m, the next times m − 1, …, never falling."""
    order = np.argsort(p, kind="stable")
    steps = np.asarray(p, np.float64)[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(p) else steps
    out: list[float] = corrected.tolist()
    return out
