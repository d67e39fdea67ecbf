"""Labels as Arrow columns: what a record may carry, and the way there and back."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vultus.faces.decode import check_box
from vultus.faces.record import Label, Record

Kind = Literal["string"] | int  # an int k: k numbers, as float32
FIXED = {"image": pa.binary(), "name": pa.string(), "box": pa.list_(pa.float32(), 4)}


def clean(record: Record) -> Record:
    """Check a record and bring its labels to the form they are stored in.

    Unknown labels ('' and NaN) are left out; numbers are rounded to float32. Raises ValueError.
    """
    if not record.name:
        raise ValueError("a face needs a name, got ''")
    try:
        if record.box is not None:
            check_box(record.box)
        labels = {column: _stored(column, label) for column, label in record.labels.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"face {record.name!r}: {error}") from error
    known = {column: label for column, label in sorted(labels.items()) if label is not None}
    return Record(record.image, record.name, known, record.box)


def rounded(number: float) -> float:
    """A number as it comes back from a float32 column."""
    return float(np.float32(number))


def kind_of(label: Label) -> Kind:
    """The kind of column a label belongs to."""
    if isinstance(label, str):
        return "string"
    return len(label) if isinstance(label, tuple) else 1


def schema(kinds: Mapping[str, Kind]) -> pa.Schema:
    """The schema of a shard whose labels have these kinds; labels stand in alphabetical order."""
    return pa.schema({**FIXED, **{column: _type(kinds[column]) for column in sorted(kinds)}})


def batch(records: Sequence[Record], shape: pa.Schema) -> pa.RecordBatch:
    """Records as rows; a label a record lacks is null."""
    arrays = [
        pa.array([r.image for r in records], FIXED["image"]),
        pa.array([r.name for r in records], FIXED["name"]),
        pa.array([r.box for r in records], FIXED["box"]),
    ]
    for field in list(shape)[len(FIXED) :]:
        arrays.append(pa.array([r.labels.get(field.name) for r in records], field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=shape)


def to_numpy(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as [N] str ('' = unknown), [N] float32 or [N, k] float32 (NaN = unknown)."""
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        texts = [text or "" for text in column.to_pylist()]
        return np.array(texts, dtype=np.str_)
    if not pa.types.is_fixed_size_list(column.type):
        parts = [chunk.to_numpy(zero_copy_only=False) for chunk in column.chunks]
        return np.concatenate(parts or [np.empty(0)]).astype(np.float32)
    width = column.type.list_size
    vectors = [_vectors(chunk, width) for chunk in column.chunks]
    return np.concatenate(vectors or [np.empty((0, width), np.float32)])


def _vectors(chunk: pa.Array, width: int) -> npt.NDArray[np.float32]:
    values = chunk.values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, width)
    values = values[chunk.offset : chunk.offset + len(chunk)]
    known = chunk.is_valid().to_numpy(zero_copy_only=False)
    return np.where(known[:, None], values, np.float32(np.nan)).astype(np.float32)


def _type(kind: Kind) -> pa.DataType:
    if kind == "string":
        return pa.string()
    return pa.float32() if kind == 1 else pa.list_(pa.float32(), kind)


def _stored(column: str, label: Label) -> Label | None:
    if not column or column in FIXED:
        raise ValueError(f"{column!r} cannot name a label: it is empty or taken ({', '.join(FIXED)})")
    if isinstance(label, str):
        return label or None
    if isinstance(label, tuple):
        if len(label) < 2:
            raise ValueError(f"label {column!r}: a vector has two numbers or more, got {label}")
        numbers = tuple(rounded(number) for number in label)
        return None if all(map(math.isnan, numbers)) else numbers
    number = rounded(label)
    return None if math.isnan(number) else number
