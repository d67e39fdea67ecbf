"""`vultus evaluate`: frozen features read out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from vultus.evaluation.protocol import WHITEN, Normaliser, Protocol, Readout
from vultus.faces.record import PRESENT
from vultus.flags import Names, NamesOrAll
from vultus.screen import screen

if TYPE_CHECKING:
    from vultus.evaluation.figure import Figure


def _tasks(default: str) -> str:
    """The names of the tasks, for the help alone: reading them loads the tasks."""
    from vultus.evaluation.tasks import TASKS

    return f"(default: {default}; {', '.join(TASKS)})"


@dataclass(frozen=True)
class How:
    """The protocol of a reading."""

    pca: int | None = None  # read at most so many principal components; identity compares them whitened
    readout: Readout = "linear"  # linear probe, neighbours, or probe of similarities (kernel); identity: always cosine
    shots: float | None = None  # learn from so few labels: 10 of each class, or below 1 a part of the training faces
    whiten: float = WHITEN  # of compared components each over its standard deviation to this power; 1: unit variance
    normaliser: Normaliser = "auto"  # of landmarks' errors; auto: eyes' distance, of AFLW's 19 the diagonal, else box
    present: float = PRESENT  # intensity from 0 to 1 from which an action unit counts as shown; 0.4 is 2 of 5 levels


PLAIN = How()


def evaluate(
    run: Annotated[Positional[Path], tyro.conf.arg(metavar="RUN")],
    data: Annotated[Path, tyro.conf.arg(metavar="FACES")],
    task: Annotated[Names, tyro.conf.arg(help_behavior_hint=_tasks)] = ("all",),
    feature: str | None = None,
    test: Path | None = None,
    how: OmitArgPrefixes[How] = PLAIN,
    seeds: int = 1,
    baselines: NamesOrAll = (),
    atoms: int = 72,
    all_metrics: bool = False,
    mirrored: bool = False,
    slices: bool = False,
    markdown: Path | None = None,
    seed: int = 0,
) -> None:
    """Read frozen features out: a table of figures with intervals.

    Args:
        run: A run's folder.
        data: The labelled face set.
        task: What is read, one or several, as docs/tasks.md tells; all takes every task that the set can serve.
        feature: Which feature, or stages: every map of the encoder patches; else every one of the method's.
        test: Another face set: learn the read-out on DATA, test it on this one.
        seeds: Repeat with so many seeds, and show mean and standard deviation.
        baselines: Read beside it: alone all, or some of random,untrained,pixels,lbp,hog,dictionary.
        atoms: Size of the patch dictionary; its feature has 32 values an atom.
        all_metrics: Show every figure, not only each task's first.
        mirrored: Read every face together with its mirror image: the mean of both features.
        slices: Also by gender, age and ethnicity of the test faces, where the set knows them.
        markdown: Write the table to this file too.
        seed: Of validation cuts, shots, made pairs and bootstrap; the first of several.
    """
    from vultus.evaluation import table
    from vultus.evaluation.measure import measure

    if not task:
        raise ValueError("which task? give --task NAME, or all")
    if seeds < 1:
        raise ValueError(f"--seeds is 1 or more, got {seeds}")
    protocol = Protocol(**vars(how), seed=seed)
    figures = measure(
        run, data, task, feature=feature, protocol=protocol, test=test,
        seeds=range(seed, seed + seeds), baselines=baselines, atoms=atoms, mirrored=mirrored,
        tell=lambda line: screen.print(line, style="dim"),
    )  # fmt: skip
    screen.print(table.terminal(figures, everything=all_metrics))
    screen.print(f"kept in {run / 'evaluation.json'}; `vultus report {run}` shows them", style="dim")
    if slices:
        _show_slices(run, figures if all_metrics else table.headlines(figures), data, test)
    if markdown:
        markdown.write_text(table.markdown(figures, everything=all_metrics))


def _show_slices(run: Path, figures: "Sequence[Figure]", data: Path, test: Path | None) -> None:
    """By gender, age and ethnicity; shown, and kept in the run's folder."""
    from vultus.evaluation import slices, slices_table

    found = slices.slice_figures(figures, data, test)
    screen.print(slices_table.terminal(found))
    slices.add_slices(run, found)
