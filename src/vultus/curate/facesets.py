"""Face sets as sources: their pictures are photographs again, with the labels that the set knows."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from vultus.curate.bounded import UnreadableError
from vultus.curate.reference import Reference, usable
from vultus.faces.card import FILE
from vultus.faces.faceset import FaceSet
from vultus.faces.record import Label


def is_face_set(folder: Path) -> bool:
    """Whether a folder holds a face set."""
    return (folder / FILE).is_file()


def entries(folder: Path) -> Iterator[Reference]:
    """The faces of a set, by their names. Raises ValueError for a set that is damaged."""
    for row, name in enumerate(_opened(str(folder)).names.tolist()):
        yield Reference(name, "face set", str(folder), str(row))


def opened(reference: Reference) -> tuple[bytes, Mapping[str, Label]]:
    """A face's picture and labels. Raises UnreadableError."""
    try:
        faces, row = _opened(reference.path), int(reference.key)
        values = {column: faces.labels(column)[row].tolist() for column in faces.columns}
        return faces.image_bytes(row), usable(values)
    except (OSError, ValueError, IndexError) as error:
        raise UnreadableError(f"the face set cannot be read: {error}") from error


@lru_cache(maxsize=2)
def _opened(folder: str) -> FaceSet:
    return FaceSet.open(folder)
