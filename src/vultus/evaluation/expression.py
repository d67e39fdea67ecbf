"""Expression: multinomial logistic regression; accuracy and balanced accuracy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval, statistic_interval
from vultus.evaluation.figure import Figure
from vultus.evaluation.probe import Probe, Readout, accuracy
from vultus.evaluation.splits import Splits, split
from vultus.faces.faceset import FaceSet


def evaluate(
    features: NDArray[np.floating],
    faces: FaceSet,
    *,
    seed: int = 0,
    pca: int | None = None,
    readout: Readout = "linear",
    column: str = "expression",
) -> list[Figure]:
    """Figures `accuracy` (chance: the training part's commonest class) and `balanced_accuracy` (1 / classes).

    features: [N, D], rows as in `faces`. column: any text label; '' is unknown, left out and counted.
    Raises ValueError when a class is too rare to learn or stands in the test part only.
    """
    labels = faces.labels(column)
    splits = split(faces, labels != "", seed)
    classes = learnable(labels, splits, column)
    numbers = np.searchsorted(classes, labels).clip(max=len(classes) - 1).astype(np.int64)
    probe = Probe(features, splits, pca=pca, seed=seed)
    reading = probe.classify(numbers, len(classes), accuracy, readout)
    shared: dict[str, Any] = {"task": column, "dim": probe.dim, "seed": seed, "data": faces.card.name}
    shared["detail"] = {"readout": readout, **reading.choice, **probe.notes}
    common = np.bincount(numbers[splits.final]).argmax()
    return _figures(numbers[splits.test], reading.answers.argmax(axis=1), classes, int(common), shared)


def _figures(
    truth: NDArray[np.int64],
    said: NDArray[np.int64],
    classes: NDArray[np.str_],
    common: int,
    shared: dict[str, Any],
) -> list[Figure]:
    """Both figures of the answers; a class without a test face has no recall and is named."""
    right = (said == truth).astype(np.float64)
    here = np.unique(truth)
    recalls = {str(classes[i]): float(right[truth == i].mean()) for i in here}
    if absent := sorted({str(name) for name in classes} - recalls.keys()):
        shared["detail"]["classes_without_test_faces"] = absent
    shared["n"] = len(truth)
    low, high = mean_interval(right, shared["seed"])
    chance, value = float((truth == common).mean()), float(right.mean())
    plain = Figure(metric="accuracy", value=value, low=low, high=high, chance=chance, **shared)
    low, high = statistic_interval(_hits(truth, said, len(classes)), _mean_recall, shared["seed"])
    chance, value = 1 / len(here), float(np.mean(list(recalls.values())))
    shared |= {"detail": shared["detail"] | {"recalls": recalls}}
    return [
        plain,
        Figure(metric="balanced_accuracy", value=value, low=low, high=high, chance=chance, **shared),
    ]


def learnable(labels: NDArray[np.str_], splits: Splits, column: str) -> NDArray[np.str_]:
    """The classes of the training split, sorted. Raises ValueError naming a class that cannot be learnt."""
    classes, counts = np.unique(labels[splits.final], return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"{column}: only {classes.tolist()} in the training split; expected two classes or more")
    single = classes[counts < 2].tolist()
    if single:
        raise ValueError(
            f"{column}: {single} have one training face each; expected two or more of every class: "
            "correct the labels, or empty them to leave these faces out"
        )
    for part, rows in (("test", splits.test), ("validation", splits.validation)):
        found, here = np.unique(labels[rows], return_counts=True)
        strange = {str(c): int(k) for c, k in zip(found, here, strict=True) if c not in classes}
        if strange:
            raise ValueError(
                f"{column}: {strange} stand in the {part} split but never in training "
                f"({', '.join(classes)}): empty these labels to leave the faces out, or mend the split"
            )
    return classes


def _hits(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """[M, 2K]: is of class k; is of class k and was said to be."""
    is_class = np.eye(classes)[truth]
    return np.concatenate([is_class, is_class * (said == truth)[:, None]], axis=1)


def _mean_recall(means: NDArray[np.float64]) -> NDArray[np.float64]:
    present, hit = np.split(means, 2, axis=1)
    with np.errstate(invalid="ignore"):
        recalls: NDArray[np.float64] = np.nanmean(hit / present, axis=1)
    return recalls
