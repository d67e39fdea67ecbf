"""A list of pictures in a text or csv file, with labels as columns."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.columns import FIXED
from vultus.faces.readers.reading import LayoutError, Reader, Reading
from vultus.faces.record import TEXTS, Label, Record

LAYOUT = """    faces.txt    one picture's path a line, relative to the file's folder
    faces.csv    a header line with the column path, and one more column a label, such as
                     path,split,expression,age
                     a/1.jpg,train,happy,31
                 an empty cell is an unknown label; numbers apart by spaces are a vector;
                 no label is called name, image or box"""


def read(src: Path) -> Reading:
    """Read the pictures a file lists, in its order; a file that is missing or listed before is skipped and told."""
    if not src.is_file():
        raise LayoutError(src, LAYOUT, "not a list file")
    listed = rows(src, src.read_text(encoding="utf-8-sig"))
    return Reading(
        records=_records(src.parent, listed), source=f"list of pictures {src.name}", licence="", count=len(listed)
    )


def rows(src: Path, text: str) -> list[tuple[str, dict[str, Label]]]:
    """The paths that a list names, as it writes them, and their labels. Raises ValueError, naming `src`."""
    paths, columns = _table(src, text)
    if not paths:
        raise LayoutError(src, LAYOUT, "it lists no picture")
    parsers = {column: _parser(column, cells) for column, cells in columns.items()}
    return [
        (path, {column: parsers[column](cells[row]) for column, cells in columns.items() if cells[row]})
        for row, path in enumerate(paths)
    ]


def recognises(src: Path) -> bool:
    """A text file, or a csv file with a column path."""
    if not src.is_file() or src.suffix.lower() not in (".txt", ".csv"):
        return False
    with src.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return src.suffix.lower() == ".txt" or "path" in [cell.strip() for cell in next(csv.reader(file), [])]


def _table(src: Path, text: str) -> tuple[list[str], dict[str, list[str]]]:
    """The paths, and each label's cells."""
    if src.suffix.lower() != ".csv":
        return [line.strip() for line in text.splitlines() if line.strip()], {}
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if any(line)]
    header = lines[0] if lines else []
    if header.count("path") != 1 or len(set(header)) < len(header) or not all(header):
        raise LayoutError(src, LAYOUT, f"one column path and labels of different names needed, found {header}")
    if taken := [name for name in header if name in FIXED]:  # a face set has columns of its own by these names
        raise LayoutError(src, LAYOUT, f"no label can be called {' or '.join(taken)}: rename the column")
    for line in lines[1:]:
        if len(line) != len(header):
            raise ValueError(f"{src}: {len(header)} cells a line expected, found {len(line)} in {line}")
    columns = {name: [line[place] for line in lines[1:]] for place, name in enumerate(header)}
    return columns.pop("path"), columns


def _parser(column: str, cells: list[str]) -> Callable[[str], Label]:
    """Numbers or vectors where every known cell is one, text otherwise."""
    if column in TEXTS:
        return str
    try:
        widths = {len(_vector(cell)) for cell in cells if cell}
    except ValueError:
        return str
    if widths == {1}:
        return float
    return _vector if len(widths) == 1 and 0 not in widths else str


def _vector(cell: str) -> tuple[float, ...]:
    return tuple(float(word) for word in cell.split())


def _records(folder: Path, listed: list[tuple[str, dict[str, Label]]]) -> Iterator[Record | Skipped]:
    seen: Counter[str] = Counter()
    for path, labels in listed:
        seen[path] += 1
        if seen[path] > 1:
            yield Skipped(f"{path} ({seen[path]})", "listed twice")
            continue
        try:
            yield Record((folder / path).read_bytes(), path, labels)
        except OSError as error:
            yield Skipped(path, f"cannot be read: {error.strerror}")


READER = Reader(read, recognises, LAYOUT)
