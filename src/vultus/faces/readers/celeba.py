"""CelebA (Liu et al., 2015): 202,599 aligned faces of 10,177 people with forty attributes and five points."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.readers import attributes
from vultus.faces.readers.boxes import fractions
from vultus.faces.readers.reading import (
    LayoutError,
    Reader,
    Reading,
    differences,
    listed_again,
    name_of,
    pictures,
    record,
)
from vultus.faces.record import Label, Record

PUBLISHED = {"train": 162_770, "validation": 19_867, "test": 19_962}
SPLITS = {"0": "train", "1": "validation", "2": "test"}
_SIDE = np.array([178.0, 218.0])  # of the published pictures, pixels
# the square that keeps the whole width, about the middle: attributes speak of hair, hats and necks too
_BOX = (0.0, 20 / 218, 1.0, 198 / 218)
_POINTS = 10  # numbers
_ROW = re.compile(r"(\d+)\.(?:jpg|png)")
_PICTURES = ("img_align_celeba/img_align_celeba", "img_align_celeba", "Img/img_align_celeba", "img_align_celeba_png")
LAYOUT = """    SOURCE/img_align_celeba/000001.jpg         also below Img
    SOURCE/list_attr_celeba.txt                a picture and forty times 1 or -1 a line; the lists also lie below
    SOURCE/list_eval_partition.txt             Anno and Eval, or end in .csv
    SOURCE/identity_CelebA.txt
    SOURCE/list_landmarks_align_celeba.txt     the last three lists are optional"""

_Rows = Mapping[str, str]  # a picture's number → the rest of its row


def read(src: Path) -> Reading:
    """Read the aligned CelebA with what lists there are; the attribute Male is the gender too.

    Landmarks are eyes, nose and corners of the mouth.
    """
    folder = next((src / name for name in _PICTURES if (src / name).is_dir()), None)
    listed = _list(src, "list_attr_celeba")
    if folder is None or listed is None:
        raise LayoutError(src, LAYOUT, "no folder img_align_celeba" if folder is None else "no list_attr_celeba")
    header, rows, faulty = _table(listed)
    names = attributes.columns(header)
    found = list(pictures(folder))
    others = {}
    for name in _OTHERS:
        if (path := _list(src, name)) is not None:
            _, others[name], more = _table(path)
            faulty += more
    absent = tuple(f"no {name}: no {label}" for name, (label, _) in _OTHERS.items() if name not in others)
    splits = Counter(SPLITS.get(word.strip(), "unknown") for word in others.get("list_eval_partition", {}).values())
    return Reading(
        records=_records(src, found, names, rows, others, faulty),
        source="CelebA (Liu et al., Deep Learning Face Attributes in the Wild, 2015)",
        licence="research only, non-commercial: the terms of CelebA (MMLAB, CUHK)",
        count=len(found),
        notes=(*absent, *differences(splits, PUBLISHED)),
    )


def recognises(src: Path) -> bool:
    """The list of attributes is there."""
    return src.is_dir() and _list(src, "list_attr_celeba") is not None


def _split(words: list[str]) -> Label:
    if len(words) != 1 or words[0] not in SPLITS:
        raise ValueError(f"its partition is 0, 1 or 2, got {' '.join(words)!r}")
    return SPLITS[words[0]]


def _identity(words: list[str]) -> Label:
    if len(words) != 1:
        raise ValueError(f"one identity expected, got {' '.join(words)!r}")
    return words[0]


def _landmarks(words: list[str]) -> Label:
    if len(words) != _POINTS:
        raise ValueError(f"{_POINTS} numbers for its points expected, got {len(words)}")
    return fractions(np.array(words, np.float64).reshape(-1, 2), _SIDE)


_OTHERS = {
    "list_eval_partition": ("split", _split),
    "identity_CelebA": ("identity", _identity),
    "list_landmarks_align_celeba": ("landmarks", _landmarks),
}


def _list(src: Path, name: str) -> Path | None:
    places = (src / below / f"{name}{suffix}" for below in ("", "Anno", "Eval") for suffix in (".txt", ".csv"))
    return next((path for path in places if path.is_file()), None)


def _table(path: Path) -> tuple[list[str], _Rows, list[Skipped]]:
    """The header's words, without the one that heads the pictures, each picture's first row, and what else is there."""
    header: list[str] = []
    rows: dict[str, str] = {}
    faulty = []
    for place, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        words = " ".join(line.replace(",", " ").split())
        match = _ROW.match(words)
        if match is None and not rows and words and not words.isdecimal():  # a number alone is the count of rows
            header = words.split()
        elif match is None and rows and words:
            faulty.append(Skipped(path.name, f"line {place}: a picture and its labels expected, got {words[:40]!r}"))
        elif match is not None:
            number, row = match[1], words[match.end() :]
            if number in rows:
                other = ["with other labels"] * (rows[number] != row)
                faulty.append(Skipped(path.name, f"line {place}: {match[0]} is {listed_again(*other)}"))
            rows.setdefault(number, row)
    return header[1:] if path.suffix == ".csv" else header, rows, faulty


def _records(
    src: Path,
    found: list[Path | Skipped],
    names: list[str],
    rows: _Rows,
    others: Mapping[str, _Rows],
    faulty: list[Skipped],
) -> Iterator[Record | Skipped]:
    yield from faulty
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        try:
            yield record(src, one, labels=_labels(one.stem, names, rows, others), box=_BOX)
        except ValueError as error:
            yield Skipped(name_of(src, one), str(error))
    seen = {one.stem for one in found if isinstance(one, Path)}
    listed = dict.fromkeys(number for own in (rows, *others.values()) for number in own)
    yield from (Skipped(f"{number}.jpg", "no such picture") for number in listed if number not in seen)


def _labels(number: str, names: list[str], rows: _Rows, others: Mapping[str, _Rows]) -> dict[str, Label]:
    if number not in rows:
        raise ValueError("no row of the labels names it")
    labels = attributes.answers(names, [float(word) for word in rows[number].split()])
    for name, listed in others.items():
        if number not in listed:
            raise ValueError(f"no row of {name} names it")
        label, parse = _OTHERS[name]
        labels[label] = parse(listed[number].split())
    return labels


READER = Reader(read, recognises, LAYOUT)
