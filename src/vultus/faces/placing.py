"""A finished folder takes the place of another, and what killed writers left beside it is cleared away.

A folder is filled under a hidden name beside its target. Where the system can, it exchanges names with what the target
held in one step. Where it cannot (file systems of a network, other systems than Linux), the old folder is renamed
first: a kill in between leaves it under its hidden name, from which the next `clear` brings it back.
"""

import ctypes
import glob
import os
import platform
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from vultus.faces.atomic import sync

_AT_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux


def new_folder(out: Path) -> Path:
    """An empty hidden folder beside `out`, made with the folders above it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = _hidden(out, "partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    return partial


def vacant(folder: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def unfinished(out: Path) -> list[Path]:
    """Folders beside `out` that its writers fill, or left when they were killed; sorted."""
    return sorted(one for one in out.parent.glob(glob.escape(f".{out.name}.") + "*") if _parts(out, one))


def clear(out: Path) -> None:
    """Remove what killed processes of this machine left beside `out`; where `out` is gone, the old one comes back.

    What cannot be removed stays, and `unfinished` tells of it.
    """
    for left in unfinished(out):
        kind, machine, number = _parts(out, left)
        if machine != platform.node() or _lives(int(number)):
            continue
        if kind == "old" and vacant(out):
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


def put_in_place(partial: Path, out: Path) -> Path | None:
    """Give `partial` the name `out`; returns where that which was there lies now. Raises OSError, `out` as it was."""
    for path in (*partial.iterdir(), partial):
        sync(path)
    old = None
    if vacant(out):
        partial.rename(out)
    elif exchange(partial, out):
        old = partial
    else:
        old = _hidden(out, "old")
        _rename_both(partial, out, old)
    sync(out.parent)
    return old


def remove(old: Path) -> None:
    """Remove a folder that another has replaced. Raises OSError that says so."""
    try:
        shutil.rmtree(old)
    except OSError as error:
        told = f"the new face set is in its place, but the old one could not be removed ({error}): remove it by hand"
        raise OSError(error.errno, told, str(old)) from error


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return not rename(_AT_HERE, os.fsencode(one), _AT_HERE, os.fsencode(other), _EXCHANGE)


def _rename_both(partial: Path, out: Path, old: Path) -> None:
    try:
        out.rename(old)
        partial.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise


def _hidden(out: Path, kind: str) -> Path:
    return out.parent / f".{out.name}.{kind}-{platform.node()}-{os.getpid()}"


def _parts(out: Path, folder: Path) -> Sequence[str]:
    """Kind, machine and process of a hidden folder of `out`; nothing of another folder."""
    found = re.fullmatch(rf"\.{re.escape(out.name)}\.(partial|old)-(.+)-(\d+)", folder.name, re.DOTALL)
    return found.groups() if found else ()


def _lives(process: int) -> bool:
    """Whether another process of this machine runs under the number."""
    if process == os.getpid():  # ours, so a killed process had it before
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and alive
        pass
    return True
