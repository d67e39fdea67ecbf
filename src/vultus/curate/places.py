"""Files by path or by address: of this machine, or of an object store through fsspec.

An address is what holds `://` (`s3://bucket/faces`, `gs://…`, `memory://…`); fsspec chooses the file system, whose own
package must be installed (s3fs, gcsfs, adlfs), and takes credentials from where that package looks for them. `file://`
is a path. Addresses come from the user alone: a source, a line of a list, the folder for the pieces.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from vultus.faces.atomic import write_atomic

Place = str | Path
AHEAD = 256 * 2**10  # bytes read beyond what is asked, of an object store: stores' own choices are up to 50 MB


def place(text: Place) -> Place:
    """A path of this machine as Path, an address as it is."""
    if isinstance(text, Path) or "://" not in text:
        return Path(text)
    return Path(text.removeprefix("file://")) if text.startswith("file://") else text.rstrip("/")


def is_address(text: Place) -> bool:
    """Whether the file is another machine's."""
    return isinstance(place(text), str)


def join(folder: Place, name: str) -> Place:
    """A file below a folder."""
    where = place(folder)
    return where / name if isinstance(where, Path) else f"{where}/{name}"


def open_file(file: Place) -> BinaryIO:
    """Open for reading, with seeking; an object store is read in ranges. Raises OSError."""
    where = place(file)
    if isinstance(where, Path):
        return where.open("rb")
    system, path = _system(where)
    return cast(BinaryIO, system.open(path, "rb", block_size=AHEAD))


def read_range(file: Place, start: int, size: int) -> bytes:
    """Bytes start … start + size − 1 or fewer at the end; of an object store in one request. Raises OSError."""
    where = place(file)
    if isinstance(where, Path):
        with where.open("rb") as opened:
            opened.seek(start)
            return opened.read(size)
    system, path = _system(where)
    with _as_os_error(where):
        return cast(bytes, system.cat_file(path, start=start, end=start + size))


def size(file: Place) -> int:
    """Bytes of a file. Raises OSError."""
    where = place(file)
    if isinstance(where, Path):
        return where.stat().st_size
    system, path = _system(where)
    with _as_os_error(where):
        return int(system.size(path))


def is_folder(folder: Place) -> bool:
    """Whether there is a folder, or an address that begins the addresses of files."""
    where = place(folder)
    if isinstance(where, Path):
        return where.is_dir()
    system, path = _system(where)
    return bool(system.isdir(path))


def files(folder: Place) -> list[str]:
    """The paths of all files below a folder, relative to it, sorted; of its subfolders too, hidden ones included."""
    where = place(folder)
    if isinstance(where, Path):
        return sorted(path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file())
    system, path = _system(where)
    root = path.rstrip("/") + "/"
    return sorted(str(found)[len(root) :] for found in system.find(path) if str(found).startswith(root))


def write(file: Place, data: bytes) -> None:
    """Write a file that is whole or not there: object stores show an object when its last byte has come."""
    where = place(file)
    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(where, data)
        return
    system, path = _system(where)
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    system.pipe_file(path, data)


def fetch(file: Place, into: Path) -> Path:
    """A local path to the file: itself, or a copy in the folder `into`, which is used again if it is there."""
    where = place(file)
    if isinstance(where, Path):
        return where
    local = into / where.rpartition("/")[2]
    if not local.exists():
        into.mkdir(parents=True, exist_ok=True)
        system, path = _system(where)
        write_atomic(local, system.cat_file(path))
    return local


@contextmanager
def _as_os_error(address: str) -> Iterator[None]:
    """Every store has exceptions of its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{address}: {error!r}") from error


def _system(address: str) -> tuple[Any, str]:
    """The file system and the path in it. Raises ValueError for one that is not known or not installed."""
    try:
        return cast(tuple[Any, str], fsspec.core.url_to_fs(address))
    except (ImportError, ValueError) as error:
        raise ValueError(f"{address} cannot be opened: {error}") from error
