"""Nearest neighbours among unit vectors: an exact index for thousands, compressed ones for millions.

flat    exact; float32, 4 bytes a value
ivfpq   lists of codes of 4 bits for 2 values (4, where vectors are wide), scanned by table look-ups in registers (André
        et al., PAMI 2021), the best scored again from 8 bits a value: about 1.3 bytes a value, half of them on disk
hnsw    a graph of neighbours (Malkov and Yashunin, PAMI 2020) over 8 bits a value: fast to search, slow to build
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from vultus.search.directions import Floats, Rows

Kind = Literal["flat", "hnsw", "ivfpq"]
KINDS: tuple[Kind, ...] = ("flat", "hnsw", "ivfpq")

FLAT = 100_000  # vectors up to which the exact index answers in some ten milliseconds
SCANNED = 400_000  # codes that a query is compared with, of however many
AGAIN = 20  # times k: how many of the best codes are scored again
LINKS, LOOK_AHEAD, LOOK_AHEAD_BUILDING = 32, 256, 80  # of the graph
WIDE = 512  # values
LEARN, LEARN_A_LIST = 65_536, 40  # vectors at least from which codes and lists are learned, and for each list
LEAST = 2_500  # vectors that codes can be learned from
PART = 65_536  # vectors added at once


@dataclass(frozen=True, eq=False)
class Hits:
    """The k nearest of Q queries, nearest first; -1 and -inf where a compressed index found fewer."""

    rows: NDArray[np.int64]  # [Q, k]
    similarity: Floats  # [Q, k]: cosines


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """Rows 0 to N − 1, found by inner product."""

    kind: Kind
    width: int  # of the vectors; a compressed index may hold some zeros more
    _index: faiss.Index

    @classmethod
    def build(cls, vectors: Rows, kind: Kind | None = None, seed: int = 0) -> "VectorIndex":
        """Index unit vectors [N, d]; kind: by their number, unless given. Raises ValueError for too few."""
        kind = kind or ("flat" if len(vectors) <= FLAT else "ivfpq")
        least = LEAST if kind == "ivfpq" else 1
        if len(vectors) < least:
            raise ValueError(f"an index of kind {kind} takes {least:,} faces or more, got {len(vectors)}")
        many = max(LEARN, LEARN_A_LIST * _lists(len(vectors)))
        drawn = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:many])
        learn = np.asarray(vectors[drawn], np.float32)
        index = _empty(kind, learn.shape[1], len(vectors))
        if not index.is_trained:
            index.train(_padded(learn, index.d))
        for at in range(0, len(vectors), PART):
            index.add(_padded(vectors[at : at + PART], index.d))
        return cls(kind, learn.shape[1], index)

    @classmethod
    def open(cls, path: Path, kind: Kind, width: int) -> "VectorIndex":
        """Open a file that `save` wrote, memory-mapped: of ivfpq the values that score again stay on disk."""
        if kind == "flat" and hasattr(os, "posix_fadvise"):  # every query reads it all, and the map reads by the page
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        try:
            return cls(kind, width, faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as error:
            raise ValueError(f"{path} cannot be read ({error}): make the index again") from error

    def save(self, path: Path) -> None:
        """Write under a temporary name, sync, rename."""
        unfinished = path.with_name(f".{path.name}.partial")
        try:
            faiss.write_index(self._index, str(unfinished))
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, queries: Floats, k: int) -> Hits:
        """The k nearest of unit vectors [Q, d], or all where there are fewer; equal ones in the order of rows.

        Raises ValueError for vectors of another width, and for k below 1.
        """
        if k < 1:
            raise ValueError(f"k is 1 or more, got {k}")
        if queries.ndim != 2 or queries.shape[1] != self.width:
            raise ValueError(f"expected vectors [Q, {self.width}], got shape {queries.shape}")
        similarity, rows = self._index.search(_padded(queries, self._index.d), min(k, len(self)))
        similarity = np.where(rows < 0, -np.inf, similarity).astype(np.float32)
        order = np.lexsort((rows, -similarity))
        return Hits(np.take_along_axis(rows, order, 1), np.take_along_axis(similarity, order, 1))

    def vectors(self, rows: NDArray[np.int64]) -> Floats:
        """The vectors of rows [M], float32 [M, d], as exactly as the index knows them."""
        whole: Any = self._index
        exact = whole.refine_index if self.kind == "ivfpq" else whole
        return np.asarray(exact.reconstruct_batch(rows)[:, : self.width], np.float32)


def _empty(kind: Kind, width: int, count: int) -> Any:
    """Raises ValueError for an unknown kind."""
    metric = faiss.METRIC_INNER_PRODUCT
    if kind == "flat":
        return faiss.IndexFlatIP(width)
    if kind == "hnsw":
        eight_bits: Any = faiss.ScalarQuantizer.QT_8bit  # a number; the library's types expect an object
        graph = faiss.IndexHNSWSQ(width, eight_bits, LINKS, metric)
        graph.hnsw.efConstruction, graph.hnsw.efSearch = LOOK_AHEAD_BUILDING, LOOK_AHEAD
        return graph
    if kind != "ivfpq":
        raise ValueError(f"no index kind {kind!r}: there are {', '.join(KINDS)}")
    values = 2 if width <= WIDE else 4  # a code
    codes = -(-width // values)
    lists = _lists(count)
    made: Any = faiss.index_factory(codes * values, f"IVF{lists},PQ{codes}x4fs,Refine(SQ8)", metric)
    made.k_factor = AGAIN
    faiss.extract_index_ivf(made).nprobe = int(np.ceil(lists * min(1.0, SCANNED / count)))
    return made


def _lists(count: int) -> int:
    """The power of 2 that is nearest to the root of the number of vectors."""
    return int(2 ** round(np.log2(count) / 2))


def _padded(vectors: Floats, width: int) -> Floats:
    """Zeros behind the values: an inner product does not see them."""
    plain = np.ascontiguousarray(vectors, np.float32)
    return np.pad(plain, ((0, 0), (0, width - plain.shape[1]))) if plain.shape[1] < width else plain
