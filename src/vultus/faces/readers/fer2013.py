"""FER2013 (Goodfellow et al., 2013): 35,887 grey faces of 48 pixels, seven expressions; folders or csv."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import LayoutError, Reader, Reading, pictures, record
from vultus.faces.record import Record

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # in the csv's order
PUBLISHED = {"train": 28_709, "validation": 3_589, "test": 3_589}
_USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_SIDE = 48
_COLUMNS = ("emotion", "pixels", "Usage")
_CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
LAYOUT = """    SOURCE/train/angry/*.jpg         train, validation (PublicTest) and test (PrivateTest), each with
    SOURCE/validation/happy/*.jpg    the folders angry, disgust, fear, happy, sad, surprise, neutral
    SOURCE/test/neutral/*.jpg
  or the csv file, or its folder:
    SOURCE/fer2013.csv               columns emotion,pixels,Usage (also icml_face_data.csv)"""


def read(src: Path) -> Reading:
    """Read FER2013; PublicTest is the validation split, PrivateTest the test split."""
    table = _csv_of(src)
    if table is not None:
        records, counts = _rows(table), _csv_counts(table)
    elif src.is_dir() and any(_class_folders(src)):
        found = [(split, name, one) for split, name, folder in _class_folders(src) for one in pictures(folder)]
        records, counts = _pictures(src, found), Counter(split for split, _, _ in found)
    else:
        raise LayoutError(src, LAYOUT, "not FER2013")
    return Reading(
        records=records,
        source="FER2013 (Goodfellow et al., Challenges in Representation Learning, 2013)",
        licence="research only, non-commercial: the terms of the FER2013 challenge",
        count=sum(counts.values()),
        notes=_differences(counts),
    )


def recognises(src: Path) -> bool:
    """A csv with the three columns, or class folders below train."""
    table = _csv_of(src)
    if table is not None:
        return set(_COLUMNS) <= set(_header(table))
    return src.is_dir() and any(split == "train" for split, _, _ in _class_folders(src))


def _class_folders(src: Path) -> Iterator[tuple[str, str, Path]]:
    for split in PUBLISHED:
        for name in sorted(EXPRESSIONS):
            if (src / split / name).is_dir():
                yield split, name, src / split / name


def _pictures(src: Path, found: list[tuple[str, str, Path | Skipped]]) -> Iterator[Record | Skipped]:
    for split, expression, one in found:
        if isinstance(one, Skipped):
            yield Skipped(f"{split}/{expression}/{one.name}", one.reason)
        else:
            yield record(src, one, labels={"split": split, "expression": expression})


def _csv_of(src: Path) -> Path | None:
    if src.is_file() and src.suffix.lower() == ".csv":
        return src
    return next((src / name for name in _CSV_NAMES if (src / name).is_file()), None)


def _header(table: Path) -> list[str]:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return [name.strip() for name in next(csv.reader(file), [])]


def _csv_counts(table: Path) -> Counter[str]:
    """Faces a split, by the names of the usages alone."""
    header = _header(table)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise ValueError(
            f"{table}: FER2013 has the columns {', '.join(_COLUMNS)}; missing {', '.join(missing)}, "
            f"found {', '.join(header) or 'an empty file'}"
        )
    with table.open("rb") as file:
        next(file)
        usages = (next((u for u in _USAGES if u.encode() in line), "") for line in file if line.strip())
        return Counter(_USAGES.get(usage, "unknown") for usage in usages)


def _rows(table: Path) -> Iterator[Record | Skipped]:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file)
        header = [name.strip() for name in next(lines)]
        places = [header.index(column) for column in _COLUMNS]
        for number, line in enumerate(lines, start=2):
            if not line:
                continue
            cells = [line[place].strip() if place < len(line) else "" for place in places]
            yield _row(f"{cells[2] or 'row'}_{number:06d}.png", *cells)


def _row(name: str, emotion: str, pixels: str, usage: str) -> Record | Skipped:
    if usage not in _USAGES:
        return Skipped(name, f"Usage is one of {', '.join(_USAGES)}, got {usage!r}")
    if not emotion.isdecimal() or int(emotion) >= len(EXPRESSIONS):
        return Skipped(name, f"emotion is a whole number from 0 to {len(EXPRESSIONS) - 1}, got {emotion!r}")
    try:
        grey = np.array(pixels.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        return Skipped(name, "pixels are not all whole numbers")
    if grey.size != _SIDE * _SIDE or grey.min() < 0 or grey.max() > 255:
        return Skipped(name, f"{_SIDE}×{_SIDE} pixels from 0 to 255 expected, got {grey.size} values")
    _, png = cv2.imencode(".png", grey.astype(np.uint8).reshape(_SIDE, _SIDE))
    labels = {"split": _USAGES[usage], "expression": EXPRESSIONS[int(emotion)]}
    return Record(png.tobytes(), name, labels)


def _differences(counts: Counter[str]) -> tuple[str, ...]:
    """Where a set that looks complete differs from the published counts."""
    if sum(counts.values()) < 0.9 * sum(PUBLISHED.values()):
        return ()
    return tuple(
        f"{split}: {counts[split]:,} faces, published {published:,}"
        for split, published in PUBLISHED.items()
        if counts[split] != published
    )


READER = Reader(read, recognises, LAYOUT)
