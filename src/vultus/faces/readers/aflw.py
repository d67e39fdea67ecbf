"""AFLW-19 (Zhu et al., 2016, on Köstinger et al., 2011): 24,386 faces with 19 points."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vultus.faces.card import Skipped
from vultus.faces.readers import matlab
from vultus.faces.readers.boxes import Floats, box_about, marked, side_of
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

PUBLISHED = {"train": 20_000, "test": 4_386, "frontal": 1_165}
LIST = "AFLWinfo_release.mat"
_POINTS = 19
_MARGIN = 0.1  # the rectangles lie close to the face
_FOLDERS = ("data/flickr", "flickr", "images", ".")
LAYOUT = """    SOURCE/AFLWinfo_release.mat         bbox (left, right, top, bottom), data (x1 … x19 y1 … y19), mask_new,
                                        nameList, ra (an order of the faces from 1; 20,000 are for training)
    SOURCE/data/flickr/0/image*.jpg     also flickr or images; folders 0, 2 and 3"""


def read(src: Path) -> Reading:
    """Read AFLW-19. Points the face itself hides were annotated too, and are kept; NaN stands for what is missing.

    The test faces with no hidden point are the subset frontal.
    """
    if not (src / LIST).is_file():
        raise LayoutError(src, LAYOUT, f"no {LIST}")
    boxes, points, visible, listed, order = matlab.load(src / LIST, "bbox", "data", "mask_new", "nameList", "ra")
    count = listed.size
    if boxes.shape != (count, 4) or points.shape != (count, 2 * _POINTS) or visible.shape != (count, _POINTS):
        raise ValueError(f"{LIST}: {count} names, but boxes {boxes.shape}, points {points.shape}, mask {visible.shape}")
    labels = _labels(order, visible)
    folder = next((src / name for name in _FOLDERS if count and (src / name / str(listed.flat[0])).is_file()), src)
    counts = Counter(str(label) for one in labels for label in one.values())
    names, splits = [str(name) for name in listed.flat], [str(one["split"]) for one in labels]
    reasons, leaks = repeats(
        ((name, boxes[row].tobytes(), points[row].tobytes()), splits[row], visible[row].tobytes())
        for row, name in enumerate(names)
    )
    kept = [pair for pair, reason in zip(zip(names, splits, strict=True), reasons, strict=True) if not reason]
    return Reading(
        records=_records(src, [folder / name for name in names], points, boxes, labels, reasons),
        source="AFLW-19 (Zhu et al., Unconstrained Face Alignment via Cascaded Compositional Learning, 2016)",
        licence="research only, non-commercial: the terms of AFLW",
        count=count,
        notes=(*differences(counts, PUBLISHED), *leaks, *across(kept)),
    )


def recognises(src: Path) -> bool:
    """The Matlab file of its annotations is there."""
    return (src / LIST).is_file()


def _labels(order: npt.NDArray[np.integer], visible: npt.NDArray[np.integer]) -> list[dict[str, Label]]:
    """Split and subset of each face."""
    rows = np.asarray(order, np.int64).ravel() - 1
    if not np.array_equal(np.sort(rows), np.arange(len(visible))):
        raise ValueError(f"{LIST}: ra is not an order of its {len(visible)} faces")
    train = np.zeros(len(visible), np.bool_)
    train[rows[: PUBLISHED["train"]]] = True
    frontal = (visible == 1).all(axis=1) & ~train
    parts = zip(train.tolist(), frontal.tolist(), strict=True)
    return [{"split": "train" if learnt else "test", "subset": "frontal" if whole else ""} for learnt, whole in parts]


def _records(
    src: Path, found: list[Path], points: Floats, boxes: Floats, labels: list[dict[str, Label]], reasons: list[str]
) -> Iterator[Record | Skipped]:
    names = numbered(path.relative_to(src).as_posix() for path in found)
    for row, (path, name) in enumerate(zip(found, names, strict=True)):
        if reasons[row]:
            yield Skipped(name, reasons[row])
            continue
        try:
            side = side_of(path)
            landmarks, _ = marked(np.asarray(points[row], np.float64).reshape(2, _POINTS).T, side, _MARGIN)
            corners = np.asarray(boxes[row], np.float64).reshape(2, 2).T  # left right top bottom → two corners
            box = box_about(corners, side, _MARGIN)
        except FileNotFoundError:
            yield Skipped(name, "no such picture")
        except (OSError, ValueError) as error:
            yield Skipped(name, f"cannot be read: {error}")
        else:
            yield record(src, path, name, labels=labels[row] | {"landmarks": landmarks}, box=box)
    yield from unlisted(src, set(found))


READER = Reader(read, recognises, LAYOUT)
