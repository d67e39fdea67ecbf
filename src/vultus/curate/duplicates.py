"""Copies of faces: equal bytes, and pictures made from one another by compression, resizing, cutting, light or mirror.

Suspects are found by hash and by descriptor (`suspects.py`); each is confirmed by laying one over the other
(`overlay.py`), so that another picture of the same person stays. From the best face of a group on, copies are followed
from copy to copy, and each must be a copy of the best itself: frames of a film do not pull each other in.

Two sets are compared as they are framed. To find photographs of an evaluation set, cut its faces to the same template.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.curate.hashes import Hashes
from vultus.curate.overlay import agreement, outlines
from vultus.curate.suspects import Descriptors, Faces, Rows, Suspects, by_hash, hashed, within
from vultus.curate.threads import chunked

Say = Callable[[str], None]
CHUNK = 256  # pairs confirmed at once


@dataclass(frozen=True)
class DuplicateConfig:
    """When a face is a copy of another."""

    bits: int = 4  # flipped bits of 64 up to which hashes make two faces suspect, at most 5
    neighbours: int = 8  # nearest by descriptor, and as many of the mirror image; 0: suspects by hash alone
    similarity: float = 0.5  # cosine of descriptors from which a neighbour is suspect
    agreement: float = 0.75  # of two faces laid over each other, where they agree least, from which they are copies


PLAIN = DuplicateConfig()


@dataclass(frozen=True, eq=False)
class Duplicates:
    """What became of N faces."""

    kept: Rows  # [N]: the face that is kept in place of each; its own row for those kept
    agreement: NDArray[np.float32]  # [N]: with the one that is kept; 1 for equal bytes, and for those kept
    equal: NDArray[np.bool_]  # [N]: left out for bytes that equal those of another face

    @property
    def left_out(self) -> Rows:
        """Rows of the copies."""
        return np.flatnonzero(self.kept != np.arange(len(self.kept)))

    @property
    def groups(self) -> tuple[Rows, ...]:
        """The rows of each group of two or more, the kept one first, in the order of the kept ones."""
        copies = self.left_out
        by_kept = copies[np.argsort(self.kept[copies], kind="stable")]
        heads, starts = np.unique(self.kept[by_kept], return_index=True)
        parts = np.split(by_kept, starts[1:]) if len(heads) else []
        return tuple(np.concatenate([[head], part]) for head, part in zip(heads, parts, strict=True))


@dataclass(frozen=True, eq=False)
class Leaks:
    """Faces that are copies of faces of another set."""

    rows: Rows  # [L], ascending
    found: Rows  # [L]: the face of the other set that each agrees with most
    agreement: NDArray[np.float32]  # [L]: 1 for equal bytes


def find(
    faces: Faces,
    quality: NDArray[np.floating] | None = None,
    config: DuplicateConfig = PLAIN,
    *,
    hashes: Hashes | None = None,
    threads: int = 0,
    say: Say = lambda line: None,
) -> Duplicates:
    """Group the copies among N faces; of each group the one of highest quality is kept, the first of equals.

    quality: [N], else all are alike. hashes: [N, 2], where they are known. threads: 0 for one a core; the answer does
    not depend on it.
    """
    quality = np.zeros(len(faces)) if quality is None else quality
    digests = [hashlib.sha256(faces.image_bytes(row)).digest() for row in range(len(faces))]
    kept = _first_equal(digests, quality)
    equal = kept != np.arange(len(faces))
    rows = np.flatnonzero(~equal)
    say(f"looking for copies among {len(rows):,} different pictures")
    hashes = hashed(faces, threads) if hashes is None else hashes
    judge = _Judge(faces, faces, threads)
    suspects = within(_in_rows(by_hash(hashes[rows], hashes[rows], config.bits), rows))
    judge(suspects)
    grown = _grow(judge, rows, quality, config)
    if config.neighbours and len(rows) > 1:
        rest = np.array([row for row in rows.tolist() if grown[row][0] == row], np.int64)
        descriptors = Descriptors(faces, rest)
        near = within(descriptors.search(faces, rest, config.neighbours + 1, config.similarity, threads))
        say(f"comparing {len(near):,} pairs of similar faces")
        judge(near)
        grown = _grow(judge, rows, quality, config)
    return _result(kept, equal, grown)


def leaks(
    faces: Faces,
    others: Faces,
    config: DuplicateConfig = PLAIN,
    *,
    hashes: Hashes | None = None,
    threads: int = 0,
    say: Say = lambda line: None,
) -> Leaks:
    """Faces that are copies of others' faces; both cut to their faces in the same way.

    hashes: [N, 2] of `faces`, where they are known.
    """
    first = {hashlib.sha256(others.image_bytes(row)).digest(): row for row in reversed(range(len(others)))}
    equal = {
        row: first[digest]
        for row in range(len(faces))
        if (digest := hashlib.sha256(faces.image_bytes(row)).digest()) in first
    }
    rows = np.setdiff1d(np.arange(len(faces)), np.array(list(equal), np.int64))
    hashes = hashed(faces, threads) if hashes is None else hashes
    suspects = by_hash(hashes, hashed(others, threads), config.bits)
    if config.neighbours and len(others):
        near = Descriptors(others, np.arange(len(others)))
        suspects = np.concatenate([suspects, near.search(faces, rows, config.neighbours, config.similarity, threads)])
    suspects = np.unique(suspects[np.isin(suspects[:, 0], rows)], axis=0)
    say(f"comparing {len(suspects):,} pairs of similar faces")
    judge = _Judge(faces, others, threads)
    judge(suspects)
    best = {row: (1.0, other) for row, other in equal.items()}
    for (row, other), agrees in judge.known.items():
        if agrees >= config.agreement and (row not in best or best[row][0] < agrees):
            best[row] = (agrees, other)
    found = sorted(best)
    return Leaks(
        np.array(found, np.int64),
        np.array([best[row][1] for row in found], np.int64),
        np.array([best[row][0] for row in found], np.float32),
    )


class _Judge:
    """Agreements of pairs, each looked at once."""

    def __init__(self, faces: Faces, others: Faces, threads: int) -> None:
        self._faces, self._others, self._threads = faces, others, threads
        self.known: dict[tuple[int, int], float] = {}

    def __call__(self, suspects: Suspects) -> None:
        """Look at pairs; of one that is suspect both ways, the better way counts."""
        for part in chunked(self._look, suspects, CHUNK, self._threads):
            for pair, agrees in part:
                self.known[pair] = max(self.known.get(pair, -1.0), agrees)

    def _look(self, suspects: Suspects) -> list[tuple[tuple[int, int], float]]:
        firsts, of_first = np.unique(suspects[:, 0], return_inverse=True)
        seconds, of_second = np.unique(suspects[:, 1], return_inverse=True)
        a, b = outlines(self._faces.images(firsts, 64)), outlines(self._others.images(seconds, 64))
        return [
            ((row, other), agreement(b[j], np.ascontiguousarray(a[i, :, ::-1]) if mirrored else a[i]))
            for (row, other, mirrored), i, j in zip(suspects.tolist(), of_first, of_second, strict=True)
        ]


def _first_equal(digests: list[bytes], quality: NDArray[np.floating]) -> Rows:
    """[N]: of the faces with the same bytes the best, the first of equals."""
    best: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        held = best.setdefault(digest, row)
        if quality[row] > quality[held]:
            best[digest] = row
    return np.array([best[digest] for digest in digests], np.int64)


def _in_rows(suspects: Suspects, rows: Rows) -> Suspects:
    return np.column_stack([rows[suspects[:, :2]], suspects[:, 2]])


def _grow(
    judge: _Judge, rows: Rows, quality: NDArray[np.floating], config: DuplicateConfig
) -> dict[int, tuple[int, float]]:
    """For each row the one that is kept in its place, and their agreement."""
    graph = defaultdict(list)
    for (row, other), agrees in sorted(judge.known.items()):
        if agrees >= config.agreement:
            graph[row].append(other)
            graph[other].append(row)
    kept: dict[int, tuple[int, float]] = {}
    for best in rows[np.lexsort((rows, -quality[rows]))].tolist():
        if best not in kept:
            kept |= {best: (best, 1.0), **_copies(best, graph, kept, judge, config)}
    return kept


def _copies(
    best: int, graph: dict[int, list[int]], kept: dict[int, tuple[int, float]], judge: _Judge, config: DuplicateConfig
) -> dict[int, tuple[int, float]]:
    """Copies of `best` that are not yet another's, followed from copy to copy."""
    found: dict[int, tuple[int, float]] = {}
    seen, edge = {best}, [best]
    while edge:
        ahead = sorted({other for row in edge for other in graph.get(row, ()) if other not in kept} - seen)
        seen.update(ahead)
        pairs = [(min(best, other), max(best, other)) for other in ahead]
        unknown = [pair for pair in pairs if pair not in judge.known]
        if unknown:
            judge(np.array([(*pair, mirrored) for pair in unknown for mirrored in (0, 1)], np.int64))
        scores = {other: judge.known[pair] for other, pair in zip(ahead, pairs, strict=True)}
        edge = [other for other in ahead if scores[other] >= config.agreement]
        found |= {other: (best, scores[other]) for other in edge}
    return found


def _result(kept: Rows, equal: NDArray[np.bool_], grown: dict[int, tuple[int, float]]) -> Duplicates:
    heads = np.array([grown[row][0] for row in kept.tolist()], np.int64)
    agrees = np.array([grown[row][1] for row in kept.tolist()], np.float32)
    own = equal & (heads == kept)
    return Duplicates(heads, np.where(own, 1, agrees).astype(np.float32), equal)
