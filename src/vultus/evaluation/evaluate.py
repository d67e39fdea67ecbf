"""A model or baseline, a face set, tasks → figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.embedding import embed
from vultus.evaluation.figure import Figure
from vultus.evaluation.joined import Joined
from vultus.evaluation.preparation import prepare
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.tasks import Task, task_for
from vultus.evaluation.waiting import waiting
from vultus.faces.faceset import FaceSet

Features = Mapping[str, NDArray[np.floating]]
PLAIN = Protocol()


def evaluate(
    model: Any,
    faces: FaceSet,
    task: str | Sequence[str],
    protocol: Protocol = PLAIN,
    *,
    test: FaceSet | None = None,
    feature: str | None = None,
    cache: Path | None = None,
) -> tuple[Figure, ...]:
    """Embed the faces once and read every feature (or the one named) for each task.

    model: a FaceModel or a baseline. test: another set, to test on what `faces` taught. Principal components are fitted
    once for all tasks, on the faces of the set's training split; within each task where the set has no split.
    Raises ValueError naming what does not fit: the task, its labels, the feature.
    """
    tasks = (task,) if isinstance(task, str) else tuple(task)
    sets: Any = faces if test is None else Joined(faces, test)
    for name in tasks:  # before the costly part
        task_for(name, sets)
    if feature is not None and feature not in model.feature_names:
        raise ValueError(f"{model.name} has no feature {feature!r}; it has {', '.join(model.feature_names)}")
    features: Features = embed(model, faces, feature=feature, cache=cache)
    if test is not None:
        more = embed(model, test, feature=feature, cache=cache)
        features = {name: np.concatenate([values, more[name]]) for name, values in features.items()}
    return read(features, sets, tasks, protocol, method=model.name)


def read(
    features: Features, faces: FaceSet, tasks: Sequence[str], protocol: Protocol = PLAIN, *, method: str
) -> tuple[Figure, ...]:
    """Figures of features that are there already: name → [N, D], rows as in `faces`."""
    figures: list[Figure] = []
    train = np.flatnonzero(faces.labels("split") == "train") if "split" in faces.columns else np.array([])
    once = protocol.pca if len(train) else None
    left = replace(protocol, pca=None, reduced=True) if once else protocol
    with waiting(len(features) * len(tasks)) as begin:
        for name, values in features.items():
            if values.ndim != 2 or len(values) != len(faces):
                raise ValueError(f"feature {name!r}: expected [{len(faces)}, D], got shape {values.shape}")
            reduced = prepare(values[train], once, seed=protocol.seed)(values) if once else values
            for task_name in tasks:
                begin(f"{method} {name}: {task_name.replace('_', ' ')} on {faces.card.name}")
                task = task_for(task_name, faces)
                own = protocol if task.compares else left  # a task that compares whitens the components itself
                found = _asked(task, reduced, faces, own, f"{method}, feature {name!r}, task {task_name}")
                content = {"content": faces.content_hash}
                figures += [replace(f, method=method, feature=name, detail={**f.detail, **content}) for f in found]
    return tuple(figures)


def _asked(task: Task, values: NDArray[np.floating], faces: FaceSet, protocol: Protocol, who: str) -> list[Figure]:
    """The task's figures of a feature [N, D]. Raises ValueError that says who was asked."""
    try:
        return task.evaluate(values, faces, protocol)
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from error
