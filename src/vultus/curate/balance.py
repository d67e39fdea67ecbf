"""Fewer faces, and none forgotten: sampling that is balanced over clusters of clusters (Vo et al., TMLR 2024).

k-means puts most centres where most faces are. Clustering the centres again, level by level, evens this out: the
clusters of the highest level share the faces equally, and within each its own clusters do. A rare pose, age or light
that has a cluster to itself keeps nearly all of its faces, a common one few.

Everything is a function of (vectors, counts, seed); neither threads nor their number change it (`threads.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from vultus.curate.threads import chunked
from vultus.search.directions import Floats

Rows = NDArray[np.int64]

FINEST = 20  # faces a cluster of the lowest level, if the counts are not given
MOST = 20_000  # clusters of a level
COARSER = 10  # times fewer clusters on each level above
FEWEST = 10  # clusters of the highest level, or up to ten times as many
ROUNDS = 20  # of k-means
CHUNK = 4_096


@dataclass(frozen=True, eq=False)
class Clusters:
    """Levels of clusters, the lowest first: `of[0]` [N] is each face's, `of[1]` that of each cluster below, …"""

    of: tuple[Rows, ...]

    def faces(self) -> tuple[Rows, ...]:
        """Each face's cluster on every level, [N] each."""
        found = [self.of[0]]
        for above in self.of[1:]:
            found.append(above[found[-1]])
        return tuple(found)


def counts_for(faces: int) -> tuple[int, ...]:
    """Clusters of each level for so many faces, the lowest first."""
    counts = [max(1, min(faces // FINEST, MOST))]
    while counts[-1] >= FEWEST * COARSER:
        counts.append(counts[-1] // COARSER)
    return tuple(counts)


def cluster(vectors: Floats, counts: Sequence[int] = (), *, seed: int = 0, threads: int = 0) -> Clusters:
    """Hierarchical k-means of vectors [N, d]; counts: clusters of each level, the lowest first, else by N.

    Raises ValueError for counts that do not fall from at most N to at least 1.
    """
    counts = tuple(counts) or counts_for(len(vectors))
    if any(few < 1 or few > many for many, few in zip((len(vectors), *counts), counts, strict=False)):
        raise ValueError(f"clusters of {len(vectors)} vectors fall from level to level, to 1 at least; got {counts}")
    levels, points = [], np.ascontiguousarray(vectors, np.float32)
    for level, count in enumerate(counts):
        points, own = kmeans(points, count, np.random.default_rng([seed, level]), threads)
        levels.append(own)
    return Clusters(tuple(levels))


def kmeans(points: Floats, count: int, rng: np.random.Generator, threads: int = 0) -> tuple[Floats, Rows]:
    """Centres [count, d] of points [N, d], and the centre of each point [N].

    A centre that loses all its points moves to one of those that lie farthest from theirs.
    """
    centres = points[np.sort(rng.permutation(len(points))[:count])]
    for _ in range(ROUNDS):
        own, far = _assigned(points, centres, threads)
        empty = np.setdiff1d(np.arange(count), own)
        centres = _means(points, own, centres)
        centres[empty] = points[np.argsort(-far, kind="stable")[: len(empty)]]
    return centres, _assigned(points, centres, threads)[0]


def sample(clusters: Clusters, count: int, *, seed: int = 0) -> Rows:
    """Rows of `count` faces, ascending, shared out level by level; all where there are fewer.

    Within a cluster of the lowest level they are drawn by seed.
    """
    levels = clusters.faces()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(levels[0]))
    given: dict[tuple[int, ...], int] = {(): min(count, len(order))}
    groups: dict[tuple[int, ...], Rows] = {(): order}
    for level in reversed(levels):
        shared: dict[tuple[int, ...], int] = {}
        inside: dict[tuple[int, ...], Rows] = {}
        for path, rows in groups.items():
            names, place = np.unique(level[rows], return_inverse=True)
            parts = [rows[place == number] for number in range(len(names))]
            amounts = shares(np.array([len(part) for part in parts]), given[path])
            for name, part, amount in zip(names.tolist(), parts, amounts.tolist(), strict=True):
                shared[*path, name], inside[*path, name] = amount, part
        given, groups = shared, inside
    return np.sort(np.concatenate([rows[: given[path]] for path, rows in groups.items()]))


def shares(sizes: Rows, count: int) -> Rows:
    """`count` shared out among groups of these sizes as evenly as they allow; what is left over goes to the largest."""
    given = np.zeros_like(sizes)
    for rank, group in enumerate(np.argsort(sizes, kind="stable")):  # what a small group cannot take, the others do
        given[group] = min(sizes[group], (count - given.sum()) // (len(sizes) - rank))
    return given


def _assigned(points: Floats, centres: Floats, threads: int) -> tuple[Rows, Floats]:
    """The nearest centre of each point, and its squared distance."""

    def nearest(rows: Rows) -> tuple[Floats, Rows]:
        far, own = faiss.knn(points[rows], centres, 1)
        return far[:, 0], own[:, 0]

    found = list(chunked(nearest, np.arange(len(points)), CHUNK, threads))
    return np.concatenate([own for _, own in found]), np.concatenate([far for far, _ in found])


def _means(points: Floats, own: Rows, centres: Floats) -> Floats:
    """Means [K, d] of the points of each centre; a centre without points stays."""
    order = np.argsort(own, kind="stable")
    used, starts, sizes = np.unique(own[order], return_index=True, return_counts=True)
    moved = centres.copy()
    moved[used] = np.add.reduceat(points[order], starts, axis=0, dtype=np.float64) / sizes[:, None]
    return moved
