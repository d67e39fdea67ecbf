"""MTFL (Zhang et al., 2014): five points, gender, smile, glasses and a class of head pose."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers.boxes import box_about, fractions, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, record, repeats, unlisted
from vultus.faces.record import Label, Record

LISTS = {"training.txt": "train", "testing.txt": "test"}
PUBLISHED = {"train": 10_000, "test": 2_995}
GENDERS, ANSWERS = ("male", "female"), ("yes", "no")
POSES = ("left profile", "left", "frontal", "right", "right profile")
_WORDS = 15  # path, five x, five y, gender, smile, glasses, pose
_MARGIN = 0.6  # of the points' larger extent, on every side: from forehead to chin
LAYOUT = """    SOURCE/training.txt    path x1 … x5 y1 … y5 gender smile glasses pose, a line
    SOURCE/testing.txt
    SOURCE/AFLW/*.jpg, SOURCE/lfw_5590/*.jpg, SOURCE/net_7876/*.jpg"""


def read(src: Path) -> Reading:
    """Read MTFL: landmarks as fractions of the picture, the face's box from the points' extent."""
    lines = [
        (split, line.split())
        for name, split in LISTS.items()
        if (src / name).is_file()
        for line in (src / name).read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    if not lines:
        raise LayoutError(src, LAYOUT, "neither list found, or both empty")
    reasons, leaks = repeats((_name(words), split, tuple(words[1:])) for split, words in lines)
    return Reading(
        records=_records(src, lines, reasons),
        source="MTFL (Zhang et al., Facial Landmark Detection by Deep Multi-task Learning, 2014)",
        licence="research only, non-commercial: the terms of MTFL and of its sources, AFLW and CUHK",
        count=len(lines),
        notes=(*differences(Counter(split for split, _ in lines), PUBLISHED), *leaks),
    )


def recognises(src: Path) -> bool:
    """Both lists are there."""
    return all((src / name).is_file() for name in LISTS)


def _name(words: list[str]) -> str:
    return words[0].replace("\\", "/")


def _records(src: Path, lines: list[tuple[str, list[str]]], reasons: list[str]) -> Iterator[Record | Skipped]:
    for (split, words), reason in zip(lines, reasons, strict=True):
        yield Skipped(_name(words), reason) if reason else _face(src, split, words)
    yield from unlisted(src, {src / _name(words) for _, words in lines})


def _face(src: Path, split: str, words: list[str]) -> Record | Skipped:
    name = _name(words)
    path = src / name
    try:
        numbers = [float(word) for word in words[1:]]
        if len(words) != _WORDS:
            raise ValueError(f"{_WORDS} words a line expected, got {len(words)}")
        side = side_of(path)
        gender, smile, glasses, pose = (int(number) - 1 for number in numbers[10:])
        points = np.array(numbers[:10]).reshape(2, 5).T
        labels: dict[str, Label] = {
            "split": split,
            "landmarks": fractions(points, side),
            "gender": _one_of(GENDERS, gender),
            "smile": _one_of(ANSWERS, smile),
            "glasses": _one_of(ANSWERS, glasses),
            "pose": _one_of(POSES, pose),
        }
        box = box_about(points, side, _MARGIN)
    except (OSError, ValueError) as error:
        return Skipped(name, f"cannot be read: {error}")
    return record(src, path, labels=labels, box=box)


def _one_of(values: tuple[str, ...], place: int) -> str:
    if not 0 <= place < len(values):
        raise ValueError(f"1 to {len(values)} expected for {' / '.join(values)}, got {place + 1}")
    return values[place]


READER = Reader(read, recognises, LAYOUT)
