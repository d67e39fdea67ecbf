"""`vultus curate`: photographs → a face set; the flags are the fields of CurateConfig, and who works where."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional

from vultus.curate.config import CurateConfig
from vultus.screen import screen


def _executors(default: str) -> str:
    """The names of the executors, for the help alone: reading them loads what the pieces need."""
    from vultus.curate.executors import EXECUTORS

    return f"(default: {default}; {', '.join(EXECUTORS)})"


def curate(
    src: Annotated[Positional[str], tyro.conf.arg(metavar="SRC")],
    out: Annotated[Positional[Path], tyro.conf.arg(metavar="OUT")],
    config: OmitArgPrefixes[CurateConfig] = CurateConfig(),  # noqa: B008 - frozen
    executor: Annotated[str, tyro.conf.arg(help_behavior_hint=_executors)] = "processes",
    workers: int = 0,
    work: str | None = None,
    name: str | None = None,
    licence: str = "",
    overwrite: bool = False,
) -> None:
    """Photographs → a face set: faces found, aligned, judged, without copies; with a page that shows why.

    Args:
        src: A folder tree of pictures, WebDataset tars, Parquet tables and videos, one such file, or a list of
            pictures (txt, csv); a path or an address such as s3://bucket/photographs.
        out: The face set's folder.
        executor: Who works: processes of this machine, or a Ray cluster.
        workers: How many work at once; 0 for one a core.
        work: Where unfinished work lies, a path or an address, kept afterwards; else beside OUT until it is done.
        name: Of the set; else OUT's.
        licence: Terms of the photographs, kept in the set's card.
        overwrite: Begin anew with other settings, and replace a face set at OUT.
    """
    from vultus.curate.run import curate as run

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, markup=False, emoji=False)) as bar:
        task = bar.add_task("finding faces", total=None, visible=False)  # until it is known that there is work

        def progress(done: int, photographs: int) -> None:
            bar.update(task, completed=done, total=photographs, visible=True)

        try:
            result = run(
                src, out, config, executor=executor, workers=workers, work=work, name=name, licence=licence,
                overwrite=overwrite, progress=progress, say=lambda line: bar.console.print(line, style="dim"),
            )  # fmt: skip
        except KeyboardInterrupt:
            bar.console.print("interrupted; finished pieces are kept: repeat the command to go on")
            raise SystemExit(130) from None
    for line in result.funnel.lines():
        screen.print(line, soft_wrap=True)
    before = ", made before with the same settings: nothing to do" if result.before else ""
    screen.print(Text.assemble((f"{result.faces:,}", "bold"), f" faces in {result.path}{before}"))
    screen.print(f"what was kept and why: {result.page}", style="dim")
