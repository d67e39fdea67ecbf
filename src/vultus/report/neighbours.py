"""Nearest faces by cosine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.neighbours import closest

CLOSE = 10.0  # degrees


def nearest(features: NDArray[np.floating], queries: Sequence[int], count: int = 8) -> NDArray[np.int64]:
    """Rows of the `count` faces nearest to each query, nearest first: [Q, min(count, N − 1)], never the query.

    features: [N, D]; queries: rows of them.
    """
    count = min(count, len(features) - 1)
    every = features.astype(np.float32)
    _, near = closest(every, every[list(queries)], count + 1)
    # a face of equal feature may come before the query itself, so that it is not always the first
    return np.stack([[n for n in row if n != q][:count] for q, row in zip(queries, near, strict=True)]).astype(np.int64)


def choose_queries(labels: NDArray[np.str_] | None, faces: int, most: int = 6) -> list[int]:
    """The first face of each label in alphabetical order, or the first faces where nothing is labelled."""
    if labels is None or not (labels != "").any():
        return list(range(min(most, faces)))
    return [int(np.flatnonzero(labels == name)[0]) for name in np.unique(labels[labels != ""])[:most]]


def alike(values: NDArray[np.generic], queries: Sequence[int]) -> NDArray[np.bool_]:
    """[Q, N]: has the query's text, or a number within 10 (degrees) of its; an unknown value is like none."""
    if values.dtype.kind == "U":
        texts = values.astype(np.str_)
        own = texts[list(queries)][:, None]
        return np.asarray((own == texts) & (own != ""))
    numbers = values.astype(np.float64)
    return np.asarray(np.abs(numbers[list(queries)][:, None] - numbers) <= CLOSE)
