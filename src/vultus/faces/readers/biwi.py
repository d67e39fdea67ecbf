"""Biwi Kinect Head Pose (Fanelli et al., 2013): 15,678 frames of 20 people in 24 sequences, pose from depth.

Angles follow the field's use of the set since Hopenet (Ruiz et al., 2018), which makes them those of 300W-LP: positive
yaw turns the nose to the picture's left, positive pitch lifts it, positive roll tilts the top of the head to the
picture's right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.readers.boxes import Floats, box_about
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, record, subfolders
from vultus.faces.readers.video import check_every
from vultus.faces.record import Label, Record

PUBLISHED = 15_678
# the readme's table: four people were recorded twice (02 and 21, 03 and 15, 05 and 18, 07 and 22)
SUBJECTS = (
    *("F01", "F02", "F03", "F04", "F05", "F06", "M01", "M02", "M03", "M04", "M05", "M06"),
    *("M07", "M08", "F03", "M09", "M10", "F05", "M11", "M12", "F02", "M01", "M13", "M14"),
)
GENDERS = {"F": "female", "M": "male"}
_HALF = 100.0  # millimetres about the centre of the head: from forehead to chin
_RGB, _POSE = "_rgb.png", "_pose.txt"
LAYOUT = """    SOURCE/01/frame_00003_rgb.png     also in the folder hpdb
    SOURCE/01/frame_00003_pose.txt    a rotation matrix (3×3), then the centre of the head in millimetres
    SOURCE/01/rgb.cal                 camera matrix (3×3), distortion (4), rotation (3×3), translation, width height"""


@dataclass(frozen=True)
class _Camera:
    """How a point of the depth camera's space (millimetres) falls on the colour picture (pixels)."""

    matrix: Floats  # [3, 3]
    rotation: Floats  # [3, 3]
    translation: Floats  # [3]
    side: Floats  # [2] width and height of the picture

    def box(self, centre: Floats) -> Box:
        """The square about a head, as large as the head appears at its distance."""
        point = self.rotation @ centre + self.translation
        if not point[2] > 0:
            raise ValueError(f"the head's centre {centre.tolist()} does not lie before the camera")
        seen = (self.matrix @ point)[:2] / point[2]
        half = _HALF * self.matrix[0, 0] / point[2]
        return box_about(np.stack([seen - half, seen + half]), self.side, 0)


def read(src: Path, every: int = 1) -> Reading:
    """Read Biwi. Identity is the person, not the sequence; the set has no split of its own.

    `every` keeps one frame in so many of each sequence. Boxes need the sequence's rgb.cal.
    """
    check_every(every)
    root = _root(src)
    if root is None:
        raise LayoutError(src, LAYOUT, "no folder of a sequence, with *_pose.txt files")
    sequences = _sequences(root)
    found = [frame for folder in sequences for frame in sorted(folder.glob(f"frame_*{_RGB}"))[::every]]
    blind = [folder.name for folder in sequences if not (folder / "rgb.cal").is_file()]
    notes = differences({"frames": len(found)}, {"frames": PUBLISHED})
    return Reading(
        records=_records(src, sequences, found),
        source="Biwi Kinect Head Pose (Fanelli et al., Random Forests for Real Time 3D Face Analysis, 2013)",
        licence="non-commercial, university research and education: the terms of Biwi",
        count=len(found),
        notes=(*notes, f"no rgb.cal in {', '.join(blind)}: their faces have no box") if blind else notes,
    )


def recognises(src: Path) -> bool:
    """Folders of frames with their poses."""
    return src.is_dir() and _root(src) is not None


def _root(src: Path) -> Path | None:
    return next((root for root in (src / "hpdb", src) if root.is_dir() and _sequences(root)), None)


def _sequences(root: Path) -> list[Path]:
    return [root / name for name in subfolders(root) if any((root / name).glob(f"frame_*{_POSE}"))]


def _records(src: Path, sequences: list[Path], found: list[Path]) -> Iterator[Record | Skipped]:
    cameras: dict[Path, _Camera | None] = {}
    for path in found:
        try:
            if path.parent not in cameras:
                cameras[path.parent] = _camera(path.parent / "rgb.cal")
            rotation, centre = _pose(path.with_name(path.name.removesuffix(_RGB) + _POSE))
            camera = cameras[path.parent]
            box = camera.box(centre) if camera else None
        except FileNotFoundError as error:
            yield Skipped(name_of(src, path), f"no file {Path(error.filename).name}")
        except (OSError, ValueError) as error:
            yield Skipped(name_of(src, path), f"cannot be read: {error}")
        else:
            yield record(src, path, labels=_who(path.parent.name) | angles(rotation), box=box)
    for pose in (pose for folder in sequences for pose in sorted(folder.glob(f"frame_*{_POSE}"))):
        if not pose.with_name(pose.name.removesuffix(_POSE) + _RGB).exists():
            yield Skipped(name_of(src, pose), "no colour picture of this frame")


def _who(sequence: str) -> dict[str, Label]:
    known = sequence.isdecimal() and 1 <= int(sequence) <= len(SUBJECTS)
    subject = SUBJECTS[int(sequence) - 1] if known else sequence
    return {"identity": subject, "series": sequence, "gender": GENDERS[subject[0]] if known else ""}


def angles(rotation: Floats) -> dict[str, Label]:
    """Yaw, pitch and roll in degrees from a matrix [3, 3] that turns the head into the camera's space.

    That space has x to the right, y down and z away from the camera.
    """
    r = rotation
    yaw = np.arctan2(r[0, 2], np.hypot(r[1, 2], r[2, 2]))
    pitch = np.arctan2(r[1, 2], r[2, 2])
    roll = np.arctan2(-r[0, 1], r[0, 0])
    return {name: float(np.degrees(angle)) for name, angle in (("yaw", yaw), ("pitch", pitch), ("roll", roll))}


def _pose(path: Path) -> tuple[Floats, Floats]:
    """Rotation [3, 3] and centre [3]."""
    numbers = _numbers(path)
    rotation = numbers[:9].reshape(3, 3) if len(numbers) == 12 else np.zeros((3, 3))
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=0.01):
        raise ValueError(f"{path.name}: a rotation matrix and three numbers expected")
    return rotation, numbers[9:]


def _camera(path: Path) -> _Camera | None:
    if not path.is_file():
        return None
    numbers = _numbers(path)
    if len(numbers) != 27:
        raise ValueError(f"{path.name}: 27 numbers expected, got {len(numbers)}")
    return _Camera(numbers[:9].reshape(3, 3), numbers[13:22].reshape(3, 3), numbers[22:25], numbers[25:27])


def _numbers(path: Path) -> Floats:
    numbers = np.array(path.read_text(encoding="ascii").split(), np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{path.name}: a number is not finite")
    return numbers


READER = Reader(read, recognises, LAYOUT)
