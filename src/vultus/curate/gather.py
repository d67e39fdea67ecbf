"""From a source to its pool: listed, cut into pieces, every piece done; what was done before is not done again."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from vultus.curate import places, state
from vultus.curate.config import CurateConfig
from vultus.curate.executors import EXECUTORS
from vultus.curate.photographs import fingerprint, listing
from vultus.curate.pieces import SUFFIX, Piece, cut, file_name, missing, process
from vultus.curate.places import Place
from vultus.curate.pool import Pool
from vultus.curate.reference import Reference

Progress = Callable[[int, int], None]  # photographs done, of all
COMPARED = re.compile(r"(exclude|like)-\d+")  # folders for pieces of sources that are compared with
FILES = rf"{re.escape(state.FILE)}|piece-\d{{6,}}{re.escape(SUFFIX)}"
MADE = re.compile(rf"{FILES}|\.({FILES})\.\w+")  # what a kill left half written included


@dataclass(frozen=True)
class Source:
    """A source, listed, and what is asked of it."""

    listed: tuple[Reference, ...]
    asked: state.Asked

    @classmethod
    def of(cls, src: Place, config: CurateConfig) -> "Source":
        """List a source. Raises what `listing` raises."""
        listed = listing(src, every=config.every, column=config.column)
        return cls(listed, state.Asked(str(src), fingerprint(listed), config))


@dataclass(frozen=True)
class Crew:
    """Who works, how many (0: one a core), and who is told."""

    executor: str
    workers: int
    progress: Progress

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise ValueError(f"executor is one of {', '.join(EXECUTORS)}, got {self.executor!r}")


def gather(source: Source, folder: Place, crew: Crew, anew: bool, life: ExitStack) -> Pool:
    """Do the pieces of a source that are missing in `folder`, and open all.

    anew: remove the pieces begun with other settings, on this machine. `life` ends copies of pieces that lie elsewhere.
    Raises ValueError where `folder` was begun otherwise.
    """
    _prepare(source.asked, folder, anew)
    config = source.asked.config
    pieces = cut(source.listed, config.piece)
    left = missing(pieces, folder)
    photographs, done = len(source.listed), len(source.listed) - sum(len(piece.references) for piece in left)
    crew.progress(done, photographs)

    def tell(piece: Piece) -> None:
        nonlocal done
        done += len(piece.references)
        crew.progress(done, photographs)

    EXECUTORS[crew.executor](left, partial(process, settings=config, folder=folder), crew.workers, tell)
    scratch = Path(life.enter_context(TemporaryDirectory()))
    return Pool.open([places.fetch(places.join(folder, file_name(piece)), scratch) for piece in pieces])


def _prepare(asked: state.Asked, folder: Place, anew: bool) -> None:
    """Begin the folder of pieces, or find it begun with the same."""
    try:
        if state.check(asked, folder, str(folder)):
            return
    except ValueError:
        where = places.place(folder)
        if not anew or not isinstance(where, Path):
            raise
        _clear(where)
    state.begin(asked, folder)


def _clear(folder: Path) -> None:
    """Remove what a curation puts into its folder, and nothing else: a user may have named a folder of his own."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink() and COMPARED.fullmatch(path.name):
            _clear(path)
            if not any(path.iterdir()):
                path.rmdir()
        elif path.is_file() and MADE.fullmatch(path.name):
            path.unlink()
