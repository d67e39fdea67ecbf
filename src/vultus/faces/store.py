"""Random access to the rows of memory-mapped shards."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vultus.faces import columns
from vultus.faces.census import label_names


@dataclass(frozen=True)
class _Images:
    """The pictures of one record batch: picture i is data[offsets[i] : offsets[i + 1]]."""

    offsets: npt.NDArray[np.int32]
    data: memoryview

    @classmethod
    def of(cls, chunk: pa.BinaryArray) -> "_Images":
        _, offsets, data = chunk.buffers()
        ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        return cls(ends, memoryview(data if data is not None else b""))


@dataclass(frozen=True)
class Store:
    """All rows of a set. Labels and names are read once and kept; pictures stay on disk."""

    table: pa.Table
    _labels: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def columns(self) -> Sequence[str]:
        return label_names(self.table)

    def values(self, column: str) -> npt.NDArray[Any]:
        """A column as an array that nobody can write to."""
        if column not in self._labels:
            array = columns.to_numpy(self.table[column])
            array.flags.writeable = False
            self._labels[column] = array
        return self._labels[column]

    def image(self, row: int) -> bytes:
        """The picture's bytes, as they came."""
        part = bisect_right(self._starts, row) - 1  # numpy's search costs more than the decoder's header
        images, place = self._images[part], row - self._starts[part]
        return bytes(images.data[images.offsets[place] : images.offsets[place + 1]])

    @cached_property
    def _images(self) -> list[_Images]:
        return [_Images.of(chunk) for chunk in self.table["image"].chunks if len(chunk)]

    @cached_property
    def _starts(self) -> list[int]:
        lengths = [len(chunk) for chunk in self.table["image"].chunks if len(chunk)]
        return [0, *accumulate(lengths)][:-1]
