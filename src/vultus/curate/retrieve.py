"""Faces of a pool that are like examples, as in the face-aware retrieval of ProS (WACV 2024).

Vectors are unit vectors, examples and pool in the same directions. What is found comes rank by rank: first the nearest
of every example, then the second nearest, so that no example takes more than its share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.curate.threads import chunked
from vultus.search.directions import Floats
from vultus.search.index import VectorIndex

Rows = NDArray[np.int64]
CHUNK = 64  # vectors looked up at once


@dataclass(frozen=True, eq=False)
class Retrieved:
    """M faces of the pool, each once, in the order in which they were found."""

    rows: Rows  # [M]
    examples: Rows  # [M]: the example that found each
    similarity: Floats  # [M]: to it


def nearest(pool: VectorIndex, examples: Floats, k: int) -> Retrieved:
    """The k nearest of every example [Q, d]. Raises ValueError for no example, and for k below 1."""
    return _by_rank(*_hits(pool, examples, k))


def mutual(pool: VectorIndex, examples: Floats, k: int) -> Retrieved:
    """Of the k nearest, those that have the example among their own k nearest, too.

    A face's own neighbours are looked for among the pool and the example (k-reciprocal neighbours, Qin et al., CVPR
    2011). An example that lies off the pool finds little: its neighbours have nearer ones.
    """
    rows, similarity = _hits(pool, examples, k)
    found = np.unique(rows[rows >= 0])
    own = _search(pool, pool.vectors(found), k + 1)[1]  # the face itself is one of them
    reach = np.full(len(pool), np.inf, np.float32)
    reach[found] = own[:, k] if own.shape[1] > k else -np.inf
    return _by_rank(np.where(similarity >= reach[rows], rows, -1), similarity)


def gather(pool: VectorIndex, examples: Floats, count: int) -> Retrieved:
    """The nearest of the examples, as many ranks as it takes to gather `count` faces; all where there are fewer.

    Raises ValueError for no example, and for a count below 1.
    """
    k = max(1, -(-count // max(len(examples), 1)))
    while True:
        found = _by_rank(*_hits(pool, examples, k))
        if len(found.rows) >= count or k >= len(pool):
            return Retrieved(found.rows[:count], found.examples[:count], found.similarity[:count])
        k = min(2 * k, len(pool))


def _hits(pool: VectorIndex, examples: Floats, k: int) -> tuple[Rows, Floats]:
    if not len(examples) or k < 1:
        raise ValueError(f"expected one example and one face to find or more, got {len(examples)} and {k}")
    return _search(pool, examples, k)


def _search(pool: VectorIndex, vectors: Floats, k: int) -> tuple[Rows, Floats]:
    found = list(chunked(lambda part: pool.search(vectors[part], k), np.arange(len(vectors)), CHUNK))
    return np.concatenate([hits.rows for hits in found]), np.concatenate([hits.similarity for hits in found])


def _by_rank(rows: Rows, similarity: Floats) -> Retrieved:
    """Rows [Q, k], nearest first, −1 for none, as one list: rank by rank, the most similar first within a rank."""
    example, rank = np.nonzero(rows >= 0)
    flat, alike = rows[example, rank], similarity[example, rank]
    order = np.lexsort((flat, -alike, rank))
    _, first = np.unique(flat[order], return_index=True)
    chosen = order[np.sort(first)]
    return Retrieved(flat[chosen], example[chosen], alike[chosen])
