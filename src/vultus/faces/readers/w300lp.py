"""300W-LP (Zhu et al., 2016) and AFLW2000-3D: head pose in degrees, 68 points; trained on one, tested on the other.

Both keep the sign of their 3-D face model: positive yaw turns the nose to the picture's left, positive pitch lifts
it, positive roll tilts the top of the head to the picture's right.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers import matlab
from vultus.faces.readers.boxes import Floats, marked, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

PARTS = ("AFW", "HELEN", "IBUG", "LFPW")
FOLDERS = (*PARTS, *(f"{part}_Flip" for part in PARTS))
PUBLISHED, PUBLISHED_AFLW = 122_450, 2_000  # 61,225 before mirroring
_POINTS = 68
_MARGIN = 0.2  # the points run from brow to chin
LAYOUT = """    SOURCE/AFW/AFW_1051618982_1_0.jpg              a face and its turned versions: the last number
    SOURCE/AFW/AFW_1051618982_1_0.mat              Pose_Para (pitch, yaw, roll in radians, …) and pt2d (2×68)
    SOURCE/HELEN, IBUG, LFPW, AFW_Flip, HELEN_Flip, IBUG_Flip, LFPW_Flip
    SOURCE/landmarks/AFW/AFW_1051618982_1_0_pts.mat    optional: pts_3d (68×2)"""
LAYOUT_AFLW = """    SOURCE/image00002.jpg    also in the folder AFLW2000
    SOURCE/image00002.mat    Pose_Para (pitch, yaw, roll in radians, …) and pt3d_68 (3×68)"""


@dataclass(frozen=True)
class _Marks:
    """What is known of one picture: points [68, 2] that frame the face, and whether they are landmarks of it."""

    points: Floats
    exact: bool
    labels: dict[str, Label]


def read(src: Path) -> Reading:
    """Read 300W-LP: all of it is the training split.

    The identity is the photographed face: all its turned and mirrored versions share it. Landmarks come from the
    folder `landmarks` where there is one (the projected 3-D points, as in AFLW2000-3D); without it, `pt2d` of the
    pictures that were not turned.
    """
    root = _root(src)
    if root is None:
        raise LayoutError(src, LAYOUT, f"none of the folders {', '.join(PARTS)} with .mat files")
    found = [(folder, one) for folder in FOLDERS if (root / folder).is_dir() for one in pictures(root / folder)]
    return Reading(
        records=_records(src, [root / f for f in FOLDERS], [one for _, one in found], lambda path: _turned(root, path)),
        source="300W-LP (Zhu et al., Face Alignment Across Large Poses: A 3D Solution, 2016)",
        licence="research only, non-commercial: the terms of 300W-LP and of 300W",
        count=len(found),
        notes=differences({"pictures": len(found)}, {"pictures": PUBLISHED}),
    )


def recognises(src: Path) -> bool:
    """One of its parts, with .mat files in it."""
    return src.is_dir() and _root(src) is not None


def read_aflw2000(src: Path) -> Reading:
    """Read AFLW2000-3D: all of it is the test split.

    Protocols drop faces with an angle beyond ±99°; here they are kept.
    """
    root = _root_aflw(src)
    if root is None:
        raise LayoutError(src, LAYOUT_AFLW, "no picture with such a name and a .mat beside it")
    found = list(pictures(root))
    return Reading(
        records=_records(src, [root], found, _still),
        source="AFLW2000-3D (Zhu et al., Face Alignment Across Large Poses: A 3D Solution, 2016)",
        licence="research only, non-commercial: the terms of AFLW2000-3D and of AFLW",
        count=len(found),
        notes=differences(Counter(pictures=len(found)), {"pictures": PUBLISHED_AFLW}),
    )


def recognises_aflw2000(src: Path) -> bool:
    """Files image00002.mat and so on."""
    return src.is_dir() and _root_aflw(src) is not None


def _root(src: Path) -> Path | None:
    roots = (src, src / "300W_LP")
    return next((root for root in roots if any(any((root / part).glob("*.mat")) for part in PARTS)), None)


def _root_aflw(src: Path) -> Path | None:
    return next((root for root in (src, src / "AFLW2000") if any(root.glob("image[0-9]*.mat"))), None)


def _records(
    src: Path, folders: list[Path], found: list[Path | Skipped], marks: Callable[[Path], _Marks]
) -> Iterator[Record | Skipped]:
    for one in found:
        yield one if isinstance(one, Skipped) else _face(src, one, marks)
    seen = {one.with_suffix("") for one in found if isinstance(one, Path)}
    for path in sorted(path for folder in folders for path in folder.glob("*.mat")):
        if path.with_suffix("") not in seen:
            yield Skipped(name_of(src, path), "no picture of this name beside it")


def _face(src: Path, path: Path, marks: Callable[[Path], _Marks]) -> Record | Skipped:
    try:
        known = marks(path)
        landmarks, box = marked(known.points, side_of(path), _MARGIN)
    except FileNotFoundError as error:
        return Skipped(name_of(src, path), f"no file {Path(error.filename).name}")
    except (OSError, ValueError) as error:
        return Skipped(name_of(src, path), f"cannot be read: {error}")
    labels = known.labels | ({"landmarks": landmarks} if known.exact else {})
    return record(src, path, labels=labels, box=box)


def _turned(root: Path, path: Path) -> _Marks:
    """A face of 300W-LP. pt2d of a turned picture frames the face and follows its turn only roughly."""
    pose, points = matlab.load(path.with_suffix(".mat"), "Pose_Para", "pt2d")
    face, _, turn = path.stem.rpartition("_")
    labels: dict[str, Label] = {"split": "train", "identity": face, **_angles(pose)}
    if not (root / "landmarks").is_dir():
        return _Marks(_columns(points), turn == "0", labels)
    listed = root / "landmarks" / path.parent.name / f"{path.stem}_pts.mat"
    if not listed.is_file():
        return _Marks(_columns(points), False, labels)
    return _Marks(_columns(matlab.load(listed, "pts_3d")[0].T), True, labels)


def _still(path: Path) -> _Marks:
    """A face of AFLW2000-3D."""
    pose, points = matlab.load(path.with_suffix(".mat"), "Pose_Para", "pt3d_68")
    return _Marks(_columns(points), True, {"split": "test", **_angles(pose)})


def _angles(parameters: Floats) -> dict[str, Label]:
    pitch, yaw, roll = np.degrees(np.asarray(parameters, np.float64).ravel()[:3]).tolist()
    if not np.isfinite([pitch, yaw, roll]).all():
        raise ValueError("Pose_Para is not finite")
    return {"yaw": yaw, "pitch": pitch, "roll": roll}


def _columns(points: Floats) -> Floats:
    """[2 or 3, 68] → [68, 2]."""
    if points.ndim != 2 or points.shape[0] not in (2, 3) or points.shape[1] != _POINTS:
        raise ValueError(f"{_POINTS} points expected, got an array of shape {points.shape}")
    return np.asarray(points[:2].T, np.float64)


READER = Reader(read, recognises, LAYOUT)
AFLW2000 = Reader(read_aflw2000, recognises_aflw2000, LAYOUT_AFLW)
