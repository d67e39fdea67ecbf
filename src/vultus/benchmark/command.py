"""`vultus benchmark`: reads its flags, plans, runs, prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console

if TYPE_CHECKING:
    from vultus.evaluation.protocol import Readout

screen = Console(highlight=False, soft_wrap=True)


def benchmark(
    data: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SET [SET ...]")],
    methods: str = "",
    tasks: str = "all",
    faces: Annotated[Path | None, tyro.conf.arg(metavar="FACES")] = None,
    budget: str = "4e",
    seeds: int = 3,
    size: int = 48,
    out: Path = Path("bench"),
    settings: str = "",
    readout: str = "linear",
    shots: str = "",
    pca: int | None = None,
    mirrored: bool = False,
    stages: bool = False,
    runs: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN [RUN ...]")] = (),
    baselines: bool = False,
    atoms: int = 72,
    published: bool = True,
    keep_features: bool = False,
    dry_run: bool = False,
) -> None:
    """Methods × seeds pre-trained on equal terms, read on every set and task → one table with its statistics.

    Stopped at any point, the same command goes on with what is missing. Writes benchmark.md and benchmark.html.

    Args:
        data: Labelled face sets that are read; LEARN:TEST learns the read-out on one and tests it on another.
        methods: Separated by commas: names (pcl,simclr), recipes (pcl-paper), or with settings (moco:version=v3).
        tasks: Separated by commas, or all that each set can serve.
        faces: The set that the methods learn from, by its split train if it has one; its labels are not used.
        budget: Of each pre-training: minutes (20m, made into faces by each method's pace), epochs (4e), or none to read
            encoders as they begin.
        seeds: How many pre-trainings of each method.
        size: Side at which faces are seen, pixels.
        out: Folder of everything the benchmark makes.
        settings: Of all methods, as `vultus pretrain` calls them: batch=64,encoder=small.
        readout: linear, knn, kernel, or several separated by commas; identity is always compared by cosine.
        shots: Read with few labels too: 1,10 of each class, or below 1 a part of the training faces.
        pca: Read at most so many principal values of each feature: rows of equal length.
        mirrored: Read every face together with its mirror image, where that has the same answer.
        stages: Of encoders that have them read every stage (the feature stages), not the method's own choice.
        runs: Finished runs made elsewhere, to stand in the table too.
        baselines: Also encoders that learned nothing, pixels, LBP, HoG and a patch dictionary.
        atoms: Size of the patch dictionary; its feature has 32 values an atom.
        published: Print published figures beside.
        keep_features: Keep the cached features; else they go once a model is read.
        dry_run: Only tell what would be done, and how long it may take.
    """
    from vultus.benchmark.planning import plan
    from vultus.benchmark.run import overview, run

    made = plan(
        _parts(methods),
        data,
        out=out,
        faces=faces,
        budget=budget,
        tasks=_parts(tasks),
        seeds=seeds,
        size=size,
        settings=_parts(settings),
        readouts=[_readout(part) for part in _parts(readout)],
        shots=[_number(part) for part in _parts(shots)],
        pca=pca,
        mirrored=mirrored,
        stages=stages,
        runs=runs,
        baselines=baselines,
        atoms=atoms,
        keep_features=keep_features,
        published=published,
    )
    screen.print(overview(made), markup=False)
    if dry_run:
        return
    try:
        outcome = run(made, lambda line: screen.print(line, style="dim", markup=False))
    except KeyboardInterrupt:
        screen.print("stopped; what is finished is kept: repeat the command to go on")
        raise SystemExit(130) from None
    screen.print(f"the table lies in {outcome.markdown} and {outcome.page}", markup=False)
    if outcome.failures:
        told = "\n".join(f"  {failure.what}: {failure.error}" for failure in outcome.failures)
        screen.print(f"{len(outcome.failures)} failed; repeat the command to try again:\n{told}", markup=False)
        raise SystemExit(1)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _readout(text: str) -> "Readout":
    from vultus.evaluation.protocol import READOUTS

    for name in READOUTS:
        if name == text:
            return name
    raise ValueError(f"no read-out {text!r}; there are {', '.join(READOUTS)}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"shots are numbers such as 10 or 0.01, separated by commas; got {text!r}") from None
