"""Reads that end: of plain files, and of so many bytes at most."""

import stat
from pathlib import Path

from vultus.curate import places

MOST_BYTES = 256 * 2**20  # of a photograph's file


class UnreadableError(ValueError):
    """A photograph that cannot be had from its source; the message is the reason."""


def read(path: str) -> bytes:
    """A whole file. Raises UnreadableError."""
    return _read(path, 0, None)


def read_range(path: str, start: int, size: int) -> bytes:
    """A part of a file. Raises UnreadableError."""
    return _read(path, start, size)


def _read(path: str, start: int, size: int | None) -> bytes:
    try:
        check_plain(path)
        wanted = places.size(path) if size is None else size
        if wanted > MOST_BYTES:
            raise UnreadableError(f"{wanted:,} bytes, at most {MOST_BYTES:,} are read of a photograph")
        data = places.read_range(path, start, wanted)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from error
    if len(data) < wanted:
        raise UnreadableError(f"the file was cut short: {wanted:,} bytes expected, {len(data):,} found")
    return data


def check_plain(path: str) -> None:
    """Raise UnreadableError for a pipe or a device of this machine, which would be read without end."""
    where = places.place(path)
    if isinstance(where, Path) and not stat.S_ISREG(where.stat().st_mode):
        raise UnreadableError("not a plain file")
