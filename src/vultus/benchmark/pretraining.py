"""A pre-training in a process of its own, and what it took."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vultus.benchmark import watcher
from vultus.benchmark.paces import epochs
from vultus.benchmark.plan import Plan, Subject
from vultus.benchmark.planning import asked_for
from vultus.faces.atomic import write_atomic
from vultus.training.journal import read_lines
from vultus.training.place import ASKED

TOOK = "took.json"  # what the watcher notes
WORDS = 300  # of an error that are kept
STOPPED = 143  # a process that was told to end, and saved


@dataclass(frozen=True)
class Cost:
    """What a pre-training took; memory and wall are None where no watcher stood by."""

    faces: float  # seen
    seconds: float  # of training alone
    rank: float  # effective rank of the feature at the end
    memory: float | None  # GB resident at most
    wall: float | None  # seconds, with start and online probes


def command(made: Plan, subject: Subject) -> list[str]:
    """What a user would type for this pre-training."""
    assert subject.entry is not None and made.unlabelled is not None
    entry, faces = subject.entry, made.unlabelled
    parts = [sys.executable, "-m", "vultus", "pretrain", entry.method, str(faces.path), "--out", str(subject.folder)]
    parts += ["--recipe", entry.recipe, "--size", str(made.config.size), "--seed", str(subject.seed)]
    return [*parts, "--split", faces.split, "--epochs", str(epochs(made, entry)), *entry.flags]


def learn(made: Plan, subject: Subject) -> str:
    """Pre-train, or go on where it was left; "" or, in one line, why it did not finish.

    Raises KeyboardInterrupt once the process has saved, when this one is told to end.
    """
    folder = subject.folder
    assert subject.entry is not None
    if not epochs(made, subject.entry):
        return "its pace could not be timed, so its minutes are not known in faces"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / ASKED, json.dumps(asked_for(made, subject), indent=1).encode())
    with (folder / "errors.txt").open("w+") as errors:
        watched = [sys.executable, watcher.__file__, str(folder / TOOK), *command(made, subject)]
        process = subprocess.Popen(watched, stderr=errors)
        try:
            process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        errors.seek(0)
        said = errors.read()
    if process.returncode == 0 and subject.trained:
        (folder / "errors.txt").unlink()
        return ""
    return _told(said) or f"the process ended with code {process.returncode}" + (
        ", asked to stop from outside" if process.returncode == STOPPED else ""
    )


def _told(said: str) -> str:
    """The one error that the command named, else the last line of what it wrote."""
    _, named, error = said.rpartition("vultus: error:")
    lines = [line.strip() for line in (error if named else said).splitlines() if line.strip()]
    return " ".join(lines if named else lines[-1:])[:WORDS]


def cost(run: Path) -> Cost:
    """Of a finished run, made here or elsewhere."""
    plan = json.loads((run / "run.json").read_text())
    events = read_lines(run / "log.jsonl")
    probes = [event for event in events if event["kind"] == "probe"]
    took = json.loads((run / TOOK).read_text()) if (run / TOOK).exists() else {}
    return Cost(
        faces=plan["steps"] * plan["batch"],
        seconds=float(json.loads((run / "config.json").read_text()).get("seconds", 0.0)),
        rank=float(probes[-1]["effective_rank"]) if probes else float("nan"),
        memory=took.get("memory"),
        wall=took.get("wall"),
    )


def mean(costs: list[Cost]) -> Cost:
    """Of several seeds; None for a value that one of them lacks."""
    columns = {name: [asdict(one)[name] for one in costs] for name in asdict(costs[0])}
    means: dict[str, Any] = {k: None if None in v else sum(v) / len(v) for k, v in columns.items()}
    return Cost(**means)
