"""What a run's folder tells: settings, log, model and figures."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vultus.evaluation.figure import Figure
from vultus.evaluation.kept import read_figures, with_scores
from vultus.methods.model import FaceModel, load
from vultus.training.journal import read_lines
from vultus.training.run import CIRCUMSTANCES

Event = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Run:
    """One folder of `pretrain`, read."""

    folder: Path
    label: str  # what the page calls it
    plan: Mapping[str, Any]  # run.json
    events: Sequence[Event]  # log.jsonl
    model: FaceModel | None  # the finished one, else the best so far
    figures: tuple[Figure, ...]  # evaluation.json

    @property
    def method(self) -> str:
        """Its name in the catalogue."""
        return str(self.plan["method"]["name"])

    @property
    def finished(self) -> bool:
        return (self.folder / "config.json").exists()

    @property
    def steps(self) -> int:
        """Steps done, as far as the log tells."""
        return max((int(e["step"]) for e in self.events), default=0)

    @property
    def faces_seen(self) -> int:
        return self.steps * int(self.plan["batch"])

    @property
    def seconds(self) -> float:
        """Of training, without probes; 0 where none was logged."""
        return max((float(e["seconds"]) for e in self.events if "seconds" in e), default=0.0)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in these folders, each once. Raises FileNotFoundError for a folder without a run."""
    folders = list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]
    plans = [read_plan(folder) for folder in folders]
    labels = _labels(folders, [str(plan["method"]["name"]) for plan in plans])
    return [
        Run(folder, label, plan, read_lines(folder / "log.jsonl"), _model(folder), _figures(folder))
        for folder, label, plan in zip(folders, labels, plans, strict=True)
    ]


def groups(runs: Sequence[Run]) -> dict[str, str]:
    """Label → what runs are called together that differ in their seed alone; a run without a sibling is not listed."""
    alike = siblings([run.plan for run in runs])
    methods = [runs[own[0]].method for own in alike]
    found: dict[str, str] = {}
    for own, method in zip(alike, methods, strict=True):
        labels = [runs[i].label for i in own]
        if len(own) > 1:
            plain = methods.count(method) == 1 and method not in labels
            name = method if plain else common_name(labels) or f"{labels[0]} …"
            found |= dict.fromkeys(labels, name)
    return found


def siblings(plans: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """The runs by place, those together whose run.json differ in the seed alone; copies of a run stay apart."""
    alike: dict[str, list[int]] = {}
    for place, plan in enumerate(plans):
        settings = {k: v for k, v in plan.items() if k not in (*CIRCUMSTANCES, "seed")}
        alike.setdefault(json.dumps(settings, sort_keys=True), []).append(place)
    together: list[list[int]] = []
    for own in alike.values():
        distinct = len({plans[i]["seed"] for i in own}) == len(own)
        together += [own] if distinct else [[i] for i in own]
    return together


def common_name(labels: Sequence[str]) -> str:
    """The labels without the mark of the seed (pros-s0, pros-s1 → pros); "" where that is not one name."""
    stems = {re.sub(r"[-_ ]*(s|seed)?[-_ ]?\d+$", "", label) for label in labels}
    return stems.pop() if len(stems) == 1 else ""


def read_plan(folder: Path) -> Mapping[str, Any]:
    """A run's run.json. Raises FileNotFoundError for a folder without a run."""
    path = folder / "run.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no run: expected run.json in it, as `vultus pretrain` writes it; give the folder "
            "that was its --out"
        )
    plan: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return plan


def _figures(folder: Path) -> tuple[Figure, ...]:
    """With what each test sample gave to them, where it is kept."""
    return tuple(with_scores(folder, figure) for figure in read_figures(folder))


def _model(folder: Path) -> FaceModel | None:
    for place in (folder, folder / "best"):
        if (place / "config.json").exists():
            return load(place)
    return None


def _labels(folders: Sequence[Path], methods: Sequence[str]) -> list[str]:
    """The shortest names that tell the runs apart: method, folder, path."""
    names = [[*methods], [f.resolve().name for f in folders], [str(f) for f in folders]]
    return next((n for n in names if len(set(n)) == len(n)), names[-1])
