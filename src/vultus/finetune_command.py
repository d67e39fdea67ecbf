"""`vultus finetune`: the flags are the fields of FinetuneConfig."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional

from vultus.evaluation import table
from vultus.screen import counted, screen
from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.run import finetune as run


@dataclass(frozen=True)
class Finetune:
    """Teach a run's encoder the labels of a face set, and measure it; the same command resumes what was stopped."""

    run: Annotated[Positional[Path], tyro.conf.arg(metavar="RUN")]  # the run's folder
    data: Annotated[Path, tyro.conf.arg(metavar="FACES")]  # the labelled face set
    out: Path  # the fine-tuning's folder
    test: Annotated[Path | None, tyro.conf.arg(metavar="FACES")] = None  # another face set, to be tested on
    seeds: int = 1  # fine-tune with so many seeds, and show mean and standard deviation
    seed: int = 0  # of everything; the first of several
    config: FinetuneConfig = field(default_factory=FinetuneConfig)


def finetune(arguments: list[str]) -> None:
    """Read the flags, fine-tune, print the table."""
    asked = tyro.cli(Annotated[Finetune, OmitArgPrefixes], args=arguments, prog="vultus finetune")
    if asked.seeds < 1:
        raise ValueError(f"--seeds is 1 or more, got {asked.seeds}")
    result = run(
        asked.run,
        asked.data,
        asked.out,
        asked.config,
        test=asked.test,
        seeds=range(asked.seed, asked.seed + asked.seeds),
        tell=lambda line: screen.print(line, style="dim"),
    )
    if result.figures:
        how = "trained from scratch" if asked.config.scratch else "fine-tuned"
        screen.print(table.terminal(result.figures, title=f"{how} on {asked.data.name}"))
    if result.status == "interrupted":
        screen.print("interrupted and saved; repeat the command to go on")
        raise SystemExit(143)
    minutes = sum(course.seconds for course in result.courses) / 60
    told = f": {counted(len(result.courses), 'model')}, {minutes:.1f} min of learning; in {result.out}"
    screen.print(Text.assemble((result.status, "bold"), told))
    screen.print(f"the figures are kept in {asked.run / 'evaluation.json'}", style="dim")
