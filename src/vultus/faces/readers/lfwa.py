"""LFWA (Liu et al., 2015): LFW with the forty attributes of CelebA and a split for them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.readers import attributes, matlab
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, record, repeats, unlisted
from vultus.faces.record import Label, Record

PUBLISHED = {"train": 6_263, "test": 6_970}
ATTRIBUTES, SPLITS = "lfw_att_40.mat", "indices_train_test.mat"
_FOLDERS = ("lfw", "lfw_funneled", "lfw-deepfunneled", ".")
LAYOUT = """    SOURCE/lfw_att_40.mat            name, AttrName and label (pictures × 40, 1 or 0)
    SOURCE/indices_train_test.mat    indices_img_train and indices_img_test, counted from 1
    SOURCE/lfw/Aaron_Eckhart/Aaron_Eckhart_0001.jpg    also without the folder lfw"""


def read(src: Path, crop: float = 0.7) -> Reading:
    """Read LFWA; the attribute Male is the gender too.

    `crop` is the part of each side, about the centre, that becomes the face's box: wider than LFW's, since attributes
    speak of hair, hats and necks. The published .mat files are of version 7.3 and need h5py.
    """
    if not 0 < crop <= 1:
        raise ValueError(f"crop is the part of the picture's side to keep, above 0 and up to 1; got {crop}")
    if not (src / ATTRIBUTES).is_file():
        raise LayoutError(src, LAYOUT, f"no {ATTRIBUTES}")
    listed, titles, values = matlab.load(src / ATTRIBUTES, "name", "AttrName", "label")
    names = [str(name).replace("\\", "/") for name in listed.ravel()]
    columns = attributes.columns([str(title) for title in titles.ravel()])
    if values.shape != (len(names), len(columns)):
        raise ValueError(f"{ATTRIBUTES}: labels of {len(names)} × {len(columns)} expected, got {values.shape}")
    splits, leaks = _splits(src, len(names))
    reasons, more = repeats(zip(names, splits, map(tuple, values.tolist()), strict=True))
    folder = next((src / name for name in _FOLDERS if names and (src / name / names[0]).parent.is_dir()), src)
    edge = (1 - crop) / 2
    box = (edge, edge, 1 - edge, 1 - edge)
    counts = {split: splits.count(split) for split in PUBLISHED}
    return Reading(
        records=_records(src, [folder / name for name in names], columns, values.tolist(), splits, reasons, box),
        source="LFWA (Liu et al., Deep Learning Face Attributes in the Wild, 2015)",
        licence="research only, non-commercial: the terms of LFWA (MMLAB, CUHK) and of Labeled Faces in the Wild",
        count=len(names),
        notes=(
            *(differences(counts, PUBLISHED) if any(splits) else (f"no {SPLITS}: the set has no split",)),
            *leaks,
            *more,
        ),
    )


def recognises(src: Path) -> bool:
    """The Matlab file of its attributes is there."""
    return (src / ATTRIBUTES).is_file()


def _splits(src: Path, pictures: int) -> tuple[list[str], tuple[str, ...]]:
    """The split of each picture, '' where none is given, and a note on pictures that both parts hold."""
    splits, leaks = [""] * pictures, 0
    if (src / SPLITS).is_file():
        parts = matlab.load(src / SPLITS, "indices_img_train", "indices_img_test")
        for split, part in zip(PUBLISHED, parts, strict=True):
            rows = np.asarray(part, np.int64).ravel()
            if rows.min(initial=1) < 1 or rows.max(initial=1) > pictures:
                raise ValueError(f"{SPLITS}: indices from 1 to {pictures} expected, got {rows.min()} to {rows.max()}")
            for row in sorted(set(rows.tolist())):
                leaks += bool(splits[row - 1])
                splits[row - 1] = splits[row - 1] or split
    return splits, (f"{leaks:,} pictures stand in both parts of {SPLITS}: they count as train",) if leaks else ()


def _records(
    src: Path,
    found: list[Path],
    columns: list[str],
    values: list[list[float]],
    splits: list[str],
    reasons: list[str],
    box: Box,
) -> Iterator[Record | Skipped]:
    for path, row, split, reason in zip(found, values, splits, reasons, strict=True):
        if reason:
            yield Skipped(path.relative_to(src).as_posix(), reason)
            continue
        try:
            labels: dict[str, Label] = {"identity": path.parent.name, "split": split}
            yield record(src, path, labels=labels | attributes.answers(columns, row), box=box)
        except ValueError as error:
            yield Skipped(path.relative_to(src).as_posix(), str(error))
    yield from unlisted(src, set(found))


READER = Reader(read, recognises, LAYOUT)
