"""A list of pictures in a text or csv file, with labels as columns."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
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
    text = src.read_text(encoding="utf-8-sig")
    listed = rows(src, text)
    return Reading(
        records=_records(src.parent, listed),
        source=f"list of pictures {src.name}",
        licence="",
        count=len(listed),
        notes=_notes(src, text),
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
    lines = [line for _, line in _lines(text)]
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


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that are not empty: the number of each, and its cells."""
    reader = csv.reader(text.splitlines())
    return [(reader.line_num, [cell.strip() for cell in line]) for line in reader if any(line)]


def _notes(src: Path, text: str) -> tuple[str, ...]:
    """On columns which a few cells keep from being numbers, and on splits that no task knows."""
    _, columns = _table(src, text)
    numbers = [number for number, _ in _lines(text)[1:]]
    notes = [_mixed(name, cells, numbers) for name, cells in columns.items() if _parser(name, cells) is str]
    splits = Counter(cell for cell in columns.get("split", ()) if cell and cell not in SPLITS)
    notes += [
        f"split: {name!r}, in {count:,} of {len(numbers):,} rows, is none of {', '.join(SPLITS)}{meant(name, SPLITS)}"
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
