"""The face set of a curation: records with the source's labels, and a table of every photograph and face."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vultus.curate.candidate import Fate
from vultus.curate.pool import SMALL, Pool
from vultus.faces import columns
from vultus.faces.card import Skipped
from vultus.faces.record import Label, Record

TABLE = "curation.parquet"
PAGE = "curation.html"
QUALITY = "quality"  # the label that every face gets


def kept(pool: Pool, fates: Sequence[Fate]) -> list[int]:
    """The candidates that no fate met, in the pool's order."""
    lost = {fate.index for fate in fates}
    return [index for index in range(len(pool)) if index not in lost]


def records(pool: Pool, chosen: Sequence[int]) -> tuple[Iterator[Record | Skipped], tuple[str, ...]]:
    """Faces, and after them the photographs that could not be read; and notes on labels left out.

    A label that is text for some photographs and a number for others stays with the more frequent kind.
    """
    kinds: dict[str, Counter[columns.Kind]] = {}
    for index in chosen:
        for name, label in pool.labels(index).items():
            kinds.setdefault(name, Counter())[columns.kind_of(label)] += 1
    usual = {name: counts.most_common(1)[0][0] for name, counts in kinds.items()}
    notes = tuple(
        f"label {name} left out of {counts.total() - counts[usual[name]]:,} faces, where it is of another kind"
        for name, counts in sorted(kinds.items())
        if len(counts) > 1
    )

    def labels(index: int) -> dict[str, Label]:
        found = pool.labels(index)
        same = {name: label for name, label in found.items() if columns.kind_of(label) == usual[name]}
        return same | {QUALITY: float(pool.quality[index])}

    def stream() -> Iterator[Record | Skipped]:
        for index in chosen:
            yield Record(pool.image_bytes(index), str(pool.names[index]), labels(index))
        yield from _unread(pool)

    return stream(), notes


def table(pool: Pool, fates: Sequence[Fate]) -> bytes:
    """Parquet: a row for every photograph and face, in the listing's order, with its parts, and why it is not kept."""
    rows = pool.table.select(SMALL)
    for name in ("stage", "reason", "detail"):
        values = rows[name].to_pylist()
        for fate in fates:
            values[int(pool.rows[fate.index])] = getattr(fate, name)
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values, pa.string()))
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def _unread(pool: Pool) -> Iterator[Skipped]:
    rows = pool.table.select(["name", "detail", "stage"])
    rows = rows.filter(pc.equal(rows["stage"], "read"))
    for row in rows.to_pylist():
        yield Skipped(row["name"], row["detail"])
