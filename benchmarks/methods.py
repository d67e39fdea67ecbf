"""Every method side by side, each in a process of its own: expression, identity, rank, speed, memory.

    VULTUS_DATA=folder-with-fer2013-and-lfw python -m benchmarks.methods OUT --minutes 20   # equal wall time
    VULTUS_DATA=… python -m benchmarks.methods OUT --epochs 4                               # equal faces seen
    python -m benchmarks.methods OUT --synthetic --minutes 1                                # a smoke run of each

Runs resume and figures are kept: call it again to go on, or to print the table again. A random encoder of each kind
stands beside them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.real import real_sets
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.measure import add_figures, measure, read_figures, sample
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import METHODS
from vultus.methods.model import load, random_model
from vultus.recipes import recipe

SIZE = 48

# name → method and the flags in which it differs from its recipe
RUNS: dict[str, tuple[str, tuple[str, ...]]] = {name: (name, ()) for name in METHODS} | {
    "moco v3": ("moco", ("--version", "v3")),
    "dino patches": ("dino", ("--encoder", "patches", "--lr", "3e-3")),
    "pros patches": ("pros", ("--encoder", "patches", "--lr", "3e-3")),
    "byol vit": ("byol", ("--encoder", "vit", "--lr", "1e-3")),
}
SMOKE = ("--batch", "64", "--probe-every", "4")


# a process that is small itself: a child's peak begins with its parent's size
WATCHED = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
open(sys.argv[1], "w").write(json.dumps({"memory": used}))
"""


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
    method, own = RUNS[name]
    note = out / "cost.json"
    if not note.exists():
        command = [sys.executable, "-m", "vultus", "pretrain", method, str(faces), "--out", str(out)]
        command += ["--size", str(SIZE), *flags, *own]
        subprocess.run([sys.executable, "-c", WATCHED, str(note), *command], check=True)
    card = json.loads((out / "config.json").read_text())
    probes = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines() if '"probe"' in line]
    seen = card["run"]["steps"] * card["run"]["batch"]
    memory = json.loads(note.read_text())["memory"]
    return Cost(seen, card["seconds"] / 60, memory, probes[-1]["effective_rank"])


def read(run: Path, sets: dict[str, Path]) -> Sequence[Figure]:
    """The figures of the method's own choice of feature, by linear probe and by neighbours."""
    feature = load(run).default_feature
    for task, readout in readings(sets):
        if not list(those(read_figures(run), task, readout)):
            measure(run, sets[task], task, feature=feature, readout=readout)
    return read_figures(run)


def floors(out: Path, sets: dict[str, Path]) -> dict[str, Sequence[Figure]]:
    """The same of untrained encoders: random ones, and one that has its atoms."""
    found: dict[str, Sequence[Figure]] = {}
    seen = torch.from_numpy(sample(FaceSet.open(sets["expression"]), SIZE, 5000))
    for name, method, atoms in (
        ("random", "simclr", False),
        ("untrained", "simclr", True),
        ("random vit", "pros", False),
    ):
        folder = out / f"floor-{name.replace(' ', '-')}"
        folder.mkdir(exist_ok=True)
        model = random_model(recipe(f"{method}-cpu").method, SIZE, seen, atoms=atoms)
        for task, readout in readings(sets):
            if not list(those(read_figures(folder), task, readout)):
                cache = folder / "features"
                faces = FaceSet.open(sets[task])
                figures = evaluate(model, faces, task, feature=model.default_feature, readout=readout, cache=cache)
                add_figures(folder, figures)
        found[name] = read_figures(folder)
    return found


def readings(sets: dict[str, Path]) -> list[tuple[str, str]]:
    """Task and read-out of every column."""
    return [*((task, "linear") for task in sets), ("expression", "knn")]


def those(figures: Sequence[Figure], task: str, readout: str) -> Iterator[Figure]:
    """The figures of a column."""
    metric = "mae" if task == "head_pose" else "accuracy"
    for f in figures:
        if (f.task, f.metric) == (task, metric) and f.detail.get("readout", "linear") in (readout, "cosine"):
            yield f


def row(name: str, cost: Cost | None, figures: Sequence[Figure], sets: dict[str, Path]) -> str:
    """A line of the table."""
    cells = []
    for task, readout in readings(sets):
        f = next(those(figures, task, readout))
        scale = 1 if task == "head_pose" else 100
        cells.append(f"{f.value * scale:.1f} ({f.low * scale:.1f}–{f.high * scale:.1f})")
    about = "– | – | – | – | –"
    if cost:
        rate = cost.faces / cost.minutes / 60
        about = f"{cost.faces:,} | {cost.minutes:.1f} | {rate:.0f} | {cost.rank:.0f} | {cost.memory:.1f}"
    return f"| {name} | {f.dim} | {' | '.join(cells)} | {about} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--epochs", type=float, default=0.0)
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    sets = sets_of(asked.out, asked.synthetic)
    faces = sets["expression"]
    budget = ("--minutes", str(asked.minutes)) if asked.minutes else ("--epochs", str(asked.epochs))
    flags = [*budget, "--seed", str(asked.seed), "--probe", str(faces), *(SMOKE if asked.synthetic else ())]
    lines = [row(name, None, figures, sets) for name, figures in floors(asked.out, sets).items()]
    for name in asked.only:
        run = asked.out / f"{name.replace(' ', '-')}-{'m' if asked.minutes else 'e'}{budget[1]}-s{asked.seed}"
        cost = train(name, faces, run, flags)
        lines.append(row(name, cost, read(run, sets), sets))
        print(lines[-1], flush=True)
    heads = [*(task.replace("_", " ") for task in sets), "expression, kNN"]
    print(f"\n| method | values | {' | '.join(heads)} | faces seen | minutes | faces/s | rank | GB |")
    print("|" + "---|" * (len(heads) + 7))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
