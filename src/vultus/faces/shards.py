"""The Arrow files of a face set: written one after the other, memory-mapped for reading."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from vultus.faces import columns
from vultus.faces.card import Shard
from vultus.faces.record import Label, Record

_BATCH_ROWS = 1024
_BATCH_BYTES = 64 * 2**20  # far below the 2 GiB which an Arrow binary array can address


def file_name(number: int) -> str:
    """The name of a shard's file."""
    return f"shard-{number:05d}.arrow"


def create(path: Path) -> BinaryIO:
    """Open a new file for writing."""
    return path.open("xb")


class ShardWriter:
    """Appends records to shards of at most `shard_faces` rows.

    A label that turns up late begins a new shard; `finish` brings all shards to one schema.
    """

    def __init__(self, folder: Path, shard_faces: int) -> None:
        if shard_faces < 1:
            raise ValueError(f"shard_faces must be 1 or more, got {shard_faces}")
        self._folder, self._shard_faces = folder, shard_faces
        self._kinds: dict[str, columns.Kind] = {}
        self._waiting: list[Record] = []
        self._waiting_bytes = 0
        self._rows: list[int] = []  # of every shard begun
        self._file: BinaryIO | None = None
        self._stream: pa.RecordBatchFileWriter | None = None

    def append(self, record: Record) -> None:
        """Add a record that went through `columns.clean`."""
        if self._is_new_shape(record.labels, record.name):
            self._close_shard()
        self._kinds.update((column, columns.kind_of(label)) for column, label in record.labels.items())
        self._waiting.append(record)
        self._waiting_bytes += len(record.image)
        if len(self._waiting) >= _BATCH_ROWS or self._waiting_bytes >= _BATCH_BYTES:
            self._flush()
        if self._stored() + len(self._waiting) >= self._shard_faces:
            self._close_shard()

    def finish(self) -> None:
        """Write what waits, and give every shard the columns of all."""
        self._close_shard()
        wanted = columns.schema(self._kinds)
        for number in range(len(self._rows)):
            _reshape(self._folder / file_name(number), wanted)

    def close(self) -> None:
        """Let go of an unfinished file; its content is lost."""
        if self._file is not None:
            self._file.close()

    def _stored(self) -> int:
        return self._rows[-1] if self._stream is not None else 0

    def _is_new_shape(self, labels: Mapping[str, Label], name: str) -> bool:
        for column, label in labels.items():
            kind, known = columns.kind_of(label), self._kinds.get(column)
            if known is not None and known != kind:
                raise ValueError(f"face {name!r}: label {column!r} is {kind}, in earlier faces it is {known}")
        return not labels.keys() <= self._kinds.keys()

    def _flush(self) -> None:
        if not self._waiting:
            return
        shape = columns.schema(self._kinds)
        if self._stream is None:
            self._file = create(self._folder / file_name(len(self._rows)))
            self._stream = pa.ipc.new_file(self._file, shape)
            self._rows.append(0)
        self._stream.write_batch(columns.batch(self._waiting, shape))
        self._rows[-1] += len(self._waiting)
        self._waiting, self._waiting_bytes = [], 0

    def _close_shard(self) -> None:
        self._flush()
        if self._stream is None or self._file is None:
            return
        self._stream.close()
        _sync(self._file)
        self._file.close()
        self._file = self._stream = None


def describe(folder: Path) -> tuple[Shard, ...]:
    """Rows, size and SHA-256 of the shards of a folder, in order."""
    return tuple(_describe(path) for path in sorted(folder.glob("shard-*.arrow")))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> pa.Table:
    """A shard as a memory-mapped table. Raises ValueError when it is no shard of a face set."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}. Copy or pack the set again.") from error
    wrong = [name for name, kind in columns.FIXED.items() if name not in table.column_names]
    wrong += [
        name for name, kind in columns.FIXED.items() if name not in wrong and table.schema.field(name).type != kind
    ]
    if wrong:
        raise ValueError(
            f"{path} is not a shard of a face set: {', '.join(wrong)} missing or of another type; expected "
            + ", ".join(f"{name}: {kind}" for name, kind in columns.FIXED.items())
        )
    return table


def _describe(path: Path) -> Shard:
    return Shard(path.name, read(path).num_rows, path.stat().st_size, sha256(path))


def _reshape(path: Path, wanted: pa.Schema) -> None:
    """Add the columns a shard lacks, batch by batch."""
    with pa.memory_map(str(path)) as source:
        shard = pa.ipc.open_file(source)
        if shard.schema.equals(wanted):
            return
        whole = path.with_suffix(".whole")
        with create(whole) as file:
            with pa.ipc.new_file(file, wanted) as stream:
                for number in range(shard.num_record_batches):
                    part = shard.get_batch(number)
                    has = set(part.schema.names)
                    arrays = [part.column(f.name) if f.name in has else pa.nulls(len(part), f.type) for f in wanted]
                    stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=wanted))
            _sync(file)
    whole.replace(path)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
