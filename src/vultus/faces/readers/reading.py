"""What a reader makes of a source, and the errors and steps the readers share."""

import os
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record
from vultus.faces.triplets import NamedTriplet

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
)


@dataclass(frozen=True)
class Reading:
    """A source as a stream of records, and what the card says of it."""

    records: Iterable[Record | Skipped]
    source: str
    licence: str  # '' where the source does not fix it
    count: int | None = None  # of records, as far as known before reading
    pairs: tuple[NamedPair, ...] = ()
    triplets: tuple[NamedTriplet, ...] = ()
    notes: tuple[str, ...] = ()  # what the user should know, such as counts that differ from the published


@dataclass(frozen=True)
class Reader:
    """One source layout: `read(src, **options)` reads it, `recognises(src)` tells it from others."""

    read: Callable[..., Reading]
    recognises: Callable[[Path], bool]
    layout: str  # the tree expected, for errors and help


class LayoutError(ValueError):
    """The source is not laid out as its reader expects."""

    def __init__(self, src: Path, layout: str, found: str) -> None:
        super().__init__(f"{src}: {found}\nfound:\n{_look(src)}\nexpected:\n{layout}")


def record(root: Path, path: Path, name: str = "", **parts: object) -> Record | Skipped:
    """A record with the picture's bytes, named by its path below the root unless told; or why it cannot be read."""
    name = name or name_of(root, path)
    try:
        return Record(path.read_bytes(), name, **parts)  # type: ignore[arg-type]
    except OSError as error:
        return Skipped(name, f"cannot be read: {error.strerror}")


def name_of(root: Path, path: Path) -> str:
    r"""A picture's name: its path below the root, with slashes; bytes that are no UTF-8 stand as \xe9."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def pictures(root: Path) -> Iterator[Path | Skipped]:
    """All files below the root with a picture's suffix, in sorted order; and folders that cannot be read.

    Hidden files and folders are passed over. Links to folders are followed, each real folder once.
    """
    return (one for one in visible_files(root) if isinstance(one, Skipped) or is_picture(one))


def visible_files(root: Path) -> Iterator[Path | Skipped]:
    """All files below the root whatever they hold, likewise."""
    return _walk(root, root, set())


def unlisted(root: Path, listed: Container[Path]) -> Iterator[Skipped]:
    """The pictures below the root that no row of a label file names, each as left out."""
    for one in pictures(root):
        if isinstance(one, Skipped):
            yield one
        elif one not in listed:
            yield Skipped(name_of(root, one), "no row of the labels names it")


def repeats(rows: Iterable[tuple[Hashable, str, Hashable]]) -> tuple[list[str], tuple[str, ...]]:
    """Of rows of face, split and labels why each is left out, '' for a face's first row; and a note on leaks.

    A leak is a face that is listed in two splits: by its first row it stays in one of them.
    """
    first: dict[Hashable, tuple[str, Hashable]] = {}
    reasons, leaks = [], set()
    for face, split, labels in rows:
        if face not in first:
            first[face] = split, labels
            reasons.append("")
            continue
        own, known = first[face]
        reasons.append(listed_again(*[f"as {split}"] * (split != own), *["with other labels"] * (labels != known)))
        if split != own:
            leaks.add(face)
    return reasons, (f"{len(leaks):,} faces are listed in two splits: the first row counts",) if leaks else ()


def listed_again(*differences: str) -> str:
    """Why a later row of a face is left out, and in what it contradicts the first."""
    return "listed a second time" + (f", {' and '.join(differences)}: the first row counts" if differences else "")


def across(pictures_of: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A note on pictures that show faces of several splits, from each face's picture and split."""
    splits: dict[str, set[str]] = {}
    for picture, split in pictures_of:
        splits.setdefault(picture, set()).add(split)
    shared = sum(len(own) > 1 for own in splits.values())
    return (f"{shared:,} pictures show faces of two splits",) if shared else ()


def is_picture(path: Path) -> bool:
    """Whether a file name is that of a picture, and not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def subfolders(src: Path) -> list[str]:
    """The names of the visible folders in a folder, sorted; a link to where nobody is let in is none."""
    return sorted(p.name for p in src.iterdir() if not p.name.startswith(".") and _is_folder(p))


def differences(counts: Mapping[str, int], published: Mapping[str, int]) -> tuple[str, ...]:
    """Notes on where a set that looks complete differs from the published counts; none for a plain part of it."""
    if sum(counts.values()) < 0.9 * sum(published.values()):
        return ()
    return tuple(
        f"{name}: {counts.get(name, 0):,} found, {number:,} published"
        for name, number in published.items()
        if counts.get(name, 0) != number
    )


def subject_folds(subjects: Iterable[str], folds: int) -> dict[str, str]:
    """The fold of each subject, counted from 0: its place among the sorted subjects modulo the number of folds."""
    return {subject: str(place % folds) for place, subject in enumerate(sorted(set(subjects)))}


def _walk(root: Path, folder: Path, seen: set[Path]) -> Iterator[Path | Skipped]:
    try:
        real = folder.resolve()
        if real in seen:
            return
        seen.add(real)
        entries = sorted(folder.iterdir())
        (folder / "..").stat()  # raises where a folder may be listed and not entered
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
        yield Skipped(name_of(root, folder), f"folder cannot be read: {getattr(error, 'strerror', error)}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            is_folder = entry.is_dir()
        except OSError as error:  # a link to where nobody is let in
            yield Skipped(name_of(root, entry), f"cannot be read: {error.strerror}")
            continue
        if is_folder:
            yield from _walk(root, entry, seen)
        else:
            yield entry


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _look(src: Path, shown: int = 8) -> str:
    """The first entries of a folder, for an error."""
    if not src.is_dir():
        return f"    {src.name} (a file)" if src.exists() else "    nothing: no such file or folder"
    try:
        entries = sorted(src.iterdir())
        lines = [f"    {entry.name}{'/' if entry.is_dir() else ''}" for entry in entries[:shown]]
    except OSError as error:
        return f"    a folder that cannot be read: {error.strerror}"
    more = [f"    … {len(entries) - shown} more"] if len(entries) > shown else []
    return "\n".join([*lines, *more]) or "    an empty folder"
