"""Average precision, the area under the curve of precision over recall, and precision at k.

Equal scores share one threshold, so no order among them flatters or harms.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import grouped

Floats = NDArray[np.floating]
Rows = NDArray[np.int64]
RESAMPLED = 20_000_000  # samples drawn at most for an interval
RESAMPLES = (100, 1000)  # fewest and most
_BLOCK = 2_000_000  # resampled entries held at once


def average_precision(ranked: Floats, relevant: Floats) -> float:
    """The mean, over relevant samples, of the share of relevant ones among those that score as high or higher.

    ranked: scores of all samples [N], relevant: those of the relevant ones [R]; both ascending.
    """
    as_high = len(ranked) - np.searchsorted(ranked, relevant)
    hits = len(relevant) - np.searchsorted(relevant, relevant)
    return float((hits / as_high).mean())


def precision_at(k: int, ranked: Floats, relevant: Floats) -> float:
    """Share of the first k places that is relevant, expected over the orders of equal scores.

    ranked, relevant: as in `average_precision`. Where N < k the missing places count as not relevant.
    """
    places = min(k, len(ranked))
    lowest = ranked[-places]
    above, as_high = _counts(ranked, lowest)
    hits, hits_as_high = _counts(relevant, lowest)
    tied = (places - above) / (as_high - above)  # part of the samples of the lowest score that has a place
    return float(hits + tied * (hits_as_high - hits)) / k


def _counts(scores: Floats, limit: np.floating) -> tuple[int, int]:
    """How many scores are higher than the limit, and how many as high or higher."""
    return len(scores) - int(np.searchsorted(scores, limit, "right")), len(scores) - int(np.searchsorted(scores, limit))


def blind_average_precision(relevant: Floats, of: Floats) -> NDArray[np.float64]:
    """Average precision expected of a random order, for `relevant` [B] of `of` [B] samples.

    Place i holds a relevant sample with chance R / N, and then (i − 1)(R − 1) / (N − 1) of those before are relevant:
    E = (H_N + (N − H_N)(R − 1) / (N − 1)) / N with the harmonic number H_N.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(of.max()) + 1))])[of.astype(np.int64)]
    more: NDArray[np.float64] = (harmonic + (of - harmonic) * (relevant - 1) / np.maximum(of - 1, 1)) / of
    return more


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of samples in falling order, to weigh the samples again and again without sorting."""

    order: Rows  # [N] which sample stands at a place
    last: Rows  # [N] where a place's run of equal scores ends
    relevant: NDArray[np.bool_]  # [N] of a place

    @classmethod
    def of(cls, score: Floats, relevant: NDArray[np.bool_]) -> "Curve":
        """score, relevant: [N] of the samples."""
        order = np.argsort(-score)
        ranked = -score[order]
        return cls(order, np.searchsorted(ranked, ranked, side="right") - 1, relevant[order])

    def average_precision(self, weight: NDArray[np.float32]) -> NDArray[np.float64]:
        """Average precisions [B] of weighted samples [B, N]; NaN where no relevant one has weight."""
        own = weight[:, self.order]
        relevant = own * self.relevant
        hits, seen = (np.cumsum(each, axis=1, dtype=np.float64)[:, self.last] for each in (relevant, own))
        with np.errstate(invalid="ignore"):
            area: NDArray[np.float64] = (relevant * hits / np.maximum(seen, 1)).sum(axis=1) / hits[:, -1]
        return area


def resamples(samples: int, seed: int, groups: Rows | None = None) -> Iterator[NDArray[np.float32]]:
    """Blocks [R, N] of how often each sample is drawn; the more samples the fewer draws, in all at least 100.

    groups: [N], equal for samples that are drawn together (`bootstrap.py`).
    """
    place = grouped(groups)
    units = samples if place is None else int(place.max()) + 1
    draws = int(np.clip(RESAMPLED // samples, *RESAMPLES))
    rng, step = np.random.default_rng(seed), max(1, _BLOCK // samples)
    for at in range(0, draws, step):
        drawn = rng.integers(units, size=(min(step, draws - at), units))
        counts = np.stack([np.bincount(row, minlength=units) for row in drawn]).astype(np.float32)
        yield counts if place is None else counts[:, place]
