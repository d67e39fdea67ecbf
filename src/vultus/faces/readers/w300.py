"""300W (Sagonas et al., 2013): 68 points on AFW, HELEN, LFPW and IBUG."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers.boxes import Floats, marked, side_of
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

# folder → split and, of the test split, the subset
PARTS: dict[str, dict[str, Label]] = {
    "afw": {"split": "train"},
    "helen/trainset": {"split": "train"},
    "lfpw/trainset": {"split": "train"},
    "helen/testset": {"split": "test", "subset": "common"},
    "lfpw/testset": {"split": "test", "subset": "common"},
    "ibug": {"split": "test", "subset": "challenging"},
}
PUBLISHED = {"train": 3_148, "common": 554, "challenging": 135}
_POINTS = 68
_MARGIN = 0.2  # the points run from brow to chin
LAYOUT = """    SOURCE/afw/1051618982_1.jpg             train: afw, helen/trainset, lfpw/trainset
    SOURCE/afw/1051618982_1.pts             test: helen/testset, lfpw/testset (common), ibug (challenging)
    SOURCE/helen/trainset/*.jpg, *.pts
    SOURCE/lfpw/testset/*.png, *.pts
    SOURCE/ibug/*.jpg, *.pts"""


def read(src: Path) -> Reading:
    """Read 300W: landmarks, the face's box about them, and the test's two subsets.

    Mirrored copies (*_mirror), which some archives of it hold, are left out.
    """
    found = [(part, one) for part in PARTS if (src / part).is_dir() for one in pictures(src / part)]
    if not recognises(src):
        raise LayoutError(src, LAYOUT, "no folder afw, helen, ibug or lfpw with .pts files")
    counts = Counter(
        str(PARTS[part].get("subset", "train"))
        for part, one in found
        if isinstance(one, Path) and one.with_suffix(".pts").is_file() and not _mirrored(one)
    )
    return Reading(
        records=_records(src, found),
        source="300W (Sagonas et al., 300 Faces in-the-Wild Challenge, 2013)",
        licence="research only, non-commercial: the terms of iBUG and of AFW, HELEN and LFPW",
        count=len(found),
        notes=differences(counts, PUBLISHED),
    )


def recognises(src: Path) -> bool:
    """One of its folders, with .pts files in it."""
    return src.is_dir() and any(any((src / part).glob("*.pts")) for part in PARTS)


def _mirrored(path: Path) -> bool:
    return path.stem.endswith("_mirror")


def _records(src: Path, found: list[tuple[str, Path | Skipped]]) -> Iterator[Record | Skipped]:
    for part, one in found:
        if isinstance(one, Skipped):
            yield one
        elif _mirrored(one):
            yield Skipped(name_of(src, one), "a mirrored copy")
        else:
            yield _face(src, part, one)
    seen = {one.with_suffix("") for _, one in found if isinstance(one, Path)}
    for path in sorted(path for part in PARTS for path in (src / part).glob("*.pts")):
        if path.with_suffix("") not in seen:
            yield Skipped(name_of(src, path), "no picture of this name beside it")


def _face(src: Path, part: str, path: Path) -> Record | Skipped:
    try:
        landmarks, box = marked(read_pts(path.with_suffix(".pts")), side_of(path), _MARGIN)
    except FileNotFoundError as error:
        return Skipped(name_of(src, path), f"no file {Path(error.filename).name}")
    except (OSError, ValueError) as error:
        return Skipped(name_of(src, path), f"cannot be read: {error}")
    return record(src, path, labels=PARTS[part] | {"landmarks": landmarks}, box=box)


def read_pts(path: Path) -> Floats:
    """Points [68, 2] in pixels from 0; the file, as Matlab, counts them from 1. Raises ValueError."""
    head, brace, body = path.read_text(encoding="utf-8", errors="replace").partition("{")
    rows = [line.split() for line in body.partition("}")[0].splitlines() if line.strip()]
    if not brace or "n_points" not in head or len(rows) != _POINTS or any(len(row) != 2 for row in rows):
        raise ValueError(f"{path.name}: n_points: {_POINTS}, then as many lines of x y between braces expected")
    return np.array(rows, np.float64) - 1


READER = Reader(read, recognises, LAYOUT)
