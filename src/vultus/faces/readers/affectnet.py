"""AffectNet (Mollahosseini et al., 2017): faces of the web, eight expressions, valence and arousal.

Two layouts: the release of eight classes (a .npy file a label) and the full manual annotation (csv). The authors
never released their test set, so the field measures on the validation set: it is the split `test` here.
Of the full annotation's further classes, faces marked "none" and "uncertain" are kept without an expression, and
those marked "non-face" are left out and counted in the card's notes.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vultus.faces.card import Skipped
from vultus.faces.decode import Box, check_box
from vultus.faces.readers.boxes import fractions, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, is_picture, name_of, record
from vultus.faces.record import Label, Record

EXPRESSIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
PUBLISHED = {"train": 287_651, "test": 3_999}
PUBLISHED_TABLES = {"train": 414_799, "test": 5_500}
_SETS = {"train_set": "train", "val_set": "test"}
_TABLES = {"training.csv": "train", "validation.csv": "test"}
_NON_FACE, _CLASSES = 10, 11  # with 8, none, and 9, uncertain
_UNKNOWN = -2  # valence and arousal where they were not given
_POINTS = 68
_KEY = "subDirectory_filePath"
_BOX = ("face_x", "face_y", "face_width", "face_height")
_COLUMNS = (_KEY, *_BOX, "facial_landmarks", "expression", "valence", "arousal")
_PICTURES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
LAYOUT = """    SOURCE/train_set/images/0.jpg                and val_set, the release of eight classes
    SOURCE/train_set/annotations/0_exp.npy       also 0_val.npy, 0_aro.npy, 0_lnd.npy
  or the full manual annotation:
    SOURCE/training.csv, SOURCE/validation.csv   subDirectory_filePath,face_x,…,valence,arousal
    SOURCE/Manually_Annotated_Images/1/*.jpg     (the lists also in Manually_Annotated_file_lists/)"""


def read(src: Path) -> Reading:
    """Read AffectNet in either layout; landmarks as fractions of the picture, the csv's box as the face's."""
    tables, sets = _tables(src), _sets(src)
    if tables and _root(src) is not None:
        counts, empty = _counts(tables)
        count, notes = sum(counts.values()) - empty, differences(counts, PUBLISHED_TABLES)
        if empty:
            notes = (*notes, f"{empty:,} pictures left out: annotated as showing no face")
        records: Iterator[Record | Skipped] = _listed(src, tables)
    elif sets:
        counts = Counter({_SETS[name]: len(_stems(src / name)) for name in sets})
        count, notes = sum(counts.values()), differences(counts, PUBLISHED)
        records = _annotated(src, sets)
    else:
        raise LayoutError(src, LAYOUT, "neither of the two layouts")
    return Reading(
        records=records,
        source="AffectNet (Mollahosseini et al., AffectNet: A Database for Facial Expression, Valence, Arousal, 2017)",
        licence="research only, non-commercial: the terms of AffectNet",
        count=count,
        notes=notes,
    )


def recognises(src: Path) -> bool:
    """Both parts of a set folder, or a list with the annotation's columns beside the pictures."""
    if not src.is_dir():
        return False
    return bool(_sets(src)) or (_root(src) is not None and any(_KEY in _header(path) for path in _tables(src)))


def _sets(src: Path) -> list[str]:
    return [name for name in _SETS if all((src / name / part).is_dir() for part in ("images", "annotations"))]


def _tables(src: Path) -> dict[Path, str]:
    places = (
        (src / folder / name, split)
        for folder in ("", "Manually_Annotated_file_lists")
        for name, split in _TABLES.items()
    )
    return {path: split for path, split in places if path.is_file()}


def _root(src: Path) -> Path | None:
    return next((src / name for name in _PICTURES if (src / name).is_dir()), None)


def _stems(folder: Path) -> list[str]:
    """The names of a set's pictures and expressions without their endings, numbers in their order."""
    named = {path.stem for path in (folder / "images").iterdir() if is_picture(path)}
    named |= {path.name.removesuffix("_exp.npy") for path in (folder / "annotations").glob("*_exp.npy")}
    return sorted(named, key=lambda stem: (len(stem), stem))


def _annotated(src: Path, sets: list[str]) -> Iterator[Record | Skipped]:
    for name in sets:
        for stem in _stems(src / name):
            picture, notes = src / name / "images" / f"{stem}.jpg", src / name / "annotations"
            try:
                expression = _value(notes / f"{stem}_exp.npy")
                if expression is None:
                    raise ValueError(f"no {stem}_exp.npy for it")
                labels = _labels(
                    _SETS[name], expression, _value(notes / f"{stem}_val.npy"), _value(notes / f"{stem}_aro.npy")
                )
                labels |= _landmarks(_array(notes / f"{stem}_lnd.npy"), side_of(picture))
            except (OSError, ValueError) as error:
                yield Skipped(name_of(src, picture), f"cannot be read: {error}")
                continue
            yield record(src, picture, labels=labels)


def _array(path: Path) -> npt.NDArray[np.float64] | None:
    """Numbers of a .npy file (the release stores some as text), None where there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        numbers = np.lib.format.read_array(file, allow_pickle=False)
    return np.asarray(numbers.astype(np.float64).ravel())


def _value(path: Path) -> float | None:
    array = _array(path)
    if array is not None and array.size != 1:
        raise ValueError(f"{path.name}: one number expected, got {array.size}")
    return None if array is None else float(array[0])


def _labels(split: str, expression: float, valence: float | None, arousal: float | None) -> dict[str, Label]:
    """Raises ValueError for a label out of its range."""
    if expression not in range(_CLASSES):
        raise ValueError(f"expression is a whole number from 0 to {_CLASSES - 1}, got {expression:g}")
    labels: dict[str, Label] = {"split": split}
    if expression < len(EXPRESSIONS):
        labels["expression"] = EXPRESSIONS[int(expression)]
    for name, value in (("valence", valence), ("arousal", arousal)):
        if value is None or value == _UNKNOWN:
            continue
        if not -1 <= value <= 1:
            raise ValueError(f"{name} lies between -1 and 1 (-2 where unknown), got {value:g}")
        labels[name] = value
    return labels


def _landmarks(numbers: npt.NDArray[np.float64] | None, side: npt.NDArray[np.float64]) -> dict[str, Label]:
    if numbers is None:
        return {}
    if numbers.size != 2 * _POINTS or not np.isfinite(numbers).all():
        raise ValueError(
            f"landmarks are {2 * _POINTS} numbers, got {np.isfinite(numbers).sum()} of {numbers.size} finite"
        )
    return {"landmarks": fractions(numbers.reshape(-1, 2), side)}


def _header(table: Path) -> list[str]:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), [])


def _rows(table: Path) -> Iterator[dict[str, str]]:
    missing = [name for name in _COLUMNS if name not in _header(table)]
    if missing:
        raise ValueError(f"{table}: expected columns {', '.join(_COLUMNS)}; missing {', '.join(missing)}")
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        yield from csv.DictReader(file, restval="")


def _counts(tables: dict[Path, str]) -> tuple[Counter[str], int]:
    """Rows a split, and how many of all show no face."""
    counts: Counter[str] = Counter()
    empty = 0
    for table, split in tables.items():
        for row in _rows(table):
            counts[split] += 1
            empty += row["expression"] == str(_NON_FACE)
    return counts, empty


def _listed(src: Path, tables: dict[Path, str]) -> Iterator[Record | Skipped]:
    root = _root(src) or src
    seen = set()
    for table, split in tables.items():
        for row in _rows(table):
            if row["expression"] == str(_NON_FACE):
                continue
            picture = root / row[_KEY]
            try:
                if picture in seen:
                    raise ValueError(f"{table.name} lists it a second time")
                seen.add(picture)
                labels = _labels(split, *(float(row[name]) for name in ("expression", "valence", "arousal")))
                side = side_of(picture)
                points = np.array(row["facial_landmarks"].split(";"), np.float64)
                labels |= _landmarks(points, side)
                box = _box(row, side)
            except (OSError, ValueError) as error:
                yield Skipped(row[_KEY] or table.name, f"cannot be read: {error}")
                continue
            yield record(src, picture, labels=labels, box=box)


def _box(row: dict[str, str], side: npt.NDArray[np.float64]) -> Box:
    left, top, width, height = (float(row[name]) for name in _BOX)
    (across, down) = side.tolist()
    box = (left / across, top / down, (left + width) / across, (top + height) / down)
    check_box(box)
    return box


READER = Reader(read, recognises, LAYOUT)
