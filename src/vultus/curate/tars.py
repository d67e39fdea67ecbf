"""WebDataset tars: files that share a name up to its first dot are a sample; its pictures and the labels in its .json.

A plain tar of pictures is read too: where dots in names make a sample of several pictures, each is a photograph.
A reference carries the place of the picture's bytes in the tar, so that opening it is one read.
"""

import json
import tarfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import PurePosixPath

from vultus.curate import places
from vultus.curate.bounded import MOST_BYTES, UnreadableError, check_plain, read_range
from vultus.curate.reference import NO_LABELS, Reference, fault, labels_of, to_json, usable
from vultus.faces.readers.reading import SUFFIXES
from vultus.faces.record import Label


def is_tar(name: str) -> bool:
    """Whether a file's name is that of a tar, compressed ones included."""
    return name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2"))


def entries(path: str, name: str) -> Iterator[Reference]:
    """The pictures of a tar, named TAR/KEY, or TAR/FILE where another has that key.

    A tar that breaks off gives what came before, and a fault.
    """
    if not name.lower().endswith(".tar"):
        raise UnreadableError("a compressed tar cannot be read at any place: unpack it into a .tar")
    check_plain(path)
    keys: set[str] = set()
    with places.open_file(path) as file:
        try:
            with tarfile.open(fileobj=file, mode="r:", errors="backslashreplace") as tar:  # names in any encoding
                files = (member for member in tar if member.isreg())
                for key, members in groupby(files, lambda member: _key(member.name)):
                    yield from _sample(tar, path, name, "" if key in keys else key, list(members))
                    keys.add(key)
        except (tarfile.TarError, OSError, EOFError) as error:
            yield fault(f"{name} (rest)", f"not a whole tar: {error}")


def opened(reference: Reference) -> tuple[bytes, Mapping[str, Label]]:
    """A sample's picture and labels. Raises UnreadableError."""
    start, size = map(int, reference.key.split(":"))
    return read_range(reference.path, start, size), labels_of(reference.labels)


def _key(member: str) -> str:
    """A file's path without what follows the first dot of its last part."""
    path = PurePosixPath(member)
    return str(path.with_name(path.name.partition(".")[0] or path.name))


def _sample(
    tar: tarfile.TarFile, path: str, name: str, key: str, members: list[tarfile.TarInfo]
) -> Iterator[Reference]:
    """key: "" where it is taken."""
    pictures = [m for m in members if PurePosixPath(m.name).suffix.lower() in SUFFIXES]
    if not pictures:
        yield fault(f"{name}/{key or members[0].name}", "a sample without a picture")
        return
    labels = [_labels(tar, m) for m in members if m.name.lower().endswith(".json")]
    for picture in pictures:
        called = key if key and len(pictures) == 1 else picture.name
        at = f"{picture.offset_data}:{picture.size}"
        yield Reference(f"{name}/{called}", "tar", path, at, labels[0] if labels else NO_LABELS)


def _labels(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """The labels of a sample; none where its .json is no object: the picture is good without them."""
    file = tar.extractfile(member) if member.size < MOST_BYTES else None
    try:
        found = json.loads(file.read()) if file is not None else {}
    except ValueError:
        return NO_LABELS
    return to_json(usable(found)) if isinstance(found, dict) else NO_LABELS
