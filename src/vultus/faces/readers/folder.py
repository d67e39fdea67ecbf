"""A tree of pictures, as most people have them."""

from collections.abc import Iterator
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import LayoutError, Reader, Reading, name_of, pictures, record, subfolders
from vultus.faces.record import Record

SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
LAYOUT = """    SOURCE/**/*.jpg             pictures anywhere below a folder (jpg, png, webp, bmp, gif, tif, ppm)
    SOURCE/CLASS/**/*.jpg       with a label: the first folder's name is its value
    SOURCE/train/CLASS/*.jpg    train, validation and test are taken for splits"""


def read(src: Path, label: str | None = None) -> Reading:
    """Read a tree of pictures; with `label` (such as "expression") the folder's name becomes that label.

    Where all first-level folders are named like splits, they are; the label is then on the second level.
    """
    found = list(pictures(src)) if src.is_dir() else []
    if not any(isinstance(one, Path) for one in found):
        reasons = "".join(f"; {one.name}: {one.reason}" for one in found if isinstance(one, Skipped))
        raise LayoutError(src, LAYOUT, f"no picture below it{reasons}")
    folders = subfolders(src)
    has_splits = bool(folders) and all(name.lower() in SPLITS for name in folders)
    return Reading(
        records=_records(src, found, label, has_splits),
        source=f"folder of pictures {src.resolve().name}",
        licence="",
        count=len(found),
    )


def class_folders(src: Path) -> list[str]:
    """The names that a label would have: of the first folders, below those that are named like splits."""
    first = subfolders(src)
    if first and all(name.lower() in SPLITS for name in first):
        return sorted({name for split in first for name in subfolders(src / split)})
    return first


def _records(src: Path, found: list[Path | Skipped], label: str | None, has_splits: bool) -> Iterator[Record | Skipped]:
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        labels = {}
        folders = name_of(src, one).split("/")[:-1]
        if has_splits and folders:
            labels["split"] = SPLITS[folders.pop(0).lower()]
        if label is not None and folders:
            labels[label] = folders[0]
        yield record(src, one, labels=labels)


READER = Reader(read, Path.is_dir, LAYOUT)
