"""Lines on a terminal alone while an evaluation goes on: a probe of many faces takes minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn


def line(*columns: ProgressColumn, quiet: bool = False) -> Progress:
    """Columns on standard error, gone at the end; nothing is shown if `quiet`, nor in a file."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


@contextmanager
def waiting(parts: int) -> Iterator[Callable[[str], None]]:
    """Gives what to call with a few words as each of the parts begins."""
    words = TextColumn("{task.description}", markup=False)
    with line(SpinnerColumn(), words, MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task, begun = bar.add_task("", total=parts), iter(range(1, parts + 1))
        yield lambda what: bar.update(task, description=what, completed=next(begun))
