"""What the pieces hold, as one: the candidates that the global stages choose among, and the rejections."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus.curate.candidate import SCHEMA
from vultus.curate.reference import labels_of
from vultus.faces import decode
from vultus.faces.record import Label, numbered

Rows = NDArray[np.int64]
SMALL = [name for name in SCHEMA.names if name != "image"]


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidate i of N is entry i of every array, in the order of the listing. Pictures stay in their files."""

    table: pa.Table  # all rows of all pieces, memory-mapped
    rows: Rows  # [N]: those of the candidates

    @classmethod
    def open(cls, files: Sequence[Path]) -> "Pool":
        """The results of pieces, in their order. Raises ValueError for a file that is damaged.

        Two faces of one name (the second of a photograph `a`, the only one of a photograph `a#2`) are told apart.
        """
        table = pa.concat_tables([_read(path) for path in files])
        names = table["name"].to_pylist()
        if len(set(names)) < len(names):
            table = table.set_column(table.schema.get_field_index("name"), "name", pa.array(numbered(names)))
        return cls(table, np.flatnonzero(table["stage"].is_null().to_numpy()))

    def take(self, indices: Rows) -> "Pool":
        """The candidates at these indices, in this order."""
        return Pool(self.table, self.rows[indices])

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def names(self) -> NDArray[np.str_]:
        """[N]."""
        return np.array(self.column("name").to_pylist(), np.str_)

    @cached_property
    def quality(self) -> NDArray[np.float32]:
        """[N], 0 to 1."""
        return self.judged("quality")

    @cached_property
    def sha256(self) -> list[bytes]:
        """N hashes of the photographs' bytes; two faces of a photograph share one."""
        hashes: list[bytes] = self.column("sha256").to_pylist()
        return hashes

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """[N, 2]: the perceptual hashes of the crops and of their mirror images."""
        return np.stack([self.column(name).to_numpy() for name in ("phash", "mirrored")], axis=1)

    def judged(self, part: str) -> NDArray[np.float32]:
        """[N]: a part of the judgements."""
        values: NDArray[np.float32] = self.column(f"judged_{part}").to_numpy()
        return values

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of the candidates."""
        return self.table[name].take(pa.array(self.rows))

    def image_bytes(self, index: int) -> bytes:
        """The JPEG of the aligned crop."""
        return self.image_of_row(int(self.rows[index]))

    def image_of_row(self, row: int) -> bytes:
        """Of any row of the table, rejections included; empty where there is none."""
        data: bytes = self.table["image"][row].as_py()
        return data

    def images(self, indices: Sequence[int] | NDArray[Any], size: int) -> NDArray[np.uint8]:
        """Crops as uint8 RGB [B, 3, size, size]."""
        return decode.faces([self.image_bytes(int(index)) for index in indices], size)

    def labels(self, index: int) -> dict[str, Label]:
        """The source's labels."""
        return labels_of(self.table["labels"][int(self.rows[index])].as_py())


def _read(path: Path) -> pa.Table:
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}. Remove it and repeat the command: it is made again") from error
    if not table.schema.equals(SCHEMA):
        raise ValueError(f"{path} was written by another version: remove the folder {path.parent} and begin anew")
    return table
