"""Labeled Faces in the Wild (Huang et al., 2007): people by folder, verification by pairs.txt."""

from collections.abc import Iterator
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.pairs import NamedPair
from vultus.faces.readers.reading import LayoutError, Reader, Reading, pictures, record, subfolders
from vultus.faces.record import Record

PUBLISHED_FACES, PUBLISHED_PEOPLE = 13_233, 5_749
PAIRS = "pairs.txt"
LAYOUT = """    SOURCE/Aaron_Eckhart/Aaron_Eckhart_0001.jpg    one folder a person
    SOURCE/pairs.txt                               first line: folds <tab> pairs a fold"""


def read(src: Path, crop: float = 0.5) -> Reading:
    """Read LFW with its verification pairs.

    `crop` is the part of each side, about the centre, that becomes the face's box: in the (deep) funneled
    pictures the face fills the middle half; 1 keeps the whole picture.
    """
    if not 0 < crop <= 1:
        raise ValueError(f"crop is the part of the picture's side to keep, above 0 and up to 1; got {crop}")
    people = _people(src) if src.is_dir() else []
    if not people:
        raise LayoutError(src, LAYOUT, "no folder of a person, with pictures named after it")
    found = [(name, one) for name in people for one in pictures(src / name)]
    listed = src / PAIRS
    notes = _differences(len(found), len(people))
    if not listed.is_file():
        notes = (*notes, f"no {PAIRS}: the set has no verification pairs")
    return Reading(
        records=_records(src, found, crop),
        source="Labeled Faces in the Wild (Huang et al., 2007)",
        licence="research only: the terms of Labeled Faces in the Wild",
        count=len(found),
        pairs=read_pairs(listed) if listed.is_file() else (),
        notes=notes,
    )


def recognises(src: Path) -> bool:
    """Folders whose pictures are named after them."""
    return src.is_dir() and bool(_people(src))


def read_pairs(path: Path) -> tuple[NamedPair, ...]:
    """Parse pairs.txt: for each fold n pairs `name i j` of one person, then n `name i other j` of two.

    Raises ValueError naming the line.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    head = [int(word) for word in lines[0] if word.isdecimal()] if lines else []
    if not lines or len(head) != len(lines[0]) or len(head) not in (1, 2):
        raise ValueError(f"{path}: the first line gives folds and pairs a fold, such as 10 <tab> 300")
    folds, pairs_a_fold = head if len(head) == 2 else (1, head[0])
    if len(lines) - 1 != folds * 2 * pairs_a_fold:
        raise ValueError(
            f"{path}: {folds} folds of {pairs_a_fold} + {pairs_a_fold} pairs announced, found {len(lines) - 1} pairs"
        )
    pairs = []
    for place, words in enumerate(lines[1:]):
        fold, within = divmod(place, 2 * pairs_a_fold)
        pairs.append(_pair(path, place + 2, words, fold, within < pairs_a_fold))
    return tuple(pairs)


def _pair(path: Path, line: int, words: list[str], fold: int, same: bool) -> NamedPair:
    if same and len(words) == 3:
        words = [words[0], words[1], words[0], words[2]]
    if len(words) != 4 or not (words[1].isdecimal() and words[3].isdecimal()):
        form = "name <tab> number <tab> number" if same else "name <tab> number <tab> name <tab> number"
        raise ValueError(f"{path}, pair line {line}: {form} expected, got {' '.join(words)!r}")
    left, right = (f"{name}/{name}_{int(number):04d}.jpg" for name, number in (words[:2], words[2:]))
    return NamedPair(fold, left, right, same)


def _people(src: Path) -> list[str]:
    return [name for name in subfolders(src) if any((src / name).glob(f"{_escaped(name)}_[0-9]*"))]


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _records(src: Path, found: list[tuple[str, Path | Skipped]], crop: float) -> Iterator[Record | Skipped]:
    edge = (1 - crop) / 2
    box = None if crop == 1 else (edge, edge, 1 - edge, 1 - edge)
    for name, one in found:
        yield one if isinstance(one, Skipped) else record(src, one, labels={"identity": name}, box=box)


def _differences(faces: int, people: int) -> tuple[str, ...]:
    """Where a set that looks complete differs from the published counts."""
    if faces < 0.9 * PUBLISHED_FACES or (faces, people) == (PUBLISHED_FACES, PUBLISHED_PEOPLE):
        return ()
    published = f"published {PUBLISHED_FACES:,} of {PUBLISHED_PEOPLE:,}"
    return (f"{faces:,} pictures of {people:,} people, {published}",)


READER = Reader(read, recognises, LAYOUT)
