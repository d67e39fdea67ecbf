"""Pointing'04 (Gourier et al., 2004): 15 people, two series of 93 pictures each, tilt and pan in the file's name.

The angles keep the set's own signs: a negative tilt (here `pitch`) looks down, a positive one up; `yaw` is the pan.
The set has no roll. Both together are one of 93 poses: `pose` is such as -30+45, tilt first.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.readers.boxes import box_about, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

PUBLISHED = 2_790
TILTS = (-90, -60, -30, -15, 0, 15, 30, 60, 90)
PANS = (-90, -75, -60, -45, -30, -15, 0, 15, 30, 45, 60, 75, 90)
_NAME = re.compile(r"person(?:ne)?(\d\d)([12])(\d\d)([+-]\d+)([+-]\d+)", re.IGNORECASE)
_FACE = re.compile(r"Face\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)")
_MARGIN = 0.1  # the rectangles are drawn close to the face
LAYOUT = """    SOURCE/Person01/person01100-90+0.jpg    person (2 digits), series (1 or 2), number (2 digits), tilt, pan
    SOURCE/Person01/person01100-90+0.txt    Face, then centre x, centre y, width, height in pixels, a line each"""


def read(src: Path) -> Reading:
    """Read Pointing'04. Each person is a fold: unknown faces are measured by leaving one person out.

    `series` serves the other published protocol, two folds that share people. Without .txt files (the first release
    had none) faces have no box. The folder Front repeats frontal pictures and is left out.
    """
    found = list(pictures(src)) if src.is_dir() else []
    named = [one for one in found if isinstance(one, Path) and _NAME.fullmatch(one.stem)]
    if not named:
        raise LayoutError(src, LAYOUT, "no picture with such a name")
    bare = sum(not one.with_suffix(".txt").is_file() for one in named)
    counted = {"pictures": sum(not _repeated(one) for one in named)}
    notes = differences(counted, {"pictures": PUBLISHED})
    return Reading(
        records=_records(src, found),
        source="Pointing'04 (Gourier et al., Estimating Face Orientation from Robust Detection of Salient Facial "
        "Features, 2004)",
        licence="research only: the terms of the PRIMA group, INRIA",
        count=len(found),
        notes=(*notes, f"{bare:,} pictures without a .txt beside them: they have no box") if bare else notes,
    )


def recognises(src: Path) -> bool:
    """Most of the first pictures are named so."""
    if not src.is_dir():
        return False
    first = [one for one, _ in zip(pictures(src), range(20), strict=False) if isinstance(one, Path)]
    return sum(bool(_NAME.fullmatch(one.stem)) for one in first) > len(first) / 2


def _repeated(path: Path) -> bool:
    return path.parent.name.lower() == "front"


def _records(src: Path, found: list[Path | Skipped]) -> Iterator[Record | Skipped]:
    for one in found:
        if isinstance(one, Skipped):
            yield one
        elif _repeated(one):
            yield Skipped(name_of(src, one), "repeats a picture of another folder")
        else:
            yield _face(src, one)
    seen = {one.with_suffix("") for one in found if isinstance(one, Path)}
    for path in sorted(src.rglob("*.txt")):
        if _NAME.fullmatch(path.stem) and path.with_suffix("") not in seen:
            yield Skipped(name_of(src, path), "no picture of this name beside it")


def _face(src: Path, path: Path) -> Record | Skipped:
    match = _NAME.fullmatch(path.stem)
    if not match:
        return Skipped(name_of(src, path), "its name is not person, series, number, tilt and pan")
    person, series, _, *angles = match.groups()
    tilt, pan = map(int, angles)
    if tilt not in TILTS or pan not in PANS:
        return Skipped(name_of(src, path), f"the set has no tilt {tilt} with pan {pan}")
    try:
        box = _box(path)
    except (OSError, ValueError) as error:
        return Skipped(name_of(src, path), f"cannot be read: {error}")
    labels: dict[str, Label] = {
        "identity": person,
        "fold": str(int(person) - 1),
        "series": series,
        "pitch": float(tilt),
        "yaw": float(pan),
        "pose": f"{tilt:+d}{pan:+d}",
    }
    return record(src, path, labels=labels, box=box)


def _box(path: Path) -> Box | None:
    listed = path.with_suffix(".txt")
    if not listed.is_file():
        return None
    words = _FACE.search(listed.read_text(encoding="utf-8", errors="replace"))
    if not words:
        raise ValueError(f"{listed.name} holds no line Face with four numbers behind it")
    x, y, width, height = map(float, words.groups())
    corners = np.array([[x - width / 2, y - height / 2], [x + width / 2, y + height / 2]])
    return box_about(corners, side_of(path), _MARGIN)


READER = Reader(read, recognises, LAYOUT)
