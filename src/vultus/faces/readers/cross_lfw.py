"""CPLFW (Zheng & Deng, 2018) and CALFW (Zheng et al., 2017): people of LFW across poses, or across ages.

6,000 pairs each, measured as LFW's in ten folds. The lists say which pairs show one person (CALFW also in which
fold, CPLFW not) and none says the fold of a different pair: both kinds are dealt to ten folds in their order, which
for CALFW's same pairs gives the folds that its list states.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.pairs import NamedPair
from vultus.faces.readers.boxes import marked, side_of
from vultus.faces.readers.pairs_file import deal
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

_PICTURES = ("images", "images&landmarks/images", "images&landmarks/images&landmarks/images")
_ALIGNED = "aligned images"
_LANDMARKS = ("CP_landmarks", "CA_landmarks", "landmarks", "images")
_ENDING = "_5loc_attri.txt"
_NUMBERED = re.compile(r"(.+?)[_-]\d+\D*")  # four names of CPLFW have slips such as Leni_Bjorklund-2
_MARGIN = 0.6  # about eyes, nose and mouth: from forehead to chin


@dataclass(frozen=True)
class _Edition:
    """What tells the two sets apart."""

    pairs: str
    landmarks: str
    source: str
    counts: dict[str, int]

    @property
    def layout(self) -> str:
        return f"""    SOURCE/{self.pairs}    two lines a pair: Aaron_Eckhart_1.jpg 1, the number above 0 for one person
    SOURCE/images/Aaron_Eckhart_1.jpg
    SOURCE/{self.landmarks}/Aaron_Eckhart_1{_ENDING}    five points, x y a line
  or SOURCE/aligned images/*.jpg in place of pictures and points"""


_CPLFW = _Edition(
    "pairs_CPLFW.txt",
    "CP_landmarks",
    "Cross-Pose LFW (Zheng & Deng, 2018)",
    {"pictures": 11_652, "people": 3_930, "pairs": 6_000},
)
_CALFW = _Edition(
    "pairs_CALFW.txt",
    "CA_landmarks",
    "Cross-Age LFW (Zheng, Deng & Hu, 2017)",
    {"pictures": 12_174, "people": 4_025, "pairs": 6_000},
)


def _read(src: Path, edition: _Edition) -> Reading:
    folder, landmarks = _place(src)
    if not (src / edition.pairs).is_file() or folder is None:
        raise LayoutError(src, edition.layout, f"no {edition.pairs}, or no folder of pictures")
    found = list(pictures(folder))
    pairs = _pairs(src / edition.pairs, name_of(src, folder))
    people = {match[1] for one in found if isinstance(one, Path) and (match := _NUMBERED.fullmatch(one.stem))}
    counts = {"pictures": len(found), "people": len(people), "pairs": len(pairs)}
    notes = differences(counts, edition.counts)
    if landmarks is None and folder.name != _ALIGNED:
        notes = (*notes, f"no file *{_ENDING}: the faces have no box, whole pictures are read")
    return Reading(
        records=_records(src, found, landmarks),
        source=edition.source,
        licence="research only: the terms of Labeled Faces in the Wild",
        count=len(found),
        pairs=tuple(pairs),
        notes=notes,
    )


def _place(src: Path) -> tuple[Path | None, Path | None]:
    """The folders of the pictures and of their landmarks: pictures with points before aligned before any."""
    folders = [src / name for name in _PICTURES if (src / name).is_dir()]
    for folder in folders:
        for name in _LANDMARKS:
            if next((folder.parent / name).glob(f"*{_ENDING}"), None):
                return folder, folder.parent / name
    if (src / _ALIGNED).is_dir():
        return src / _ALIGNED, None
    return next(iter(folders), None), None


def _pairs(path: Path, folder: str) -> list[NamedPair]:
    """Parse two lines a pair. Raises ValueError naming the line."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, words in enumerate(lines, start=1):
        if len(words) != 2 or not words[1].isdecimal():
            raise ValueError(f"{path}, line {number}: a picture and a whole number expected, got {' '.join(words)!r}")
    firsts, seconds = lines[::2], lines[1::2]
    if len(firsts) != len(seconds) or not lines:
        raise ValueError(f"{path}: two lines a pair expected, found {len(lines)} lines")
    for number, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        if first[1] != second[1]:
            raise ValueError(
                f"{path}, line {2 * number + 1}: both lines of a pair bear one number, got {first[1]} and {second[1]}"
            )
    same = [first[1] != "0" for first in firsts]
    names = [(f"{folder}/{first[0]}", f"{folder}/{second[0]}") for first, second in zip(firsts, seconds, strict=True)]
    return [NamedPair(fold, *pair, kind) for fold, pair, kind in zip(deal(same), names, same, strict=True)]


def _records(src: Path, found: list[Path | Skipped], landmarks: Path | None) -> Iterator[Record | Skipped]:
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        match = _NUMBERED.fullmatch(one.stem)
        try:
            if match is None:
                raise ValueError("a person's name and a number expected, such as Aaron_Eckhart_1.jpg")
            shape, box = _shape(landmarks, one)
        except (OSError, ValueError) as error:
            yield Skipped(name_of(src, one), str(error))
            continue
        yield record(src, one, labels={"identity": match[1], **shape}, box=box)


def _shape(folder: Path | None, picture: Path) -> tuple[dict[str, Label], Box | None]:
    """Five points (eyes, nose, mouth corners) and the box about them; nothing for pictures without."""
    if folder is None:
        return {}, None
    path = folder / f"{picture.stem}{_ENDING}"
    points = np.array(path.read_text(encoding="utf-8").split(), np.float64)
    if points.size != 10:
        raise ValueError(f"{path.name}: five points of x and y expected, got {points.size} numbers")
    found, box = marked(points.reshape(5, 2), side_of(picture), _MARGIN)
    return {"landmarks": found}, box


def _reader(edition: _Edition) -> Reader:
    def read(src: Path) -> Reading:
        return _read(src, edition)

    def recognises(src: Path) -> bool:
        return (src / edition.pairs).is_file() and _place(src)[0] is not None

    return Reader(read, recognises, edition.layout)


CPLFW, CALFW = _reader(_CPLFW), _reader(_CALFW)
