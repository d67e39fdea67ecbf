"""DISFA (Mavadati et al., 2013): 27 subjects watching a film, twelve action units coded in every frame.

A unit's label is its intensity from 0 to 5 divided by 5. The protocol counts an intensity of 2 or more as present:
0.4 here. It reads eight of the units, 1, 2, 4, 6, 9, 12, 25 and 26, in three folds of nine subjects; the data set
does not say which, so the sorted subjects are dealt in turn. The published landmarks are of the left camera.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.readers import matlab, video
from vultus.faces.readers.boxes import Floats, marked, side_of
from vultus.faces.readers.reading import (
    LayoutError,
    Reader,
    Reading,
    differences,
    listed_again,
    name_of,
    pictures,
    record,
    subfolders,
    subject_folds,
)
from vultus.faces.record import Label, Record

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
FOLDS = 3
PUBLISHED = {"subjects": 27}
_HIGHEST = 5
_POINTS = 66
_MARGIN = 0.2  # the points run along jaw and brows
_VIDEO = re.compile(r"(?:Left|Right)Video(SN\d{3})_comp", re.IGNORECASE)
LAYOUT = """    SOURCE/ActionUnit_Labels/SN001/SN001_au1.txt    frame,intensity a line; units 1, 2, 4, 5, …, 26
    SOURCE/Videos_LeftCamera/LeftVideoSN001_comp.avi    (or Video_LeftCamera; RightCamera likewise)
    SOURCE/Landmark_Points/SN001/tmp_frame_lm/SN001_0000_lm.mat    optional: pts (66×2), left camera
  or frames taken out of the videos:
    SOURCE/Images/SN001/1.jpg                       the last number in the name is the frame's"""
Codes = Mapping[int, Mapping[str, float]]  # by frame, counted from 1: intensities by unit


@dataclass(frozen=True)
class _Source:
    """Where the frames are: a video or a folder of pictures by subject."""

    root: Path
    frames: Mapping[str, Path]
    points: Path | None  # the folder of landmarks, where they fit these frames
    every: int


def read(src: Path, every: int = 1, camera: Literal["left", "right"] = "left") -> Reading:
    """Read DISFA: one frame in `every`, of one camera; extracted frames are taken before videos."""
    video.check_every(every)
    if camera not in ("left", "right"):
        raise ValueError(f"camera is left or right, got {camera!r}")
    frames = _frames(src, camera)
    if not frames or not (src / "ActionUnit_Labels").is_dir():
        raise LayoutError(src, LAYOUT, f"no ActionUnit_Labels, or neither pictures nor videos of the {camera} camera")
    landmarks = src / "Landmark_Points"
    source = _Source(src, frames, landmarks if camera == "left" and landmarks.is_dir() else None, every)
    subjects = [name for name in subfolders(src / "ActionUnit_Labels") if name in frames]
    return Reading(
        records=_records(source),
        source="DISFA (Mavadati et al., DISFA: A Spontaneous Facial Action Intensity Database, 2013)",
        licence="research only, non-commercial: the terms of DISFA",
        notes=differences({"subjects": len(subjects)}, PUBLISHED),
    )


def recognises(src: Path) -> bool:
    """The folder of labels, with files such as SN001_au1.txt."""
    return next((src / "ActionUnit_Labels").glob("SN*/SN*_au*.txt"), None) is not None


def _frames(src: Path, camera: str) -> dict[str, Path]:
    """The video or folder of frames of each subject."""
    if (src / "Images").is_dir():
        return {name: src / "Images" / name for name in subfolders(src / "Images")}
    side = camera.capitalize()
    folders = [src / f"{word}_{side}Camera" for word in ("Videos", "Video")]
    paths = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())
    return {match[1].upper(): path for path in paths if (match := _VIDEO.fullmatch(path.stem))}


def _records(source: _Source) -> Iterator[Record | Skipped]:
    labels = source.root / "ActionUnit_Labels"
    subjects = subfolders(labels)
    folds = subject_folds(subjects, FOLDS)
    for subject in subjects:
        if subject not in source.frames:
            yield Skipped(subject, "it has labels, and neither pictures nor a video")
            continue
        codes, faulty = _codes(labels / subject)
        yield from faulty
        seen = set()
        for number, found in _pictures(source, subject):
            seen.add(number)
            if isinstance(found, Skipped):
                yield found
            elif number not in codes:
                yield Skipped(found.name, "no row of the labels has its number")
            else:
                person: dict[str, Label] = {"identity": subject, "fold": folds[subject]}
                yield Record(found.image, found.name, {**person, **codes[number], **found.labels}, found.box)
        if not seen - {0}:
            yield Skipped(subject, "not one of its frames can be read")
            continue
        for number in codes:
            if number not in seen and (number - 1) % source.every == 0:
                yield Skipped(f"{subject} frame {number}", "it has labels, and there is no such frame")
    for subject in source.frames:
        if subject not in folds:
            yield Skipped(subject, "it has frames, and no folder of labels")


def _codes(folder: Path) -> tuple[Codes, list[Skipped]]:
    """Intensities / 5, and the lines and files that cannot be read."""
    codes: dict[int, dict[str, float]] = defaultdict(dict)
    faulty = []
    for unit in UNITS:
        path = folder / f"{folder.name}_au{unit}.txt"
        if not path.is_file():
            faulty.append(Skipped(path.name, f"no such file: {folder.name} has no label au{unit:02d}"))
            continue
        for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
            words = [word.strip() for word in line.split(",")]
            if len(words) != 2 or not all(map(str.isdecimal, words)) or int(words[1]) > _HIGHEST:
                faulty.append(Skipped(path.name, f"frame,intensity expected, the intensity 0 to 5; got {line!r}"))
                continue
            of_frame, label, intensity = codes[int(words[0])], f"au{unit:02d}", int(words[1]) / _HIGHEST
            if label in of_frame:
                other = ["with another intensity"] * (of_frame[label] != intensity)
                faulty.append(Skipped(path.name, f"frame {words[0]} is {listed_again(*other)}"))
            of_frame.setdefault(label, intensity)
    return dict(codes), faulty


def _pictures(source: _Source, subject: str) -> Iterator[tuple[int, Record | Skipped]]:
    """Each frame kept with its number, from a video or a folder."""
    place = source.frames[subject]
    if place.is_dir():
        for one in pictures(place):
            numbers = re.findall(r"\d+", one.stem) if isinstance(one, Path) else []
            number = int(numbers[-1]) if numbers else 0
            if isinstance(one, Skipped):
                yield 0, one
            elif number == 0 or (number - 1) % source.every == 0:
                yield number, _picture(source, subject, number, one)
        return
    try:
        for number, pixels in video.frames(place, source.every):
            name = f"{name_of(source.root, place)}/{number:05d}.jpg"
            height, width = pixels.shape[:2]
            try:
                shape, box = _shape(source, subject, number, np.array([width, height], np.float64))
            except (OSError, ValueError) as error:
                yield number, Skipped(name, str(error))
                continue
            yield number, Record(video.jpeg(pixels), name, shape, box)
    except ValueError as error:
        yield 0, Skipped(name_of(source.root, place), str(error))


def _picture(source: _Source, subject: str, number: int, path: Path) -> Record | Skipped:
    try:
        shape, box = _shape(source, subject, number, side_of(path))
    except (OSError, ValueError) as error:
        return Skipped(name_of(source.root, path), str(error))
    return record(source.root, path, labels=shape, box=box)


def _shape(source: _Source, subject: str, number: int, side: Floats) -> tuple[dict[str, Label], Box | None]:
    """Landmarks and the box about them; nothing where the source has none for these frames."""
    if source.points is None:
        return {}, None
    folder = source.points / subject / "tmp_frame_lm"
    names = (f"{subject}_{number - 1:04d}_lm.mat", f"l{number:05d}_lm.mat")  # of some subjects the second, from 1
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise ValueError(f"no landmarks for it: neither {' nor '.join(names)}")
    points = np.asarray(matlab.load(path, "pts")[0], np.float64)
    if points.shape != (_POINTS, 2):
        raise ValueError(f"{path.name}: pts of {_POINTS}×2 numbers expected, got {points.shape}")
    landmarks, box = marked(points, side, _MARGIN)
    return {"landmarks": landmarks}, box


READER = Reader(read, recognises, LAYOUT)
