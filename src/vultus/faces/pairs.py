"""Verification pairs: which two faces are to be compared, and whether they show one person."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "pairs.csv"
_HEADER = ["fold", "left", "right", "same"]


@dataclass(frozen=True)
class NamedPair:
    """A pair as a source lists it: by the names of its pictures."""

    fold: int  # counted from 0
    left: str
    right: str
    same: bool


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs by row of the whole set (also where a FaceSet shows only some rows)."""

    fold: npt.NDArray[np.int64]  # [P], counted from 0
    left: npt.NDArray[np.int64]  # [P]
    right: npt.NDArray[np.int64]  # [P]
    same: npt.NDArray[np.bool_]  # [P]

    def __len__(self) -> int:
        return len(self.fold)


def resolve(pairs: Sequence[NamedPair], rows: Mapping[str, int]) -> Pairs:
    """Replace names by rows. Raises ValueError that lists a few of the names the set does not hold."""
    missing = list(dict.fromkeys(name for p in pairs for name in (p.left, p.right) if name not in rows))
    if missing:
        listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise ValueError(
            f"the pairs name {len(missing)} pictures which are not in the set ({listed}): they are missing in "
            "the source, or were skipped as unreadable. Complete the source, or take the pairs out of its list."
        )
    return Pairs(
        fold=np.array([p.fold for p in pairs], dtype=np.int64),
        left=np.array([rows[p.left] for p in pairs], dtype=np.int64),
        right=np.array([rows[p.right] for p in pairs], dtype=np.int64),
        same=np.array([p.same for p in pairs], dtype=np.bool_),
    )


def save(pairs: Pairs, path: Path) -> None:
    """Write fold,left,right,same as csv (same: 1 or 0)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(_HEADER)
        columns = (pairs.fold, pairs.left, pairs.right, pairs.same.astype(np.int64))
        lines.writerows(zip(*(column.tolist() for column in columns), strict=True))


def load(path: Path, faces: int) -> Pairs:
    """Read a csv that `save` wrote; every row must point into a set of `faces` faces."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    try:
        table = np.array(lines[1:], dtype=np.int64).reshape(-1, len(_HEADER))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: four whole numbers a line expected ({error})") from error
    rows = table[:, 1:3]
    if lines[:1] != [_HEADER] or (rows < 0).any() or (rows >= faces).any():
        raise ValueError(f"{path} is damaged: header {','.join(_HEADER)} and rows below {faces} expected")
    return Pairs(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.bool_))
