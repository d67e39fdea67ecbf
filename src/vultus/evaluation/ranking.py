"""Average precision of a search, the area under precision over recall, and precision at k.

Equal scores share one threshold, so no order among them flatters or harms.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


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
