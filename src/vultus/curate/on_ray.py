"""The pieces on a Ray cluster, through Ray Data: any number of machines, the same results.

Each actor keeps a process of its own that does the work. A photograph that kills it (a crash of a decoder, too much
memory, too much time) takes neither the actor nor Ray's patience with it: the piece is done again carefully, as on one
machine. A machine that is lost takes its actors along, and Ray gives their pieces to others.

Every machine needs vultus and the same paths or addresses: a source and a folder for the pieces that all of them reach.
"""

import logging
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from vultus.curate.executors import Tell, Work, ended_from_outside
from vultus.curate.pieces import Piece
from vultus.curate.workers import BrokenProcessPool, pool_of

MOST_BLOCKS = 4096  # tasks that Ray keeps account of; with more pieces than that a task does several


def on_ray(pieces: Sequence[Piece], work: Work, workers: int, tell: Tell) -> None:
    """An executor. workers: actors of one core each, on all machines; 0 for as many as the cluster has cores.

    Uses the cluster that RAY_ADDRESS names, else the one that this machine is part of. It begins none: Ray lets in
    whoever reaches its ports, and who may is the user's to say. Raises ModuleNotFoundError without Ray, ConnectionError
    without a cluster, and what `work` raised.
    """
    if not pieces:
        return
    by_number = {piece.number: piece for piece in pieces}
    with _cluster() as ray:
        crews = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(pieces))
        rows = [{"number": piece.number, "task": pickle.dumps((work, piece))} for piece in pieces]
        done = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_BLOCKS)).map_batches(
            Crew, batch_size=1, compute=ray.data.ActorPoolStrategy(size=crews), num_cpus=1
        )
        for row in done.iter_rows():
            raise_error(row)
            tell(by_number[row["number"]])


def raise_error(row: Mapping[str, Any]) -> None:
    """Raise what a crew's work raised, if it did."""
    if row["error"]:
        raise pickle.loads(row["error"])


class Crew:
    """What an actor does: it keeps a process that works, and replaces it when it dies."""

    def __init__(self) -> None:
        self._life = ExitStack()
        self._pool: Any = self._life.enter_context(pool_of(1))

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """The piece's number, and what `work` raised, pickled; nothing where all is well."""
        error = b""
        try:
            self._do(*pickle.loads(batch["task"][0]))
        except Exception as raised:
            error = pickle.dumps(raised)
        return {"number": batch["number"], "error": [error]}

    def _do(self, work: Work, piece: Piece) -> None:
        try:
            self._pool.submit(work, piece).result()
        except BrokenProcessPool:
            with pool_of(1) as alone:
                try:
                    alone.submit(work, replace(piece, careful=True)).result()
                except BrokenProcessPool as error:
                    raise ended_from_outside(piece) from error
            self._life.close()
            self._pool = self._life.enter_context(pool_of(1))


@contextmanager
def _cluster() -> Iterator[Any]:
    """Ray, connected; a connection that was made here ends here."""
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the executor ray needs Ray: pip install vultus[ray]") from error
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init("auto", log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            raise ConnectionError(
                "no Ray cluster was found: `ray start --head` begins one here, RAY_ADDRESS names one elsewhere, and "
                "one machine alone needs none (--executor processes)"
            ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    bars, context.enable_progress_bars = context.enable_progress_bars, False  # the command draws its own
    try:
        yield ray
    finally:
        context.enable_progress_bars = bars
        if ours:
            ray.shutdown()
