"""Who does the pieces: processes of this machine, or Ray.

An executor is a function `(pieces, work, workers, tell)`: it calls `work(piece)` once for every piece, in any order and
anywhere, and `tell(piece)` here when a piece is done. Where a worker dies with a piece, it calls
`work(replace(piece, careful=True))`. It returns when all are done, and raises what `work` raised. `workers` may be 0,
for one a core of all machines it has.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Any, Protocol

from joblib import cpu_count

from vultus.curate.pieces import Piece
from vultus.curate.workers import BrokenProcessPool, pool_of

Work = Callable[[Piece], None]
Tell = Callable[[Piece], None]


class Executor(Protocol):
    def __call__(self, pieces: Sequence[Piece], work: Work, workers: int, tell: Tell) -> None: ...


def processes(pieces: Sequence[Piece], work: Work, workers: int, tell: Tell) -> None:
    """Processes of this machine, one piece each at a time.

    When one dies, the pieces that were in work are done again with care, alone, and the others go on as before.
    Raises RuntimeError where a piece ends its process even so, which is the machine's fault and no photograph's.
    """
    waiting, workers = deque(pieces), workers or cpu_count()
    while waiting:
        for piece in _until_one_dies(waiting, work, workers, tell):
            if _until_one_dies(deque([replace(piece, careful=True)]), work, 1, tell):
                raise ended_from_outside(piece)


def _until_one_dies(waiting: deque[Piece], work: Work, workers: int, tell: Tell) -> list[Piece]:
    """Take pieces from `waiting` until none is left or a process died: then those that were in work."""
    running: dict[Future[Any], Piece] = {}
    with pool_of(workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    piece = waiting.popleft()
                    running[pool.submit(work, piece)] = piece
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    done.result()
                    tell(running.pop(done))
        except BrokenProcessPool:
            return list(running.values())
    return []


def ended_from_outside(piece: Piece) -> RuntimeError:
    """The error of a process that ended though nothing that it did could end it."""
    return RuntimeError(
        f"the process that watched over piece {piece.number} was ended from outside: is memory short? "
        "Repeat the command to go on, with fewer --workers"
    )


def on_ray(pieces: Sequence[Piece], work: Work, workers: int, tell: Tell) -> None:
    """Ray Data, on as many machines as there are; loaded when it is asked for."""
    from vultus.curate.on_ray import on_ray as run

    run(pieces, work, workers, tell)


EXECUTORS: dict[str, Executor] = {"processes": processes, "ray": on_ray}
