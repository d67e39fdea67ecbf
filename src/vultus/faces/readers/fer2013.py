"""FER2013 (Goodfellow et al., 2013): 35,887 grey faces of 48 pixels, seven expressions; folders or csv.

Where the votes of FER+ lie beside it, each face has them as `votes` (`ferplus.COLUMNS` names the ten counts);
`expression` remains that of FER2013.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers import ferplus
from vultus.faces.readers.ferplus import Votes
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # in the csv's order
PUBLISHED = {"train": 28_709, "validation": 3_589, "test": 3_589}
_USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_SIDE = 48
_COLUMNS = ("emotion", "pixels", "Usage")
_CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
LAYOUT = """    SOURCE/train/angry/*.jpg         train, validation (PublicTest) and test (PrivateTest), each with
    SOURCE/validation/happy/*.jpg    the folders angry, disgust, fear, happy, sad, surprise, neutral
    SOURCE/test/neutral/*.jpg
    SOURCE/ferplus_votes.csv         optional: file,neutral,happiness,…,NF, the file below SOURCE
  or the csv file, or its folder:
    SOURCE/fer2013.csv               columns emotion,pixels,Usage (also icml_face_data.csv)
    SOURCE/fer2013new.csv            optional: the votes of FER+, in the same order"""


def read(src: Path) -> Reading:
    """Read FER2013; PublicTest is the validation split, PrivateTest the test split."""
    table = _csv_of(src)
    if table is not None:
        usages = _usages(table)
        listed = ferplus.by_row(table.parent, usages)
        counts = Counter(_USAGES.get(usage, "unknown") for usage in usages)
        records, note = _rows(table, listed), ferplus.notes(table.parent, listed.count(None), len(usages))
    elif src.is_dir() and any(_class_folders(src)):
        found = [(split, name, one) for split, name, folder in _class_folders(src) for one in pictures(folder)]
        named, again = ferplus.by_file(src)
        counts = Counter(split for split, _, _ in found)
        without = sum(isinstance(one, Path) and name_of(src, one) not in named for _, _, one in found)
        records, note = _pictures(src, found, named, again), ferplus.notes(src, without, len(found))
    else:
        raise LayoutError(src, LAYOUT, "not FER2013")
    return Reading(
        records=records,
        source="FER2013 (Goodfellow et al., Challenges in Representation Learning, 2013)",
        licence="research only, non-commercial: the terms of the FER2013 challenge",
        count=sum(counts.values()),
        notes=(*differences(counts, PUBLISHED), *note),
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


def _pictures(
    src: Path, found: list[tuple[str, str, Path | Skipped]], votes: Mapping[str, Votes], again: list[Skipped]
) -> Iterator[Record | Skipped]:
    yield from again
    names = set()
    for split, expression, one in found:
        if isinstance(one, Skipped):
            yield Skipped(f"{split}/{expression}/{one.name}", one.reason)
            continue
        names.add(name := name_of(src, one))
        yield record(src, one, labels=_labels(split, expression, votes.get(name)))
    for name in votes:
        if name not in names:
            yield Skipped(name, f"{ferplus.BY_FILE} lists it, and there is no such picture")


def _labels(split: str, expression: str, votes: Votes | None) -> dict[str, Label]:
    labels: dict[str, Label] = {"split": split, "expression": expression}
    return labels if votes is None else labels | {"votes": votes}


def _csv_of(src: Path) -> Path | None:
    if src.is_file() and src.suffix.lower() == ".csv":
        return src
    return next((src / name for name in _CSV_NAMES if (src / name).is_file()), None)


def _header(table: Path) -> list[str]:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return [name.strip() for name in next(csv.reader(file), [])]


def _usages(table: Path) -> list[str]:
    """The usage each row names, "" where none is known."""
    header = _header(table)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise ValueError(
            f"{table}: FER2013 has the columns {', '.join(_COLUMNS)}; missing {', '.join(missing)}, "
            f"found {', '.join(header) or 'an empty file'}"
        )
    with table.open("rb") as file:
        next(file)
        return [next((u for u in _USAGES if u.encode() in line), "") for line in file if line.strip(b"\r\n")]


def _rows(table: Path, votes: Sequence[Votes | None]) -> Iterator[Record | Skipped]:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file)
        header = [name.strip() for name in next(lines)]
        places = [header.index(column) for column in _COLUMNS]
        for number, line in enumerate(filter(None, lines)):
            cells = [line[place].strip() if place < len(line) else "" for place in places]
            yield _row(f"{cells[2] or 'row'}_{number + 2:06d}.png", *cells, votes=votes[number])


def _row(name: str, emotion: str, pixels: str, usage: str, *, votes: Votes | None) -> Record | Skipped:
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
    return Record(png.tobytes(), name, _labels(_USAGES[usage], EXPRESSIONS[int(emotion)], votes))


READER = Reader(read, recognises, LAYOUT)
