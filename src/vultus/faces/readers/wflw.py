"""WFLW (Wu et al., 2018): 98 points and six attributes that make faces hard."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers.boxes import box_about, fractions, side_of
from vultus.faces.readers.reading import (
    LayoutError,
    Reader,
    Reading,
    across,
    differences,
    record,
    repeats,
    unlisted,
)
from vultus.faces.record import Label, Record, numbered

PUBLISHED = {"train": 7_500, "test": 2_500}
# the readme's names pose and expression would be taken for classes of them
ATTRIBUTES = ("large_pose", "exaggerated_expression", "extreme_illumination", "make_up", "occlusion", "blur")
ANSWERS = {"0": "no", "1": "yes"}
_COORDINATES, _RECT = 196, 4
_WORDS = _COORDINATES + _RECT + len(ATTRIBUTES) + 1
_MARGIN = 0.1  # the rectangles lie close to the face
_LISTS = "WFLW_annotations/list_98pt_rect_attr_train_test"
_IMAGES = "WFLW_images"
LAYOUT = f"""    SOURCE/{_LISTS}/list_98pt_rect_attr_train.txt
    SOURCE/{_LISTS}/list_98pt_rect_attr_test.txt
                         98 times x y, x y of the rectangle's corners, six attributes (0 or 1), picture; a face a line
    SOURCE/{_IMAGES}/0--Parade/*.jpg"""


def read(src: Path) -> Reading:
    """Read WFLW: landmarks, the box about the annotated rectangle, the attributes as yes and no.

    A picture may show several of the faces, which their points and rectangles tell apart.
    """
    rows = [
        (split, line.split())
        for split in PUBLISHED
        if _list(src, split).is_file()
        for line in _list(src, split).read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    if not rows or not (src / _IMAGES).is_dir():
        raise LayoutError(src, LAYOUT, "no list of faces" if not rows else f"no folder {_IMAGES}")
    reasons, leaks = repeats(_parts(split, words) for split, words in rows)
    kept = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
    return Reading(
        records=_records(src, rows, reasons),
        source="WFLW (Wu et al., Look at Boundary: A Boundary-Aware Face Alignment Algorithm, 2018)",
        licence="research only, non-commercial: the terms of WFLW and of WIDER FACE",
        count=len(rows),
        notes=(
            *differences(Counter(split for split, _ in rows), PUBLISHED),
            *leaks,
            *across((words[-1], split) for split, words in kept),
        ),
    )


def recognises(src: Path) -> bool:
    """One of its lists is there."""
    return any(_list(src, split).is_file() for split in PUBLISHED)


def _list(src: Path, split: str) -> Path:
    return src / _LISTS / f"list_98pt_rect_attr_{split}.txt"


def _parts(split: str, words: list[str]) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Of a row the face, the split and the labels."""
    place, labels = words[: _COORDINATES + _RECT], words[_COORDINATES + _RECT : -1]
    return (words[-1], *place), split, tuple(labels)


def _records(src: Path, rows: list[tuple[str, list[str]]], reasons: list[str]) -> Iterator[Record | Skipped]:
    names = numbered(f"{_IMAGES}/{words[-1]}" for _, words in rows)
    for name, (split, words), reason in zip(names, rows, reasons, strict=True):
        yield Skipped(name, reason) if reason else _face(src, name, split, words)
    yield from unlisted(src / _IMAGES, {src / _IMAGES / words[-1] for _, words in rows})


def _face(src: Path, name: str, split: str, words: list[str]) -> Record | Skipped:
    path = src / _IMAGES / words[-1]
    try:
        if len(words) != _WORDS:
            raise ValueError(f"{_WORDS} words a line expected, got {len(words)}")
        numbers = np.array(words[: _COORDINATES + _RECT], np.float64).reshape(-1, 2)
        answers = words[_COORDINATES + _RECT : -1]
        if not np.isfinite(numbers).all() or not set(answers) <= set(ANSWERS):
            raise ValueError("finite coordinates and attributes of 0 or 1 expected")
        side = side_of(path)
        labels: dict[str, Label] = {"split": split, "landmarks": fractions(numbers[:-2], side)}
        labels |= {label: ANSWERS[answer] for label, answer in zip(ATTRIBUTES, answers, strict=True)}
        box = box_about(numbers[-2:], side, _MARGIN)
    except FileNotFoundError:
        return Skipped(name, "no such picture")
    except (OSError, ValueError) as error:
        return Skipped(name, f"cannot be read: {error}")
    return record(src, path, name, labels=labels, box=box)


READER = Reader(read, recognises, LAYOUT)
