"""Counts for the card: how labels are spread, and what equal pictures give away."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vultus.faces import columns
from vultus.faces.card import Column, Duplicates
from vultus.faces.record import Label, Record, number_in_picture


@dataclass
class Repeats:
    """Finds pictures whose bytes came before, while the faces pass by."""

    _first: dict[bytes, int] = field(default_factory=dict)  # digest → row
    _later: dict[int, list[Mapping[str, Label]]] = field(default_factory=lambda: defaultdict(list))

    def earlier(self, digest: bytes, row: int, record: Record) -> int | None:
        """The row of the first equal picture, if there is one; `record` is then noted as its repeat."""
        first = self._first.setdefault(digest, row)
        if first == row:
            return None
        self._later[first].append(record.labels)
        return first

    def count(self, table: pa.Table, dropped: bool) -> Duplicates:
        """Compare each repeat's labels with those of its first, which stands in the table."""
        across, conflicting = 0, dict.fromkeys(label_names(table), 0)
        conflicting.pop("split", None)
        for row, others in self._later.items():
            group = [{name: table[name][row].as_py() for name in label_names(table)}, *others]
            across += _disagree(group, "split")
            for name in conflicting:
                conflicting[name] += _disagree(group, name)
        return Duplicates(
            images=sum(map(len, self._later.values())),
            groups=len(self._later),
            across_splits=across,
            conflicting={name: groups for name, groups in conflicting.items() if groups},
            dropped=dropped,
        )


def face_key(digest: bytes, name: str) -> bytes:
    """What copies of a face have in common, from its picture's digest and its name.

    Two faces of one picture are no copies of each other; the second faces of two copies are.
    """
    return digest + number_in_picture(name).encode()


def label_names(table: pa.Table) -> list[str]:
    """The columns of a set that are labels."""
    return [name for name in table.column_names if name not in columns.FIXED]


def spread(table: pa.Table) -> dict[str, Column]:
    """How each label is spread over the set."""
    return {name: _spread(table[name]) for name in label_names(table)}


def _spread(column: pa.ChunkedArray) -> Column:
    known = len(column) - column.null_count
    if pa.types.is_string(column.type):
        counts = pc.value_counts(column.drop_null()).to_pylist()
        values = {one["values"]: one["counts"] for one in sorted(counts, key=lambda one: str(one["values"]))}
        return Column("string", known, values=values)
    numbers: np.ndarray[Any, Any] = columns.to_numpy(column)
    minimum, maximum = (float(np.nanmin(numbers)), float(np.nanmax(numbers))) if known else (None, None)
    width = numbers.shape[1] if numbers.ndim == 2 else 1
    return Column("vector" if width > 1 else "number", known, width, minimum=minimum, maximum=maximum)


def _disagree(group: Sequence[Mapping[str, Any]], name: str) -> bool:
    values = (labels.get(name) for labels in group)
    return len({tuple(value) if isinstance(value, list) else value for value in values if value is not None}) > 1
