"""The sequences of CK+ and what is known of each, from either of its two layouts."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import name_of, pictures, subfolders

EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")  # numbered from 0
_SHARED = {"anger": "angry", "sadness": "sad"}  # where the shared vocabulary has another word
_NAME = re.compile(r"((S\d{3})_\d{3})_\d{8}")
_CODES = "action_units.csv"
_LAST_UNIT = 45  # higher codes are of head, eyes and visibility
Units = Mapping[int, float]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Sequence:
    """One subject's way to one peak."""

    name: str  # S005_001
    pictures: list[Path]  # in time
    peak: str  # the peak's name without its ending
    expression: str  # '' if not known
    units: Units | None  # at the peak, 0 or 1

    @property
    def subject(self) -> str:
        return self.name[:4]


@dataclass(frozen=True)
class Found:
    """A source's sequences, and what in it belongs to none."""

    sequences: list[Sequence]
    skipped: list[Skipped]
    landmarks: Path | None = None  # the folder of the published landmarks


def images(src: Path) -> Path | None:
    """The published folder of pictures."""
    return _part(src, "cohn-kanade-images")


def folders(src: Path) -> list[str]:
    """Folders of cropped faces, named after emotions."""
    return [name for name in subfolders(src) if name in EMOTIONS] if src.is_dir() else []


def are_crops(src: Path) -> bool:
    """Whether the first picture in every folder of an emotion is named as a frame of CK+."""
    first = [next(pictures(src / name), None) for name in folders(src)]
    named = [isinstance(one, Path) and bool(_NAME.fullmatch(one.stem)) for one in first if one is not None]
    return bool(named) and all(named)


def crops(src: Path) -> Found:
    """The copy of cropped faces; a picture in a folder that its row contradicts belongs to no sequence."""
    codes, skipped = _table(src / _CODES)
    found = []
    listed = set()
    for emotion in folders(src):
        for name, frames in _sequences(src, src / emotion, skipped).items():
            units, told = codes.get(name, (None, emotion))
            listed.add(name)
            if told != emotion:
                skipped += [Skipped(name_of(src, frame), f"{_CODES} calls its sequence {told!r}") for frame in frames]
            else:
                found.append(Sequence(name, frames, frames[-1].stem, _SHARED.get(emotion, emotion), units))
    skipped += [Skipped(name, f"{_CODES} lists it, and it has no picture") for name in codes if name not in listed]
    return Found(found, skipped)


def published(src: Path) -> Found:
    """The published layout. A label file's name tells the peak frame."""
    skipped: list[Skipped] = []
    frames = _sequences(src, images(src) or src, skipped)
    coded = _labelled(_part(src, "FACS"), "facs", _units, skipped)
    felt = _labelled(_part(src, "Emotion"), "emotion", _emotion, skipped)
    every = sorted({unit for _, units in coded.values() for unit in units})
    found = []
    for name, paths in frames.items():
        peaks = [told[name][0] for told in (coded, felt) if name in told]
        peak = peaks[0] if peaks else paths[-1].stem
        if all(path.stem != peak for path in paths):
            skipped.append(Skipped(peak, "its labels call it the peak, and there is no such picture"))
        units = {unit: float(unit in coded[name][1]) for unit in every} if name in coded else None
        found.append(Sequence(name, paths, peak, felt[name][1] if name in felt else "", units))
    orphans = sorted({*coded, *felt} - {*frames})
    skipped += [Skipped(name, "it has labels, and no picture") for name in orphans]
    return Found(found, skipped, _part(src, "Landmarks"))


def _part(src: Path, name: str) -> Path | None:
    """A part of the published set, as it is or in the folder that its archive made."""
    places = (src / name, *sorted(src.glob(f"*/{name}"))) if src.is_dir() else ()
    return next((place for place in places if place.is_dir()), None)


def _sequences(src: Path, root: Path, skipped: list[Skipped]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for one in pictures(root):
        match = _NAME.fullmatch(one.stem) if isinstance(one, Path) else None
        if isinstance(one, Skipped):
            skipped.append(one)
        elif match is None:
            skipped.append(Skipped(name_of(src, one), "not named S005_001_00000011: subject, sequence, frame"))
        else:
            found[match[1]].append(one)
    return {name: sorted(paths, key=lambda path: path.stem) for name, paths in found.items()}


def _table(table: Path) -> tuple[dict[str, tuple[Units, str]], list[Skipped]]:
    """Action units and emotion by sequence, and the rows that cannot be read; empty where there is no table."""
    found: dict[str, tuple[Units, str]] = {}
    faulty: list[Skipped] = []
    if not table.is_file():
        return found, faulty
    with table.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file, restval=""):
            name, told = row.get("video", ""), row.get("emotion", "")
            cells = {int(column[2:]): cell for column, cell in row.items() if re.fullmatch(r"AU\d+", column or "")}
            if name in found or told not in EMOTIONS or not cells or not set(cells.values()) <= {"0", "1"}:
                faulty.append(Skipped(name, f"{_CODES}: one row a video, an emotion, and 0 or 1 for each AU expected"))
            else:
                found[name] = {unit: float(cell) for unit, cell in cells.items()}, told
    return found, faulty


def _labelled(
    folder: Path | None, kind: str, parse: Callable[[Path], Value], skipped: list[Skipped]
) -> dict[str, tuple[str, Value]]:
    """By sequence, the peak's name and the label of its file."""
    found: dict[str, tuple[str, Value]] = {}
    for path in sorted(folder.rglob(f"*_{kind}.txt")) if folder else ():
        peak = path.stem.removesuffix(f"_{kind}")
        match = _NAME.fullmatch(peak)
        try:
            if match is None:
                raise ValueError("not named after a frame")
            if match[1] in found:
                raise ValueError(f"{match[1]} has another such file, which counts: that of {found[match[1]][0]}")
            found[match[1]] = peak, parse(path)
        except (OSError, ValueError) as error:
            skipped.append(Skipped(path.name, f"cannot be read: {error}"))
    return found


def _units(path: Path) -> set[int]:
    """The units of a file of lines `unit grade`, the grade 0 where it was not given."""
    numbers = [[float(word) for word in line.split()] for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in numbers if row]
    if any(len(row) != 2 or row[0] % 1 or row[0] < 1 or not 0 <= row[1] <= 5 for row in rows):
        raise ValueError("an action unit and its grade from 0 to 5 a line expected")
    return {int(unit) for unit, _ in rows if unit <= _LAST_UNIT}


def _emotion(path: Path) -> str:
    words = path.read_text(encoding="utf-8").split()
    numbers = [float(word) for word in words]
    if len(numbers) != 1 or numbers[0] not in range(len(EMOTIONS)):
        raise ValueError(f"one number from 0 to {len(EMOTIONS) - 1} expected, got {' '.join(words) or 'nothing'!r}")
    emotion = EMOTIONS[int(numbers[0])]
    return _SHARED.get(emotion, emotion)
