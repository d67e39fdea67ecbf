"""One figure measured under several seeds → its mean, with the standard deviation over them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vultus.evaluation.figure import Figure, Scores, groups_of


def over_seeds(figures: Sequence[Figure]) -> Figure:
    """The mean of the same figure under several seeds, of training or of reading; a single one keeps its value.

    Its detail tells `seeds`, how many, and `std`, their standard deviation (n − 1). The interval is the mean of theirs:
    it still speaks of the test samples alone. The scores are those of each seed side by side, ordered by row, so that
    methods with different numbers of seeds can be compared in pairs (`paired.py`).
    Raises ValueError for figures of different things.
    """
    first = figures[0]
    if any((f.task, f.metric, f.data) != (first.task, first.metric, first.data) for f in figures):
        told = ", ".join(sorted({f"{f.task} {f.metric} on {f.data}" for f in figures}))
        raise ValueError(f"a mean over seeds needs one figure under each, got {told}")
    for other in figures[1:]:
        if reason := first.asks_other_than(other):
            raise ValueError(f"no mean over seeds of {first.method}: {reason}")
    if len(figures) == 1:
        return replace(first, scores=_side_by_side(figures))
    values = np.array([(f.value, f.low, f.high, f.chance) for f in figures])
    value, low, high, chance = values.mean(axis=0).tolist()
    detail = {**first.detail, "seeds": len(figures), "std": float(values[:, 0].std(ddof=1))}
    return replace(first, value=value, low=low, high=high, chance=chance, detail=detail, scores=_side_by_side(figures))


def _side_by_side(figures: Sequence[Figure]) -> Scores | None:
    """NaN where a seed did not test a sample."""
    scores = [f.scores for f in figures if f.scores is not None]
    if len(scores) < len(figures):
        return None
    rows = np.unique(np.concatenate([s.rows for s in scores]))
    columns = []
    for one in scores:
        own = np.full((len(rows), one.columns.shape[1]), np.nan)
        own[np.searchsorted(rows, one.rows)] = one.columns
        columns.append(own)
    seeds = tuple(width for one in scores for width in one.seeds or (one.columns.shape[1],))
    return Scores(rows, np.concatenate(columns, axis=1), groups_of(rows, scores), seeds)
