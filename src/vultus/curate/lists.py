"""Lists of pictures: a text file with a path a line, or a csv with labels as columns."""

from collections.abc import Iterator
from pathlib import Path

from vultus.curate import places
from vultus.curate.bounded import read
from vultus.curate.places import Place
from vultus.curate.reference import Reference, to_json
from vultus.faces.readers.list import rows


def is_list(path: str) -> bool:
    """Whether a file's name is that of a list."""
    return Path(path).suffix.lower() in (".txt", ".csv")


def entries(src: Place) -> Iterator[Reference]:
    """The pictures a list names, relative to the list's folder, or anywhere by an absolute path or an address.

    Raises ValueError for a list whose lines do not fit together.
    """
    folder, _, _ = str(src).rpartition("/")
    for path, labels in rows(Path(str(src)), read(str(src)).decode("utf-8-sig")):
        there = path if places.is_address(path) or path.startswith("/") else str(places.join(folder or ".", path))
        yield Reference(path, "file", there, labels=to_json(labels))
