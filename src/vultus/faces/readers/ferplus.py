"""FER+ (Barsoum et al., 2016): how ten annotators voted on each face of FER2013."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import listed_again

COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",  # no face
)
BY_FILE, BY_ROW = "ferplus_votes.csv", "fer2013new.csv"
Votes = tuple[float, ...]  # ten counts, in the order of COLUMNS


def by_file(folder: Path) -> tuple[dict[str, Votes], list[Skipped]]:
    """Votes by the name of the picture below the folder, and its later rows; none where the folder has no such table.

    A row whose counts are not ten whole numbers is left out. Raises ValueError for a table without the columns.
    """
    found: dict[str, Votes] = {}
    again = []
    for number, row in enumerate(_rows(folder / BY_FILE, "file"), start=2):
        name, votes = row["file"].strip().replace("\\", "/"), _votes(row)
        if name in found:
            other = ["with other votes"] * (found[name] != votes)
            again.append(Skipped(BY_FILE, f"row {number}: {name} is {listed_again(*other)}"))
        elif votes is not None:
            found[name] = votes
    return found, again


def by_row(folder: Path, usages: Sequence[str]) -> list[Votes | None]:
    """Votes of each row of fer2013.csv, whose usages are given; all None where the folder has no such table.

    Raises ValueError where the two tables differ in length or usage: they are joined by their order alone.
    """
    table = folder / BY_ROW
    if not table.is_file():
        return [None] * len(usages)
    rows = _rows(table, "Usage")
    if len(rows) != len(usages):
        raise ValueError(f"{table} has {len(rows)} rows, the faces' table {len(usages)}: equal numbers expected")
    for number, (row, usage) in enumerate(zip(rows, usages, strict=True), start=2):
        if usage and row["Usage"].strip() != usage:
            raise ValueError(
                f"{table}, row {number}: usage {row['Usage']!r}, in the faces' table {usage!r}. The two are joined "
                "row by row: take both as published, neither sorted nor filtered"
            )
    return [_votes(row) for row in rows]


def notes(folder: Path, without: int, faces: int) -> tuple[str, ...]:
    """What the card says of faces without votes, where the folder has a table of them."""
    given = any((folder / name).is_file() for name in (BY_FILE, BY_ROW))
    return (f"{without:,} of {faces:,} faces have no FER+ votes",) if given and without else ()


def _rows(table: Path, key: str) -> list[Mapping[str, str]]:
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.DictReader(file, skipinitialspace=True, restval="")
        missing = [name for name in (key, *COLUMNS) if name not in (lines.fieldnames or ())]
        if missing:
            raise ValueError(f"{table}: expected columns {key}, {', '.join(COLUMNS)}; missing {', '.join(missing)}")
        return list(lines)


def _votes(row: Mapping[str, str]) -> Votes | None:
    counts = [row[name].strip() for name in COLUMNS]
    return tuple(map(float, counts)) if all(map(str.isdecimal, counts)) else None
