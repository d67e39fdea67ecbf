"""A model or baseline, a face set, tasks → figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.embedding import embed
from vultus.evaluation.figure import Figure
from vultus.evaluation.preparation import prepare
from vultus.evaluation.tasks import task_for
from vultus.faces.faceset import FaceSet


def evaluate(
    model: Any,
    faces: FaceSet,
    task: str | Sequence[str],
    *,
    feature: str | None = None,
    pca: int | None = None,
    cache: Path | None = None,
    readout: str = "linear",
    seed: int = 0,
) -> tuple[Figure, ...]:
    """Embed the faces once and read every feature (or the one named) for each task.

    model: a FaceModel or a baseline. pca: dimension to read at, fitted once on the faces of the set's training split,
    or within each task where the set has none. readout: linear or knn; identity is always compared by cosine.
    seed: of cuts, made pairs and bootstrap.
    Raises ValueError naming what does not fit: the task, its labels, the feature, the read-out.
    """
    tasks = (task,) if isinstance(task, str) else tuple(task)
    for name in tasks:  # before the costly part
        task_for(name, faces)
    if readout not in ("linear", "knn"):
        raise ValueError(f"no read-out {readout!r}; there are linear and knn")
    if feature is not None and feature not in model.feature_names:
        raise ValueError(f"{model.name} has no feature {feature!r}; it has {', '.join(model.feature_names)}")
    features: Mapping[str, NDArray[np.floating]] = embed(model, faces, feature=feature, cache=cache)
    train = np.flatnonzero(faces.labels("split") == "train") if pca and "split" in faces.columns else np.array([])
    if pca and len(train):
        features = {name: prepare(values[train], pca, seed=seed)(values) for name, values in features.items()}
        pca = None
    return read(features, faces, tasks, method=model.name, pca=pca, readout=readout, seed=seed)


def read(
    features: Mapping[str, NDArray[np.floating]],
    faces: FaceSet,
    tasks: Sequence[str],
    *,
    method: str,
    pca: int | None = None,
    readout: str = "linear",
    seed: int = 0,
) -> tuple[Figure, ...]:
    """Figures of features that are there already: name → [N, D], rows as in `faces`."""
    figures: list[Figure] = []
    for name, values in features.items():
        if values.ndim != 2 or len(values) != len(faces):
            raise ValueError(f"feature {name!r}: expected [{len(faces)}, D], got shape {values.shape}")
        for task_name in tasks:
            task = task_for(task_name, faces)
            options: dict[str, Any] = {"readout": readout} if readout in task.readouts else {}
            try:
                found = task.evaluate(values, faces, seed=seed, pca=pca, **options)
            except ValueError as error:
                raise ValueError(f"{method}, feature {name!r}, task {task_name}: {error}") from error
            figures += [replace(figure, method=method, feature=name) for figure in found]
    return tuple(figures)
