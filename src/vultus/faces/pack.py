"""From a source to a face set: the work of `vultus pack`."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vultus.faces import card as cards
from vultus.faces.card import Card, Skipped
from vultus.faces.readers import READERS, Reading, detect
from vultus.faces.record import Record
from vultus.faces.writer import check_target, write


class Change(Protocol):
    """What makes other records of records, such as crops of photographs; `notes`, read at the end, go into the card."""

    def __call__(self, records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]: ...
    @property
    def notes(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class PackResult:
    """What packing made."""

    path: Path
    faces: int
    skipped: int  # pictures left out; the card lists each with its reason
    duplicates: int  # pictures equal to an earlier one
    reader: str
    card: Card


def pack(
    src: str | Path,
    out: str | Path,
    *,
    reader: str = "auto",
    licence: str = "",
    name: str | None = None,
    drop_duplicates: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    change: Change | None = None,
    **options: object,
) -> PackResult:
    """Pack a source into a face set.

    `licence` replaces the reader's statement. `change` is applied to the records on their way, such as
    `curate.aligned.Aligner`. `options` are the reader's own, such as `label` (folder), `crop`
    (lfw) or `every` (videos); None leaves one at its default. `progress` draws a bar on standard error. Raises
    what `write` raises, FileNotFoundError for a source that is not there, ValueError for one that is a face set
    already, and LayoutError (a ValueError) when the source is not laid out as the reader expects.
    """
    src, out = Path(src), Path(out)
    check_target(out, overwrite)
    _check_readable(src)
    if reader != "auto" and reader not in READERS:
        raise ValueError(f"reader is auto or one of {', '.join(READERS)}; got {reader!r}")
    chosen = detect(src) if reader == "auto" else reader
    given = {option: value for option, value in options.items() if value is not None}
    reading = _read(chosen, src, given)
    notes = list(reading.notes)
    with _watched(reading, progress) as records:
        card = write(
            records if change is None else _changed(records, change, notes),
            out,
            source=reading.source,
            licence=licence or reading.licence,
            name=name,
            made=" ".join([f"vultus pack, reader {chosen}", *(f"{o}={v}" for o, v in given.items())]),
            notes=notes,  # complete when the last record has come
            pairs=reading.pairs,
            triplets=reading.triplets,
            drop_duplicates=drop_duplicates,
            overwrite=overwrite,
        )
    return PackResult(out, card.faces, card.skipped_count, card.duplicates.images, chosen, card)


def _changed(records: Iterable[Record | Skipped], change: Change, notes: list[str]) -> Iterator[Record | Skipped]:
    yield from change(records)
    notes += change.notes


def _check_readable(src: Path) -> None:
    try:
        if (src / cards.FILE).is_file() and any(src.glob("shard-*.arrow")):
            raise ValueError(f"{src} is a face set already; nothing needs packing")
        if not src.exists():
            raise FileNotFoundError(f"{src}: no such file or folder")
        if src.is_dir():
            next(src.iterdir(), None)
            (src / "..").stat()  # raises where it may be listed and not entered
    except PermissionError as error:
        raise PermissionError(f"{src} cannot be read: permission denied. Ask its owner, or pack a copy.") from error


def _read(chosen: str, src: Path, given: Mapping[str, object]) -> Reading:
    read = READERS[chosen].read
    known = list(inspect.signature(read).parameters)[1:]
    unknown = [option for option in given if option not in known]
    if unknown:
        raise ValueError(f"reader {chosen} has no option {', '.join(unknown)}; it has: {', '.join(known) or 'none'}")
    return read(src, **given)


@contextmanager
def _watched(reading: Reading, progress: bool) -> Iterator[Iterable[Record | Skipped]]:
    columns = (TextColumn("packing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        yield bar.track(reading.records, total=reading.count)
