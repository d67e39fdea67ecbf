"""Pairs of faces that may be copies, found without comparing each with each: by hash, and by descriptor.

Hashes find what was compressed, resized, brightened or mirrored. A cut moves everything, and a hash with it: those are
found as near neighbours among whitened HoG descriptors, which stood first for every planted copy in trials on four
sets; pixels and the patch dictionary did not, or took ten times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vultus.curate.hashes import Hashes, hashes, near
from vultus.curate.threads import chunked, on_one_thread
from vultus.evaluation.descriptors import Hog
from vultus.search.directions import Directed, Directions, Floats, fit
from vultus.search.index import VectorIndex

Rows = NDArray[np.int64]
Suspects = NDArray[np.int64]  # [P, 3]: row, row of the other, 1 where the first is to be mirrored

HOG = Hog(48)
WIDTH = 128  # components of the descriptor
CHUNK = 512


class Faces(Protocol):
    """A face set, a pool of candidates, or anything else that decodes faces."""

    def __len__(self) -> int: ...
    def image_bytes(self, index: int) -> bytes: ...
    def images(self, indices: Sequence[int] | NDArray[Any], size: int) -> NDArray[np.uint8]: ...


def hashed(faces: Faces, threads: int = 0) -> Hashes:
    """Hashes [N, 2] of all faces and of their mirror images."""
    rows = np.arange(len(faces))
    parts = chunked(lambda part: hashes(faces.images(part, 64)), rows, CHUNK, threads)
    return np.concatenate([np.empty((0, 2), np.uint64), *parts])


def by_hash(queries: Hashes, base: Hashes, most: int) -> Suspects:
    """Faces whose hashes differ in at most `most` bits; of faces that share a hash, the first stands for all."""
    codes, first = np.unique(base[:, 0], return_index=True)
    found = []
    for mirrored in (0, 1):
        pairs = near(queries[:, mirrored], codes, most)
        found.append(_told(pairs[:, 0], first[pairs[:, 1]], mirrored))
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class Described:
    """Faces as HoG descriptors [N, 900], computed when they are asked for; or their mirror images."""

    faces: Faces
    rows: Rows
    mirrored: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice | Rows, /) -> Floats:
        return np.concatenate(list(chunked(self._describe, self.rows[rows], CHUNK)))

    def _describe(self, rows: Rows) -> Floats:
        images = self.faces.images(rows, HOG.size)
        return HOG.features(images[..., ::-1] if self.mirrored else images)[HOG.name]


class Descriptors:
    """The descriptors of some faces, to be searched."""

    def __init__(self, faces: Faces, rows: Rows) -> None:
        self._rows, plain = rows, Described(faces, rows)
        with on_one_thread():
            try:
                self._directions = fit(plain, width=WIDTH)
            except ValueError:  # all descriptors are equal, as of empty pictures: nothing to whiten
                self._directions = Directions(None)
            self._index = VectorIndex.build(Directed(plain, self._directions))

    def search(self, faces: Faces, rows: Rows, k: int, least: float, threads: int = 0) -> Suspects:
        """For faces of a set and for their mirror images, the k nearest whose cosine is at least `least`."""

        def found(part: Rows) -> Suspects:
            told = []
            for mirrored in (False, True):
                hits = self._index.search(self._directions(Described(faces, part, mirrored)._describe(part)), k)
                query, place = np.nonzero(hits.similarity >= least)
                told.append(_told(part[query], self._rows[hits.rows[query, place]], int(mirrored)))
            return np.concatenate(told)

        return np.concatenate([np.empty((0, 3), np.int64), *chunked(found, rows, CHUNK, threads)])


def within(found: Suspects) -> Suspects:
    """Suspects among faces of one set: each pair once, the lower row first, none of a face with itself."""
    found = found[found[:, 0] != found[:, 1]]
    return np.unique(np.column_stack([np.sort(found[:, :2], axis=1), found[:, 2]]), axis=0)


def _told(rows: Rows, others: Rows, mirrored: int) -> Suspects:
    return np.column_stack([rows, others, np.full(len(rows), mirrored)]).astype(np.int64)
