"""Frames of YouTube Faces (Wolf et al., 2011) with 68 points, in csv files beside two folders."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers.boxes import marked, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, record, repeats, unlisted
from vultus.faces.record import Label, Record

FOLDERS = {"training": "train", "test": "test"}
PUBLISHED = {"training": 3_462, "test": 770}
_NUMBERS = 136
_MARGIN = 0.2  # the points run from brow to chin
_FRAME = re.compile(r"(.+)_\d+")
LAYOUT = """    SOURCE/training/NAME_12.jpg          frames of people, named by the person and a number
    SOURCE/training_keypoints.csv        image,x0,y0,x1,y1, … x67,y67 in pixels
    SOURCE/test/, SOURCE/test_keypoints.csv"""


def read(src: Path, published_split: bool = False) -> Reading:
    """Read a folder of faces with 68 points. Identity is the name before the last number.

    Its two folders show the same people, so that they make no fair split: the faces get none, and are cut by person
    where they are measured. `published_split` keeps the folders as train and test.
    """
    rows = [(folder, row) for folder in FOLDERS if _list(src, folder).is_file() for row in _rows(_list(src, folder))]
    if not rows:
        raise LayoutError(src, LAYOUT, "neither list found, or both empty")
    paths = [src / folder / row[0] for folder, row in rows]
    counts = differences(Counter(folder for folder, _ in rows), PUBLISHED)
    return Reading(
        records=_records(src, paths, rows, published_split),
        source="frames of YouTube Faces (Wolf et al., 2011) with 68 points",
        licence="research only: the terms of YouTube Faces",
        count=len(rows),
        notes=counts if published_split else (*counts, *_shared(rows)),
    )


def recognises(src: Path) -> bool:
    """Both lists are there."""
    return all(_list(src, folder).is_file() for folder in FOLDERS)


def _list(src: Path, folder: str) -> Path:
    return src / f"{folder}_keypoints.csv"


def _rows(path: Path) -> list[list[str]]:
    """The rows below the header; the published header leaves the column of pictures without a name."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if len(header) != 1 + _NUMBERS:
        raise ValueError(f"{path}: 1 + {_NUMBERS} columns expected (image,x0,y0, …), found {len(header)}")
    return [row for row in rows if row]


def _person(name: str) -> str:
    match = _FRAME.fullmatch(Path(name).stem)
    return match.group(1) if match else ""


def _shared(rows: list[tuple[str, list[str]]]) -> tuple[str, ...]:
    people = [{_person(row[0]) for folder, row in rows if folder == one} - {""} for one in FOLDERS]
    both = people[0] & people[1]
    return (f"{len(both):,} people are in both folders: the published split is not kept",) if both else ()


def _records(
    src: Path, paths: list[Path], rows: list[tuple[str, list[str]]], published_split: bool
) -> Iterator[Record | Skipped]:
    reasons, _ = repeats((path, "", tuple(row[1:])) for path, (_, row) in zip(paths, rows, strict=True))
    for path, (folder, row), reason in zip(paths, rows, reasons, strict=True):
        if reason:
            yield Skipped(name_of(src, path), reason)
            continue
        yield _face(src, path, row, {"split": FOLDERS[folder]} if published_split else {})
    yield from unlisted(src, set(paths))


def _face(src: Path, path: Path, row: list[str], labels: dict[str, Label]) -> Record | Skipped:
    try:
        if len(row) != 1 + _NUMBERS:
            raise ValueError(f"{_NUMBERS} numbers expected, got {len(row) - 1}")
        points = np.array([cell or "nan" for cell in row[1:]], np.float64).reshape(-1, 2)
        landmarks, box = marked(points, side_of(path), _MARGIN)
    except FileNotFoundError:
        return Skipped(name_of(src, path), "no such picture")
    except (OSError, ValueError) as error:
        return Skipped(name_of(src, path), f"cannot be read: {error}")
    return record(src, path, labels=labels | {"identity": _person(path.name), "landmarks": landmarks}, box=box)


READER = Reader(read, recognises, LAYOUT)
