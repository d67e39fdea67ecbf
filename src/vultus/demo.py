"""The whole way in a few minutes, on rendered faces: set → PCL and SimCLR → probes → page."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from vultus.evaluation.baselines import BASELINES
from vultus.evaluation.figure import Figure
from vultus.evaluation.measure import measure
from vultus.evaluation.paired import difference
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.table import headlines, terminal
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet, write
from vultus.recipes import recipe
from vultus.report.page import write_report
from vultus.screen import screen
from vultus.training.budget import SHARE
from vultus.training.config import RunConfig
from vultus.training.run import pretrain
from vultus.training.turns import SECONDS, epochs_in, faces_a_second

SIZE, BATCH = 48, 64
PROBE_EVERY = 4.0  # epochs: a reading takes as long as an epoch of so few faces
TASKS = ("expression", "identity", "head_pose", "action_units")
ROUNDS = 2  # how often a few steps of each method are timed, in turn
LEAST = 1680  # faces: people come in twenties, one to 240 faces, and identity takes 20 in the test part, 3 of each
READ = 256  # values of each feature that the probes see: equal terms, and quick


def synthetic_set(
    count: int,
    out: Path,
    *,
    size: int = 64,
    identities: int | None = None,
    seed: int = 0,
    name: str = "synthetic",
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
            name=name,
            made=f"vultus synthesise {count} --size {size} --seed {seed}",
            overwrite=overwrite,
        )
    return FaceSet.open(out)


def run_demo(out: Path, *, faces: int, minutes: float, seed: int = 0) -> Path:
    """Render, learn by PCL and by SimCLR for the same time, read out, write `report.html`; returns its path.

    Every part that lies finished in `out` is used again, so the demo resumes too. Raises ValueError for too few faces.
    """
    if faces < LEAST:
        raise ValueError(f"--faces is {LEAST:,} or more, for identity to be read of people never seen; got {faces}")
    start = time.monotonic()
    where = out / "faces"
    _say(1, f"rendering {faces:,} synthetic faces with known expression, identity, pose and action units")
    made = FaceSet.open(where) if (where / "card.json").exists() else synthetic_set(faces, where, size=64, seed=seed)
    runs = [out / "pcl", out / "simclr"]
    settings = _settings([run.name for run in runs], made, minutes, seed)
    for number, run in enumerate(runs, 2):
        _say(number, f"pre-training {run.name} without labels on as many faces as {minutes:g} min hold")
        pretrain(settings[run.name], where, run)
    _say(4, f"reading the frozen features: linear probes on {READ} principal values, and baselines that learn nothing")
    figures = _read(runs, where, seed)
    _say(5, "writing the page")
    page = write_report(runs, out / "report.html", faces=made, title="vultus demo: synthetic faces")
    screen.print(
        terminal(figures, title=f"synthetic faces: frozen features at {READ} values, probed on people never seen")
    )
    screen.print(_verdict(figures))
    told = f" shows it all; done in {(time.monotonic() - start) / 60:.1f} min"
    screen.print(Text.assemble((str(page), "bold"), told))
    return page


def _settings(methods: Sequence[str], faces: FaceSet, minutes: float, seed: int) -> dict[str, RunConfig]:
    """The methods' recipes for equal time; what the minutes are in epochs is kept beside the faces, for resuming."""
    plain = {name: _small(name, faces, seed) for name in methods}
    note = faces.path.parent / "epochs.json"
    if not note.exists():
        learned = faces.where(split="train")
        rates = faces_a_second(plain, learned, ROUNDS, min(SECONDS, 60 * SHARE * minutes), screen.print)
        if missing := plain.keys() - rates.keys():
            raise RuntimeError(f"{', '.join(sorted(missing))} could not be timed, as said above")
        epochs = {name: epochs_in(minutes, rate, BATCH, len(learned)) for name, rate in rates.items()}
        write_atomic(note, json.dumps({"minutes": minutes, "epochs": epochs}).encode())
    kept = json.loads(note.read_text())
    if kept["minutes"] != minutes:
        raise ValueError(
            f"{note.parent} holds a demo of {kept['minutes']:g} minutes a method, asked for are {minutes:g}: "
            "choose another --out, or repeat its own"
        )
    return {name: replace(config, epochs=kept["epochs"][name]) for name, config in plain.items()}


def _small(method: str, faces: FaceSet, seed: int) -> RunConfig:
    """The method's recipe in smaller batches: a minute holds too few large ones."""
    small = replace(recipe(f"{method}-cpu"), size=SIZE, batch=BATCH, seed=seed)
    return replace(small, probe=str(faces.path), probe_every=PROBE_EVERY)


def _read(runs: Sequence[Path], faces: Path, seed: int) -> list[Figure]:
    """The runs' figures and the baselines', with the time left by the number of models."""
    figures: list[Figure] = []
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=screen) as bar:
        task = bar.add_task("", total=len(runs) + len(BASELINES))
        begun: list[str] = []

        def tell(line: str) -> None:
            if line.startswith("reading"):
                bar.update(task, description=line.partition(":")[0], completed=len(begun))
                begun.append(line)

        for run in runs:
            beside = BASELINES if run is runs[0] else ()
            figures += measure(run, faces, TASKS, protocol=Protocol(pca=READ, seed=seed), baselines=beside, tell=tell)
        bar.update(task, description="read", completed=len(begun))
    return figures


def _say(number: int, text: str) -> None:
    screen.print(Text.assemble((f"{number}/5", "bold cyan"), f" {text}"))


def _verdict(figures: Sequence[Figure]) -> str:
    """A line a task: what PCL's feature is better than, worse than, and what it cannot be told from.

    Both are compared on the same test faces, resampled together. Of each method the feature it would choose itself
    counts; choosing by test figures would flatter it.
    """
    lines = []
    for task in dict.fromkeys(f.task for f in headlines(figures)):
        read: dict[str, Figure] = {}
        for f in headlines(figures):
            if f.task == task:
                read.setdefault(f.method, f)
        own = read.pop("pcl")
        places: dict[str, list[str]] = {"better than": [], "level with": [], "worse than": []}
        for name, rival in read.items():
            change = difference(own, rival)
            place = "better than" if change.low > 0 else "worse than" if change.high < 0 else "level with"
            places[place].append(name)
        told = "; ".join(f"{place} {', '.join(names)}" for place, names in places.items() if names)
        lines.append(f"{task.replace('_', ' ')}: PCL is {told}")
    return "\n".join([*lines, "(on the same test faces, by the 95 % interval of the difference)"])
