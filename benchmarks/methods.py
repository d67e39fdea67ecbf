"""Every method side by side, each in a process of its own: expression, identity, rank, speed, memory.

    VULTUS_DATA=folder-with-fer2013-and-lfw python -m benchmarks.methods OUT --minutes 20   # equal wall time
    … --minutes 20 --rates steps.md   # the minutes become faces by the table of benchmarks.bench_steps, measured alone
    VULTUS_DATA=… python -m benchmarks.methods OUT --epochs 4                               # equal faces seen
    python -m benchmarks.methods OUT --synthetic --minutes 1                                # a smoke run of each

Runs resume and figures are kept: call it again to go on, or to print the table again. A random encoder of each kind
stands beside them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.real import real_sets
from vultus.benchmark import watcher
from vultus.benchmark.entries import entries
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.kept import add_figures, read_figures
from vultus.evaluation.measure import DESCRIPTORS, rival
from vultus.evaluation.protocol import Protocol
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import METHODS
from vultus.methods.model import load
from vultus.recipes import recipe

SIZE, WHITENED = 48, 256

# name → method and settings in which it differs from its recipe, as `vultus benchmark --methods` takes them
RUNS = {name: name for name in METHODS} | {
    "moco v3": "moco:version=v3",
    "dino patches": "dino:encoder=patches:lr=3e-3",
    "pros patches": "pros:encoder=patches:lr=3e-3",
    "byol vit": "byol:encoder=vit:lr=1e-3",
    "contrawarping template": "contrawarping:control=template",
}
# name → the baseline, and the method whose encoder it is
FLOORS = {"random": ("random", "simclr"), "untrained": ("untrained", "simclr"), "random vit": ("random", "pros")}
FLOORS |= {name: (name, "simclr") for name in (*DESCRIPTORS, "dictionary")}
SMOKE = ("--batch", "64", "--probe-every", "4")


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    faces: int
    minutes: float
    memory: float  # GB resident at most
    rank: float


def sets_of(out: Path, synthetic: bool) -> dict[str, Path]:
    """Task → face set, made if it is not there."""
    if synthetic:
        path = out / "sets" / "synthetic"
        if not path.exists():
            subprocess.run([sys.executable, "-m", "vultus", "synthesise", "6000", str(path)], check=True)
        return dict.fromkeys(("expression", "identity", "head_pose"), path)
    sets = real_sets(out)
    return {"expression": sets["fer2013"], "identity": sets["lfw"]}


def train(name: str, faces: Path, out: Path, flags: Sequence[str]) -> Cost:
    """Run `vultus pretrain` and note what it took; a finished run is not run again."""
    (entry,) = entries([RUNS[name]])
    note = out / "cost.json"
    if not (out / "config.json").exists():
        command = [sys.executable, "-m", "vultus", "pretrain", entry.method, str(faces), "--out", str(out)]
        command += ["--size", str(SIZE), *flags, *entry.flags]
        out.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, watcher.__file__, str(note), *command], check=True)
    card = json.loads((out / "config.json").read_text())
    probes = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines() if '"probe"' in line]
    seen = card["run"]["steps"] * card["run"]["batch"]
    memory = json.loads(note.read_text())["memory"]
    return Cost(seen, card["seconds"] / 60, memory, probes[-1]["effective_rank"])


@dataclass(frozen=True)
class Column:
    """A task and how it is read."""

    task: str
    protocol: Protocol
    title: str

    def of(self, figures: Sequence[Figure]) -> Figure | None:
        """The figure of this column."""
        metric = "mae" if self.task == "head_pose" else "accuracy"
        for f in figures:
            how = f.detail.get("readout", self.protocol.readout), f.detail.get("whitened", False)
            if (f.task, f.metric, *how) == (self.task, metric, self.protocol.readout, self.protocol.pca is not None):
                return f
        return None


def columns(sets: dict[str, Path]) -> list[Column]:
    """What every model is asked."""
    plain = [Column(task, Protocol(), task.replace("_", " ")) for task in sets]
    white = Column("identity", Protocol(pca=WHITENED), f"identity, whitened to {WHITENED}")
    return [*plain, white, Column("expression", Protocol("knn"), "expression, kNN")]


def read(model: Any, folder: Path, sets: dict[str, Path]) -> Sequence[Figure]:
    """The figures of the method's own choice of feature, in every column; what is there is not read again."""
    folder.mkdir(parents=True, exist_ok=True)
    for column in columns(sets):
        if column.of(read_figures(folder)) is None:
            faces = FaceSet.open(sets[column.task])
            options: dict[str, Any] = {"feature": model.default_feature, "cache": folder / "features"}
            add_figures(folder, evaluate(model, faces, column.task, column.protocol, **options))
    return read_figures(folder)


def floors(out: Path, sets: dict[str, Path]) -> dict[str, Sequence[Figure]]:
    """The same of what learns nothing, or no more than patches; made only where it is not read yet."""
    faces = FaceSet.open(sets["expression"])
    found: dict[str, Sequence[Figure]] = {}
    for name, (kind, method) in FLOORS.items():
        folder = out / f"floor-{name.replace(' ', '-')}"
        if any(column.of(read_figures(folder)) is None for column in columns(sets)):
            read(rival(kind, faces, SIZE, config=recipe(f"{method}-cpu").method), folder, sets)
        found[name] = read_figures(folder)
    return found


def row(name: str, cost: Cost | None, figures: Sequence[Figure], sets: dict[str, Path]) -> str:
    """A line of the table."""
    cells = []
    for column in columns(sets):
        f = column.of(figures)
        assert f is not None  # it has just been read
        scale = 1 if column.task == "head_pose" else 100
        cells.append(f"{f.value * scale:.1f} ({f.low * scale:.1f}–{f.high * scale:.1f})")
    about = "– | – | – | – | –"
    if cost:
        rate = cost.faces / cost.minutes / 60
        about = f"{cost.faces:,} | {cost.minutes:.1f} | {rate:.0f} | {cost.rank:.0f} | {cost.memory:.1f}"
    return f"| {name} | {figures[0].dim} | {' | '.join(cells)} | {about} |"


def budget(name: str, asked: argparse.Namespace, count: int) -> tuple[str, str]:
    """The flag that bounds a run of `name` on `count` faces."""
    if not asked.minutes:
        return "--epochs", str(asked.epochs)
    if asked.rates is None:
        return "--minutes", str(asked.minutes)
    cells = [line.split("|") for line in asked.rates.read_text().splitlines() if line.startswith("| ")]
    milliseconds = {row[1].strip(): float(row[2]) for row in cells[1:]}
    return "--epochs", f"{asked.minutes * 60_000 / milliseconds[name] / count:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--rates", type=Path)
    parser.add_argument("--epochs", type=float, default=0.0)
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    sets = sets_of(asked.out, asked.synthetic)
    faces = sets["expression"]
    count = int((FaceSet.open(faces).labels("split") == "train").sum())
    flags = ["--seed", str(asked.seed), "--probe", str(faces), *(SMOKE if asked.synthetic else ())]
    lines = [row(name, None, figures, sets) for name, figures in floors(asked.out, sets).items()]
    for name in asked.only:
        tag = f"m{asked.minutes:g}" if asked.minutes else f"e{asked.epochs:g}"
        run = asked.out / f"{name.replace(' ', '-')}-{tag}-s{asked.seed}"
        cost = train(name, faces, run, [*budget(name, asked, count), *flags])
        if asked.rates:  # what it takes alone on the machine
            cost = replace(cost, minutes=asked.minutes)
        lines.append(row(name, cost, read(load(run), run, sets), sets))
        print(lines[-1], flush=True)
    heads = [column.title for column in columns(sets)]
    print(f"\n| method | values | {' | '.join(heads)} | faces seen | minutes | faces/s | rank | GB |")
    print("|" + "---|" * (len(heads) + 7))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
