"""Parquet tables of pictures: a column of bytes, or of {bytes, path} as Hugging Face writes it; the rest are labels."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from vultus.curate import places
from vultus.curate.bounded import MOST_BYTES, UnreadableError, check_plain
from vultus.curate.reference import Reference, usable
from vultus.faces.record import Label


def entries(path: str, name: str, column: str) -> Iterator[Reference]:
    """The rows of a table, named TABLE/ROW. Raises UnreadableError."""
    try:
        check_plain(path)
        with places.open_file(path) as file:
            described = pq.ParquetFile(file)
            chosen = column or _only(described.schema_arrow)
            if chosen not in described.schema_arrow.names:
                raise UnreadableError(f"no column {chosen!r}; it has {', '.join(described.schema_arrow.names)}")
            groups = [described.metadata.row_group(group).num_rows for group in range(described.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(f"not a Parquet table: {error}") from error
    row = 0
    for group, count in enumerate(groups):
        for within in range(count):
            yield Reference(f"{name}/{row:08d}", "parquet", path, f"{group}:{within}:{chosen}")
            row += 1


def opened(reference: Reference) -> tuple[bytes, Mapping[str, Label]]:
    """A row's picture and labels. Raises UnreadableError."""
    group, within, column = reference.key.split(":", 2)
    try:
        row = _group(reference.path, int(group)).slice(int(within), 1).to_pylist()[0]
    except (pa.ArrowException, OSError, IndexError) as error:
        raise UnreadableError(f"the table cannot be read: {error}") from error
    picture = row.pop(column)
    data = picture.get("bytes") if isinstance(picture, dict) else picture
    if not isinstance(data, bytes) or not data:
        raise UnreadableError(f"column {column!r} holds no bytes in this row")
    if len(data) > MOST_BYTES:
        raise UnreadableError(f"{len(data):,} bytes, at most {MOST_BYTES:,} are read of a photograph")
    return data, usable(row)


def _only(schema: pa.Schema) -> str:
    """The column of pictures. Raises UnreadableError unless there is just one."""
    found = [column.name for column in schema if _holds_bytes(column.type)]
    if len(found) != 1:
        raise UnreadableError(
            f"one column of bytes expected, found {', '.join(found) or 'none'}; name it with --column"
        )
    return str(found[0])


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


@lru_cache(maxsize=2)  # neighbours of a listing share a group of rows
def _group(path: str, group: int) -> pa.Table:
    with places.open_file(path) as file:
        return pq.ParquetFile(file).read_row_group(group)
