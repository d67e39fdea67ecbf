"""Face sets as sources: their pictures are photographs again, with the labels that the set knows.

Faces of one picture that the set tells apart by boxes are one photograph, and each stays the face that its box means.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from vultus.curate.bounded import UnreadableError
from vultus.curate.reference import Labelled, Photograph, Reference, usable
from vultus.faces.card import FILE
from vultus.faces.faceset import FaceSet
from vultus.faces.record import number_in_picture

KIND = "face set"


def is_face_set(folder: Path) -> bool:
    """Whether a folder holds a face set."""
    return (folder / FILE).is_file()


def entries(folder: Path) -> Iterator[Reference]:
    """The pictures of a set, by the names of their first faces. Raises ValueError for a set that is damaged."""
    faces = _opened(str(folder))
    names = faces.names.tolist()
    numbered = _numbered(names)
    for rows in _pictures(faces, names):
        name = names[rows[0]]
        yield Reference(name, KIND, str(folder), f"{numbered.get(name, 1)}:{','.join(map(str, rows))}")


def opened(reference: Reference) -> Photograph:
    """A picture, with the labels of its faces. Raises UnreadableError."""
    numbered, _, rows = reference.key.partition(":")
    try:
        faces = _opened(reference.path)
        records = [faces.record(int(row)) for row in rows.split(",")]
    except (OSError, ValueError, IndexError) as error:
        raise UnreadableError(f"the face set cannot be read: {error}") from error
    first = records[0]
    if first.box is None:
        return Photograph(reference.name, first.image, usable(first.labels), numbered=int(numbered))
    boxed = tuple(Labelled(one.name, usable(one.labels), one.box) for one in records)
    return Photograph(reference.name, first.image, boxed=boxed, numbered=int(numbered))


def _numbered(names: Iterable[str]) -> dict[str, int]:
    """The highest number behind a name, where there is one: more faces of that picture are counted from there."""
    highest: dict[str, int] = defaultdict(int)
    for name in names:
        if number := number_in_picture(name):
            picture = name.removesuffix(number)
            highest[picture] = max(highest[picture], int(number[1:]))
    return highest


def _pictures(faces: FaceSet, names: list[str]) -> Iterable[list[int]]:
    """The rows of each picture. Faces that were cut out of one have pictures of their own, though they share a name."""
    pictures = [name.removesuffix(number_in_picture(name)) for name in names]
    shared = Counter(pictures)
    found: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for row, picture in enumerate(pictures):
        record = faces.record(row) if shared[picture] > 1 else None
        if record is None or record.box is None:
            found[names[row], b""].append(row)
        else:
            found[picture, sha256(record.image).digest()].append(row)
    return found.values()


@lru_cache(maxsize=2)
def _opened(folder: str) -> FaceSet:
    return FaceSet.open(folder)
