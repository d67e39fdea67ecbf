"""Writing a face set: all of it or nothing.

Everything goes into a hidden folder beside the target, which takes the target's name in the end (faces/placing.py);
whatever ends the writing early (an error, a full disk, a kill) leaves the target as it was.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pyarrow as pa

from vultus.faces import card as cards
from vultus.faces import columns, decode, placing, shards
from vultus.faces import pairs as pair_lists
from vultus.faces import triplets as triplet_lists
from vultus.faces.belongings import require_own
from vultus.faces.card import Card, Forgotten, Skipped
from vultus.faces.census import Repeats, face_key, spread
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record
from vultus.faces.triplets import NamedTriplet

SHARD_FACES = 8192


@dataclass
class _Intake:
    """What is known of the faces written so far."""

    sink: shards.ShardWriter
    drop_duplicates: bool
    rows: dict[str, int] = field(default_factory=dict)  # name → row; a dropped face's: that of its equal
    faces: int = 0
    repeats: Repeats = field(default_factory=Repeats)
    skipped: list[Skipped] = field(default_factory=list)
    content: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def take(self, item: Record | Skipped) -> None:
        if isinstance(item, Skipped):
            self.skipped.append(item)
            return
        record = columns.clean(item)
        if record.name in self.rows:
            raise ValueError(f"two faces have the name {record.name!r}; names must be unique within a set")
        try:
            decode.check(record.image)
        except decode.UnreadableImageError as error:
            self.skipped.append(Skipped(record.name, str(error)))
            return
        digest = hashlib.sha256(record.image).digest()
        earlier = self.repeats.earlier(face_key(digest, record.name), self.faces, record)
        if earlier is not None and self.drop_duplicates:
            self.rows[record.name] = earlier
            return
        self.rows[record.name] = self.faces
        self.faces += 1
        self.sink.append(record)
        self.content.update(digest + hashlib.sha256(_described(record)).digest())


@dataclass(frozen=True)
class _Origin:
    """What the card repeats as the caller said it."""

    name: str
    source: str
    licence: str
    notes: tuple[str, ...]
    made: str
    forgotten: tuple[Forgotten, ...]


def write(
    records: Iterable[Record | Skipped],
    out: str | Path,
    *,
    source: str,
    licence: str,
    name: str | None = None,
    made: str = "",
    notes: Sequence[str] = (),
    pairs: Sequence[NamedPair] = (),
    triplets: Sequence[NamedTriplet] = (),
    forgotten: Sequence[Forgotten] = (),
    drop_duplicates: bool = False,
    overwrite: bool = False,
    shard_faces: int = SHARD_FACES,
    beside: Callable[[Card], Mapping[str, bytes]] | None = None,
) -> Card:
    """Write records as a face set and return its card.

    Every picture is decoded once; an unreadable one is left out and listed in the card, as is every `Skipped`.
    Where `out` is a link, the set goes where it leads. `name` is the folder's unless given, `made` tells how the
    records came about, `forgotten` what was taken out of them (see faces/forget.py). With `drop_duplicates` only
    the first of pictures with equal bytes is kept. `beside` gives further files of the folder, by name.

    Raises FileExistsError when `out` holds anything (with `overwrite`: anything but a face set's files), ValueError
    for records that contradict each other, pairs of unknown pictures, or no readable face at all, and OSError
    when the disk is full. After an error `out` is as it was, but for an OSError which says that the new set is in
    place and the one it replaces could not be removed.
    """
    name = name or Path(out).absolute().name
    out = Path(out).resolve()
    check_target(out, overwrite)
    partial = placing.new_folder(out)
    try:
        intake = _take_all(records, partial, drop_duplicates, shard_faces)
        if pairs:
            pair_lists.save(pair_lists.resolve(pairs, intake.rows), partial / pair_lists.FILE)
        notes = (*notes, *_save_triplets(triplets, intake.rows, partial))
        origin = _Origin(name, source, licence, tuple(notes), made, tuple(forgotten))
        card = _card(origin, intake, partial)
        cards.save(card, partial / cards.FILE)
        for file, data in (beside(card) if beside else {}).items():
            (partial / file).write_bytes(data)
        old = placing.put_in_place(partial, out)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(out, error) from error
        raise
    if old is not None:
        placing.remove(old)
    return card


def _save_triplets(triplets: Sequence[NamedTriplet], rows: Mapping[str, int], folder: Path) -> tuple[str, ...]:
    """Write the triplets whose three faces are in the set; a note on the others."""
    held = triplet_lists.resolve(triplets, rows)
    if len(held):
        triplet_lists.save(held, folder / triplet_lists.FILE)
    lost = len(triplets) - len(held)
    return (f"{lost:,} of {len(triplets):,} triplets left out: a face of theirs is not in the set",) if lost else ()


def _card(origin: _Origin, intake: _Intake, folder: Path) -> Card:
    table = pa.concat_tables([shards.read(path) for path in sorted(folder.glob("shard-*.arrow"))])
    columns_of = spread(table)
    split = columns_of.get("split")
    return Card(
        **vars(origin),
        faces=intake.faces,
        content_hash=intake.content.hexdigest(),
        columns=columns_of,
        splits=dict(split.values or {}) if split else {},
        duplicates=intake.repeats.count(table, intake.drop_duplicates),
        skipped_count=len(intake.skipped),
        skipped=tuple(intake.skipped),
        shards=shards.describe(folder),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        vultus=_version(),
    )


def check_target(out: Path, overwrite: bool) -> None:
    """Raise FileExistsError unless a set may be written to `out`; what killed writers left there is cleared first."""
    out = out.resolve()
    placing.clear(out)
    if placing.vacant(out):
        return
    is_set = (out / cards.FILE).is_file()
    if is_set and overwrite:
        require_own(out)
    if is_set and not overwrite:
        raise FileExistsError(f"{out} already holds a face set; choose another folder or allow to overwrite it")
    if not is_set:
        raise FileExistsError(f"{out} exists and is not a face set; choose a new or empty folder")


def _take_all(records: Iterable[Record | Skipped], folder: Path, drop_duplicates: bool, shard_faces: int) -> _Intake:
    intake = _Intake(shards.ShardWriter(folder, shard_faces), drop_duplicates)
    try:
        for item in records:
            intake.take(item)
        if not intake.faces:
            raise ValueError(_no_face(intake.skipped))
        intake.sink.finish()
    finally:
        intake.sink.close()
    return intake


def _described(record: Record) -> bytes:
    """A record but for its picture, in one canonical form."""
    box = None if record.box is None else [columns.rounded(side) for side in record.box]
    return json.dumps([record.name, box, record.labels], sort_keys=True).encode()


def _no_face(skipped: Sequence[Skipped]) -> str:
    listed = "".join(f"\n    {one.name}: {one.reason}" for one in skipped[:5])
    return f"not one face to write; {len(skipped)} pictures were skipped{':' if listed else ''}{listed}"


def _disk_full(out: Path, error: OSError) -> OSError:
    free = shutil.disk_usage(out.parent).free
    return OSError(
        error.errno,
        f"no room left for the face set ({free // 2**20} MiB free now that the unfinished set is removed; "
        "it needs about the size of the source's pictures)",
        str(out),
    )


def _version() -> str:
    try:
        return metadata.version("vultus")
    except metadata.PackageNotFoundError:  # used from a checkout, not installed
        return "unknown"
