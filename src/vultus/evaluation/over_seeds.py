"""One figure measured under several seeds → its mean, with the standard deviation over them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vultus.evaluation.figure import Figure, Scores


def over_seeds(figures: Sequence[Figure]) -> Figure:
    """The mean of the same figure under several seeds, of training or of reading; a single one keeps its value.

    Its detail tells `seeds`, how many, and `std`, their standard deviation (n − 1). The interval is the mean of theirs:
    it still speaks of the test samples alone. The scores are each sample's mean over the seeds that tested it, ordered
    by row, so that methods with different numbers of seeds can be compared in pairs.
    Raises ValueError for figures of different things.
    """
    first = figures[0]
    if any((f.task, f.metric, f.data) != (first.task, first.metric, first.data) for f in figures):
        told = ", ".join(sorted({f"{f.task} {f.metric} on {f.data}" for f in figures}))
        raise ValueError(f"a mean over seeds needs one figure under each, got {told}")
    if len(figures) == 1:
        return replace(first, scores=_mean_scores(figures))
    values = np.array([(f.value, f.low, f.high, f.chance) for f in figures])
    value, low, high, chance = values.mean(axis=0).tolist()
    detail = {**first.detail, "seeds": len(figures), "std": float(values[:, 0].std(ddof=1))}
    return replace(first, value=value, low=low, high=high, chance=chance, detail=detail, scores=_mean_scores(figures))


def _mean_scores(figures: Sequence[Figure]) -> Scores | None:
    scores = [f.scores for f in figures if f.scores is not None]
    if len(scores) < len(figures):
        return None
    rows, place, counts = np.unique(np.concatenate([s.rows for s in scores]), return_inverse=True, return_counts=True)
    columns = np.zeros((len(rows), scores[0].columns.shape[1]))
    np.add.at(columns, place, np.concatenate([s.columns for s in scores]))
    return Scores(rows, columns / counts[:, None])
