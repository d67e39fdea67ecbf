"""The whole way in a few minutes, on rendered faces: set → PCL and SimCLR → probes → page."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vultus.evaluation.figure import Figure
from vultus.evaluation.measure import measure
from vultus.evaluation.table import terminal
from vultus.faces.faceset import FaceSet, write
from vultus.recipes import recipe
from vultus.report.page import write_report
from vultus.training.run import pretrain

SIZE = 48
READ = 128  # values of each feature that the probes see: equal terms, and quick
screen = Console(highlight=False)


def synthetic_set(
    count: int,
    out: Path,
    *,
    size: int = 64,
    identities: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> FaceSet:
    """Render `count` faces into a face set, with progress. Raises ModuleNotFoundError without the head mesh."""
    from vultus.faces.synthetic import generate

    columns = (TextColumn("rendering faces"), BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=screen) as bar:
        records = generate(count, size=size, seed=seed, identities=identities)
        write(
            bar.track(records, total=count),
            out,
            source="rendered by vultus from the CC0 MakeHuman head",
            licence="CC0-1.0",
            name="synthetic",
            made=f"vultus synthesise {count} --size {size} --seed {seed}",
            overwrite=overwrite,
        )
    return FaceSet.open(out)


def run_demo(out: Path, *, faces: int, minutes: float, seed: int = 0) -> Path:
    """Render, learn by PCL and by SimCLR for the same time, read out, write `report.html`; returns its path.

    Every part that lies finished in `out` is used again, so the demo resumes too.
    """
    start = time.monotonic()
    where = out / "faces"
    _say(1, f"rendering {faces:,} synthetic faces with known expression, identity, pose and action units")
    made = FaceSet.open(where) if (where / "card.json").exists() else synthetic_set(faces, where, size=64, seed=seed)
    runs = [out / "pcl", out / "simclr"]
    for number, run in enumerate(runs, 2):
        _say(number, f"pre-training {run.name} without labels for {minutes:g} min")
        settings = replace(recipe(f"{run.name}-cpu"), size=SIZE, minutes=minutes, seed=seed, probe=str(where))
        pretrain(settings, where, run)
    _say(4, f"reading the frozen features: linear probes on {READ} principal values, and baselines that learn nothing")
    figures: list[Figure] = []
    for run in runs:
        figures += measure(run, where, baselines=run is runs[0], seed=seed, pca=READ, tell=_tell)
    _say(5, "writing the page")
    page = write_report(runs, out / "report.html", faces=made, title="vultus demo: synthetic faces")
    screen.print(
        terminal(
            figures, title=f"frozen features, reduced to {READ} values, read by linear probes on people never seen"
        )
    )
    screen.print(_verdict(figures))
    screen.print(f"[bold]{page}[/] shows it all; done in {(time.monotonic() - start) / 60:.1f} min")
    return page


def _say(number: int, text: str) -> None:
    screen.print(f"[bold cyan]{number}/5[/] {text}")


def _tell(line: str) -> None:
    screen.print(f"    {line}", style="dim")


def _verdict(figures: Sequence[Figure]) -> str:
    """Expression, in words: where PCL stands to each rival, and whether the intervals are apart."""
    read: dict[str, tuple[float, float, float]] = {}
    for f in figures:  # a method's own choice of feature comes first: choosing by test figures would flatter it
        if f.task == "expression" and f.metric == "accuracy":
            read.setdefault(f.method, (f.value, f.low, f.high))
    own = read.pop("pcl")
    parts = []
    for name, (value, low, high) in sorted(read.items(), key=lambda item: item[1]):
        clear = "clearly " if own[1] > high or own[2] < low else ""
        parts.append(f"{clear}{'above' if own[0] > value else 'below'} {name} ({value:.1%})")
    return f"expression: PCL reads {own[0]:.1%}, " + ", ".join(parts)
