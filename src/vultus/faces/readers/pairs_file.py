"""Any list of verification pairs, and the pictures it names."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.pairs import NamedPair
from vultus.faces.readers.reading import LayoutError, Reader, Reading, is_picture, name_of, record
from vultus.faces.record import Record

FOLDS = 10  # where the list does not say
_NAMES = ("pairs.csv", "pairs.txt")
_COLUMNS = ("left", "right", "same", "fold")
LAYOUT = """    SOURCE/pairs.csv    left,right,same,fold    two pictures' paths below SOURCE, 1 (one person) or 0,
                        a/1.jpg,b/7.jpg,0,3     and the fold it is measured in, which may be left out
    SOURCE/pairs.txt    or the same apart by blanks; the line of names may be left out in both
    SOURCE/**/*.jpg
  SOURCE may also be the list itself"""


def read(src: Path) -> Reading:
    """Read the pictures that the pairs name, in the order in which they come.

    Without a column fold the pairs are dealt to ten, in their order, same and different apart; nothing then keeps
    a person out of two folds. Raises ValueError naming the row that cannot be read.
    """
    table = _list_of(src)
    if table is None or not (rows := _rows(table)):
        raise LayoutError(src, LAYOUT, "no list of pairs, or an empty one")
    pairs = _pairs(table, rows)
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.left, pair.right)))
    dealt = len(rows[0]) == len(_COLUMNS) - 1
    return Reading(
        records=_records(table.parent, names),
        source=f"verification pairs {table.name} of {table.resolve().parent.name}",
        licence="",
        count=len(names),
        pairs=tuple(pairs),
        notes=(f"{table.name} has no folds: dealt to {FOLDS} in its order",) if dealt else (),
    )


def recognises(src: Path) -> bool:
    """A list whose first row is two pictures and 1 or 0."""
    table = _list_of(src)
    if table is None or table.suffix.lower() not in (".csv", ".txt"):
        return False
    try:
        rows = _rows(table, 2)
    except ValueError:
        return False
    return bool(rows) and all(is_picture(Path(name)) for name in rows[0][:2]) and rows[0][2] in ("0", "1")


def deal(same: Sequence[bool], folds: int = FOLDS) -> list[int]:
    """A fold for each pair, from 0: the same pairs in equal runs of their order, and so the different ones."""
    total = {kind: same.count(kind) for kind in (True, False)}
    place = {True: 0, False: 0}
    dealt = []
    for kind in same:
        dealt.append(place[kind] * folds // total[kind])
        place[kind] += 1
    return dealt


def _list_of(src: Path) -> Path | None:
    if src.is_file():
        return src
    return next((src / name for name in _NAMES if (src / name).is_file()), None)


def _rows(table: Path, first: int | None = None) -> list[list[str]]:
    """Left, right, same and perhaps fold of each pair (or of the first lines only). Raises ValueError."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line, _ in zip(file, range(first), strict=False)] if first else file.readlines()
    split = csv.reader(lines, skipinitialspace=True) if "," in "".join(lines[:1]) else map(str.split, lines)
    try:
        rows = [[cell.strip() for cell in row] for row in split if any(row)]
    except csv.Error as error:
        raise ValueError(f"{table} cannot be read: {error}") from error
    head = [cell.lower() for cell in rows[0]] if rows else []
    if set(_COLUMNS[:3]) <= set(head):
        order = [head.index(name) for name in _COLUMNS if name in head]
        rows = [[row[place] for place in order] if len(row) == len(head) else row[:1] for row in rows[1:]]
    for number, row in enumerate(rows, start=1):
        if len(row) not in (3, 4) or len(row) != len(rows[0]):
            raise ValueError(f"{table}, pair {number}: left, right, same and perhaps fold expected, the same in all")
    return rows


def _pairs(table: Path, rows: Sequence[Sequence[str]]) -> list[NamedPair]:
    root = table.parent
    for number, row in enumerate(rows, start=1):
        if row[2] not in ("0", "1") or not "".join(row[3:] or "0").isdecimal():
            raise ValueError(f"{table}, pair {number}: same is 1 or 0 and a fold is a whole number; got {row[2:]}")
        if any(Path(name).is_absolute() for name in row[:2]):
            raise ValueError(f"{table}, pair {number}: paths below its folder expected, got {row[:2]}")
    same = [row[2] == "1" for row in rows]
    folds = deal(same) if len(rows[0]) == 3 else _ranked([int(row[3]) for row in rows])
    lefts, rights = ([name_of(root, root / row[side].replace("\\", "/")) for row in rows] for side in (0, 1))
    return [NamedPair(*pair) for pair in zip(folds, lefts, rights, same, strict=True)]


def _ranked(folds: list[int]) -> list[int]:
    """Folds counted from 0, whatever the list counts from."""
    places = {fold: place for place, fold in enumerate(sorted(set(folds)))}
    return [places[fold] for fold in folds]


def _records(root: Path, names: Sequence[str]) -> Iterator[Record | Skipped]:
    for name in names:
        yield record(root, root / name)


READER = Reader(read, recognises, LAYOUT)
