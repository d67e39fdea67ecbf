"""A list of pictures in a text or csv file, with labels as columns."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.columns import FIXED
from vultus.faces.readers.reading import LayoutError, Reader, Reading
from vultus.faces.record import TEXTS, Label, Record
from vultus.meant import meant

SPLITS = ("train", "validation", "test")

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
    table = _table(src, src.read_text(encoding="utf-8-sig"))
    return Reading(
        records=_records(src.parent, _rows(table)),
        source=f"list of pictures {src.name}",
        licence="",
        count=len(table.paths),
        notes=_notes(table),
    )


def rows(src: Path, text: str) -> list[tuple[str, dict[str, Label]]]:
    """The paths that a list names, as it writes them, and their labels. Raises ValueError, naming `src`."""
    return _rows(_table(src, text))


def recognises(src: Path) -> bool:
    """A text file, or a csv file with a column path."""
    if not src.is_file() or src.suffix.lower() not in (".txt", ".csv"):
        return False
    with src.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return src.suffix.lower() == ".txt" or "path" in [cell.strip() for cell in next(csv.reader(file), [])]


@dataclass(frozen=True)
class _Table:
    """The paths, each label's cells, and what makes labels of them; numbers: of each path's line, of a csv file."""

    paths: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    parsers: dict[str, Callable[[str], Label]] = field(default_factory=dict)


def _table(src: Path, text: str) -> _Table:
    """Raises LayoutError, naming `src`, for a list without pictures or with columns that no set can have."""
    if src.suffix.lower() == ".csv":
        table = _csv(src, text)
    else:
        table = _Table([line.strip() for line in text.splitlines() if line.strip()])
    if not table.paths:
        raise LayoutError(src, LAYOUT, "it lists no picture")
    return table


def _rows(table: _Table) -> list[tuple[str, dict[str, Label]]]:
    return [
        (path, {name: table.parsers[name](cells[row]) for name, cells in table.columns.items() if cells[row]})
        for row, path in enumerate(table.paths)
    ]


def _csv(src: Path, text: str) -> _Table:
    reader = csv.reader(text.splitlines())
    numbered = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if any(line)]
    lines = [line for _, line in numbered]
    header = lines[0] if lines else []
    if header.count("path") != 1 or len(set(header)) < len(header) or not all(header):
        raise LayoutError(src, LAYOUT, f"one column path and labels of different names needed, found {header}")
    if taken := [name for name in header if name in FIXED]:  # a face set has columns of its own by these names
        raise LayoutError(src, LAYOUT, f"no label can be called {' or '.join(taken)}: rename the column")
    for line in lines[1:]:
        if len(line) != len(header):
            raise ValueError(f"{src}: {len(header)} cells a line expected, found {len(line)} in {line}")
    columns = {name: [line[place] for line in lines[1:]] for place, name in enumerate(header)}
    paths, numbers = columns.pop("path"), [number for number, _ in numbered[1:]]
    return _Table(paths, columns, numbers, {name: _parser(name, cells) for name, cells in columns.items()})


def _notes(table: _Table) -> tuple[str, ...]:
    """On columns which a few cells keep from being numbers, and on splits that no task knows."""
    texts = [name for name, parser in table.parsers.items() if parser is str]
    notes = [_mixed(name, table.columns[name], table.numbers) for name in texts]
    splits = Counter(cell for cell in table.columns.get("split", ()) if cell and cell not in SPLITS)
    known, rows_in_all = ", ".join(SPLITS), len(table.paths)
    notes += [
        f"split: {name!r}, in {count:,} of {rows_in_all:,} rows, is none of {known}{meant(name, SPLITS)}"
        for name, count in splits.items()
    ]
    return tuple(filter(None, notes))


def _mixed(column: str, cells: list[str], numbers: list[int]) -> str:
    """That most cells of a column of texts are as many numbers, and which is the first that is not; "" otherwise."""
    if column in TEXTS:
        return ""
    known = [(number, cell, _width(cell)) for number, cell in zip(numbers, cells, strict=True) if cell]
    (width, good), *_ = Counter(width for _, _, width in known).most_common(1) or [(0, 0)]
    if not width or 2 * good <= len(known):
        return ""
    line, other = next((number, cell) for number, cell, own in known if own != width)
    told = "numbers" if width == 1 else f"{width} numbers"
    return f"{column}: {good:,} of {len(known):,} cells are {told}, first other {other!r} in line {line}; kept as text"


def _width(cell: str) -> int:
    """How many numbers a cell holds; 0 for a text."""
    try:
        return len(_vector(cell))
    except ValueError:
        return 0


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
