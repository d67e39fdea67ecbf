"""What is being read and for how long, on a terminal alone: a probe of many faces takes minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def waiting(parts: int) -> Iterator[Callable[[str], None]]:
    """Gives what to call with a few words as each of the parts begins; the line is gone at the end."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), MofNCompleteColumn())
    hidden = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=hidden) as bar:
        line = bar.add_task("", total=parts, completed=0)
        begun = iter(range(1, parts + 1))
        yield lambda words: bar.update(line, description=words, completed=next(begun))
