"""Reads a model: its features once for each set, then every question; answers and failures lie in its folder."""

import json
import shutil
import time
from collections.abc import Callable
from typing import Any

import torch

from vultus.benchmark.plan import DONE, Plan, Reading, Subject
from vultus.evaluation.baselines import CALIBRATE, baseline, sample
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.kept import add_figures, read_figures, with_scores
from vultus.evaluation.mirrored import reader
from vultus.evaluation.stages import STAGES, has_stages
from vultus.evaluation.tasks import TASKS
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load, random_model

FAILED = "failed.txt"  # one line, in the folder of what failed
FEATURES = "features"


def read_all(made: Plan, subject: Subject, before: Callable[[Reading], None]) -> None:
    """Every reading of a model that is missing. `before` hears of each; a failure is noted and the rest goes on."""
    missing = [reading for reading in made.readings(subject) if not reading.done]
    if missing:
        model = opened(made, subject)
        for reading in missing:
            before(reading)
            _read(model, reading)
    if not made.config.keep_features and all(reading.done for reading in made.readings(subject)):
        shutil.rmtree(subject.folder / FEATURES, ignore_errors=True)


def opened(made: Plan, subject: Subject) -> Any:
    """The model, or the baseline made from the faces that are learned from (or else the first set)."""
    if subject.kind in ("learned", "given"):
        return load(subject.run or subject.folder)
    faces = FaceSet.open(made.unlabelled.path if made.unlabelled else made.questions[0].source.learn)
    if subject.entry is None:
        return baseline(subject.name, faces, made.config.size, config=subject.config, atoms=made.config.atoms)
    images = torch.from_numpy(sample(faces, made.config.size, CALIBRATE))
    return random_model(subject.entry.config.method, made.config.size, images, atoms=True, seed=subject.seed)


def _read(model: Any, reading: Reading) -> None:
    question, folder, start = reading.question, reading.folder, time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        protocol = question.protocol(reading.seed)
        faces, test = question.source.opened()
        seen = reader(model, question.mirrored, STAGES if question.stages and has_stages(model) else None)
        options: dict[str, Any] = {"feature": seen.default_feature, "cache": reading.subject.folder / FEATURES}
        figures = evaluate(seen, faces, question.task, protocol, test=test, **options)
    except Exception as error:  # whatever a task or a set may raise: the other readings go on
        fail(folder, error)
        return
    add_figures(folder, figures)
    if reading.subject.kind == "learned":
        add_figures(reading.subject.folder, figures)  # where `vultus report` looks for them
    (folder / FAILED).unlink(missing_ok=True)
    write_atomic(folder / DONE, json.dumps({"seconds": time.monotonic() - start}).encode())


def fail(folder: Any, error: object) -> None:
    """Note why, in one line."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = f"{type(error).__name__}: " if isinstance(error, Exception) and not isinstance(error, ValueError) else ""
    (folder / FAILED).write_text(" ".join(f"{kind}{error}".split())[:300] + "\n", encoding="utf-8")


def headline(reading: Reading) -> Figure | None:
    """The figure that stands for a reading, with its scores; None while it is missing."""
    if not reading.done:
        return None
    wanted = TASKS[reading.question.task].headline
    figures = read_figures(reading.folder)
    return with_scores(reading.folder, next((f for f in figures if f.metric == wanted), figures[0]))
