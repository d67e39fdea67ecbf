"""Sources of photographs: their listing, and the reading of one.

A listing is a sorted tuple of small references, and a reference can be opened by itself, in any process, in any order.
What is wrong with a source beside its pictures (a folder or a tar that cannot be read, a line listed twice) is a
reference too, one whose opening tells the reason: nothing is passed over in silence.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from vultus.curate import facesets, lists, places, tables, tars, videos
from vultus.curate.bounded import UnreadableError, read
from vultus.curate.places import Place
from vultus.curate.reference import FAULT, Photograph, Reference, fault, labels_of
from vultus.faces.atomic import sha256_of
from vultus.faces.card import Skipped
from vultus.faces.readers.reading import SUFFIXES, name_of, visible_files
from vultus.faces.record import Label

LAYOUT = """    SOURCE/**/*.jpg        pictures anywhere below a folder (jpg, png, webp, bmp, gif, tif, ppm), among them
    SOURCE/**/*.tar        WebDataset tars: KEY.jpg, and KEY.json with labels
    SOURCE/**/*.parquet    tables with a column of picture bytes, and one more column a label
    SOURCE/**/*.mp4        videos (mp4, avi, mov, mkv, webm, m4v, mpg)
    any such file by itself, a list of pictures: faces.txt (a path a line), faces.csv (path, and labels); a face set"""


def listing(src: Place, *, every: int = 25, column: str = "") -> tuple[Reference, ...]:
    """References of all photographs of a folder tree, list, tar, table, video or face set, sorted by name.

    every: of a video, one frame in so many; column: of a table, the column of pictures, "" for the one there is.
    Raises FileNotFoundError, and ValueError where there is no photograph.
    """
    root = places.place(src)
    if isinstance(root, Path) and facesets.is_face_set(root):
        found = facesets.entries(root)
    elif places.is_folder(root):
        found = _below(root, every, column)
    elif isinstance(root, Path) and not root.exists():
        raise FileNotFoundError(f"{root}: no such file or folder; expected\n{LAYOUT}")
    elif lists.is_list(str(root)):
        found = lists.entries(root)
    else:
        found = _within(str(root), str(root).rpartition("/")[2], every, column)
    listed = tuple(sorted(_unique(found)))
    if all(reference.kind == FAULT for reference in listed):
        reasons = "".join(f"\n    {one.name}: {one.key}" for one in listed[:5])
        raise ValueError(f"{root}: no photograph; expected\n{LAYOUT}{reasons and chr(10) + 'found' + reasons}")
    return listed


def open_photograph(reference: Reference) -> Photograph:
    """Read one. Raises UnreadableError."""
    if reference.kind == FAULT:
        raise UnreadableError(reference.key)
    if reference.kind == facesets.KIND:
        return facesets.opened(reference)
    data, labels = _OPENERS[reference.kind](reference)
    return Photograph(reference.name, data, labels)


def approached(reference: Reference) -> Iterator[None]:
    """Go to where a photograph lies, in short steps. Raises UnreadableError."""
    if reference.kind == "video":
        yield from videos.wound(reference)


def _file(reference: Reference) -> tuple[bytes, Mapping[str, Label]]:
    return read(reference.path), labels_of(reference.labels)


_OPENERS: dict[str, Callable[[Reference], tuple[bytes, Mapping[str, Label]]]] = {
    "file": _file,
    "tar": tars.opened,
    "parquet": tables.opened,
    "video": videos.opened,
}


def _below(root: Place, every: int, column: str) -> Iterator[Reference]:
    """Of a folder tree."""
    if isinstance(root, Path):
        for one in visible_files(root):
            if isinstance(one, Skipped):
                yield fault(one.name, one.reason)
            else:
                yield from _within(str(one), name_of(root, one), every, column)
        return
    for name in places.files(root):
        if not any(part.startswith(".") for part in name.split("/")):
            yield from _within(str(places.join(root, name)), name, every, column)


def _within(path: str, name: str, every: int, column: str) -> Iterator[Reference]:
    """Of a file: itself, or what it holds; nothing of a file of another kind."""
    suffix = Path(name).suffix.lower()
    try:
        if suffix in SUFFIXES:
            yield Reference(name, "file", path)
        elif tars.is_tar(name):
            yield from tars.entries(path, name)
        elif suffix == ".parquet":
            yield from tables.entries(path, name, column)
        elif suffix in videos.SUFFIXES:
            yield from videos.entries(path, name, every)
    except (UnreadableError, OSError) as error:
        yield fault(name, str(error))


def _unique(found: Iterable[Reference]) -> Iterator[Reference]:
    """Names twice in a source become faults: a set's names are unique."""
    seen: dict[str, int] = {}
    for one in found:
        seen[one.name] = seen.get(one.name, 0) + 1
        yield one if seen[one.name] == 1 else fault(f"{one.name} ({seen[one.name]})", "listed twice")


def fingerprint(listed: Iterable[Reference]) -> str:
    """SHA-256 of a listing, in hex."""
    return sha256_of("\n".join(json.dumps(one) for one in listed).encode())
