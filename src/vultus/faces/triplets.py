"""Triplets of faces: of three expressions, which two are closest in the eyes of human raters."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "triplets.csv"
_HEADER = ["anchor", "positive", "negative", "kind"]


@dataclass(frozen=True, slots=True)
class NamedTriplet:
    """A triplet by the names of its faces; anchor and positive are the close pair and may change places."""

    anchor: str
    positive: str
    negative: str  # the odd one out
    kind: str  # what the source calls this sort of triplet


@dataclass(frozen=True, eq=False)
class Triplets:
    """T triplets by row of the whole set (also where a FaceSet shows only some rows)."""

    anchor: npt.NDArray[np.int64]  # [T]
    positive: npt.NDArray[np.int64]  # [T]
    negative: npt.NDArray[np.int64]  # [T]
    kind: npt.NDArray[np.str_]  # [T]

    def __len__(self) -> int:
        return len(self.anchor)


def resolve(triplets: Sequence[NamedTriplet], rows: Mapping[str, int]) -> Triplets:
    """Replace names by rows, without the triplets that name a face the set does not hold.

    Such sets are lists of addresses on the web, of which some are dead by the time anybody asks.
    """
    held = [t for t in triplets if t.anchor in rows and t.positive in rows and t.negative in rows]
    return Triplets(
        anchor=np.array([rows[t.anchor] for t in held], dtype=np.int64),
        positive=np.array([rows[t.positive] for t in held], dtype=np.int64),
        negative=np.array([rows[t.negative] for t in held], dtype=np.int64),
        kind=np.array([t.kind for t in held], dtype=np.str_),
    )


def save(triplets: Triplets, path: Path) -> None:
    """Write anchor,positive,negative,kind as csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(_HEADER)
        columns = (triplets.anchor, triplets.positive, triplets.negative, triplets.kind)
        lines.writerows(zip(*(column.tolist() for column in columns), strict=True))


def load(path: Path, faces: int) -> Triplets:
    """Read a csv that `save` wrote; every row must point into a set of `faces` faces."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    try:
        rows = np.array([line[:3] for line in lines], dtype=np.int64).reshape(-1, 3)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: three whole numbers and a word a line expected ({error})") from error
    whole = header == _HEADER and all(len(line) == len(_HEADER) for line in lines)
    if not whole or (rows < 0).any() or (rows >= faces).any():
        raise ValueError(f"{path} is damaged: header {','.join(_HEADER)} and rows below {faces} expected")
    kind = np.array([line[3] for line in lines], dtype=np.str_)
    return Triplets(rows[:, 0], rows[:, 1], rows[:, 2], kind)
