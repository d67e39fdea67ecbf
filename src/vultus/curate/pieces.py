"""The listing cut into pieces; each piece's result is one Arrow file, final once it is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from vultus.curate import candidate, places
from vultus.curate.alone import examine_alone
from vultus.curate.config import CurateConfig
from vultus.curate.examine import Examiner
from vultus.curate.places import Place
from vultus.curate.reference import Reference

SUFFIX = ".arrow"


@dataclass(frozen=True)
class Piece:
    """Some photographs, in the listing's order."""

    number: int
    references: tuple[Reference, ...]
    careful: bool = False  # each photograph in a process that may die: for a piece that killed its worker


def cut(listing: Sequence[Reference], size: int) -> tuple[Piece, ...]:
    """Pieces of `size` photographs, numbered from 0."""
    starts = range(0, len(listing), size)
    return tuple(Piece(number, tuple(listing[at : at + size])) for number, at in enumerate(starts))


def file_name(piece: Piece) -> str:
    """The name of a piece's result."""
    return f"piece-{piece.number:06d}{SUFFIX}"


def missing(pieces: Sequence[Piece], folder: Place) -> list[Piece]:
    """The pieces without a result."""
    where = places.place(folder)
    if isinstance(where, Path) and not where.is_dir():
        return list(pieces)
    there = set(places.files(where))
    return [piece for piece in pieces if file_name(piece) not in there]


def process(piece: Piece, settings: CurateConfig, folder: Place) -> None:
    """Read, detect, align and judge every photograph; write the piece's result to `folder`.

    The bytes depend on the photographs and the settings alone. A photograph that cannot be used is a Rejected row;
    one that takes longer than the settings allow ends the process.
    """
    if piece.careful:
        results = examine_alone(piece.references, settings)
    else:
        examiner = Examiner(settings)
        results = [one for reference in piece.references for one in examiner(reference)]
    places.write(places.join(folder, file_name(piece)), _file(results))


def _file(results: Sequence[candidate.Candidate | candidate.Rejected]) -> bytes:
    rows = candidate.table(results)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, rows.schema) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue())
