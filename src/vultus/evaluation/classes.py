"""Classes: multinomial logistic regression on any text label; accuracy and balanced accuracy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval, statistic_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.pooled import Answers, answer, learned
from vultus.evaluation.probe import accuracy
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.faces.faceset import FaceSet


def classify(
    features: NDArray[np.floating], faces: FaceSet, column: str, protocol: Protocol, task: str = ""
) -> list[Figure]:
    """Figures `accuracy` (chance: the training part's commonest class) and `balanced_accuracy` (1 / classes).

    features: [N, D], rows as in `faces`. column: any text label; '' is unknown, left out and counted. task: the
    figures' task, else the column's name. Raises ValueError when a class is too rare to learn or stands in the
    test part only.
    """
    return classify_labels(features, faces, faces.labels(column), column, protocol, task or column)


def classify_labels(
    features: NDArray[np.floating], faces: FaceSet, labels: NDArray[np.str_], name: str, protocol: Protocol, task: str
) -> list[Figure]:
    """`classify` for labels [N] that are no column of the set; `name`: what errors call them."""
    parts = parts_of(faces, labels != "", protocol.seed)
    classes = learnable(labels, parts, name)
    numbers = np.searchsorted(classes, labels).clip(max=len(classes) - 1).astype(np.int64)
    parts = labelled(parts, protocol, labels)
    answers = answer(
        features, parts, protocol, lambda probe: probe.classify(numbers, len(classes), accuracy, protocol.readout)
    )
    common = int(np.bincount(numbers[learned(parts)]).argmax())
    return figures(numbers, answers, classes, common, protocol.seed, {"task": task, "data": faces.card.name})


def figures(
    numbers: NDArray[np.int64],
    answers: Answers,
    classes: NDArray[np.str_],
    common: int,
    seed: int,
    about: dict[str, Any],
) -> list[Figure]:
    """Accuracy and balanced accuracy of the answers; a class without a test face has no recall and is named.

    numbers: true classes [N], read at the answers' rows; common: the class that chance always says; about: the
    figures' task and data.
    """
    truth, said = numbers[answers.rows], answers.given.argmax(axis=1)
    right = (said == truth).astype(np.float64)
    here = np.unique(truth)
    recalls = {str(classes[i]): float(right[truth == i].mean()) for i in here}
    detail = dict(answers.detail)
    if absent := sorted({str(name) for name in classes} - recalls.keys()):
        detail["classes_without_test_faces"] = absent
    shared: dict[str, Any] = {**about, "n": len(truth), "dim": answers.dim, "seed": seed}
    low, high = mean_interval(right, seed, groups=answers.groups)
    plain = Figure(
        metric="accuracy",
        value=float(right.mean()),
        low=low,
        high=high,
        chance=float((truth == common).mean()),
        detail=detail,
        scores=Scores(answers.rows, right[:, None], answers.groups),
        **shared,
    )
    hits = _hits(truth, said, len(classes))
    low, high = statistic_interval(hits, mean_recall, seed, groups=answers.groups)
    value = float(np.mean(list(recalls.values())))
    balanced: dict[str, Any] = {"metric": "balanced_accuracy", "value": value, "low": low, "high": high}
    balanced |= {"scores": Scores(answers.rows, hits, answers.groups)}
    return [plain, Figure(**balanced, chance=1 / len(here), detail=detail | {"recalls": recalls}, **shared)]


def require_readable(faces: FaceSet, labels: NDArray[np.str_], name: str, protocol: Protocol) -> None:
    """Raise ValueError where labels [N] cannot be read as `classify_labels` would: before anything is embedded."""
    parts = parts_of(faces, labels != "", protocol.seed)
    learnable(labels, parts, name)
    labelled(parts, protocol, labels)


def learnable(labels: NDArray[np.str_], parts: Sequence[Splits], column: str) -> NDArray[np.str_]:
    """The classes that every part can learn, sorted. Raises ValueError naming a class that one cannot."""
    found = [_learnable(labels, part, column) for part in parts]
    return np.unique(np.concatenate(found))


def _learnable(labels: NDArray[np.str_], splits: Splits, column: str) -> NDArray[np.str_]:
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


def mean_recall(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Balanced accuracy of the classes there are, from means [R, 2K] of what `_hits` counts."""
    present, hit = np.split(means, 2, axis=1)
    with np.errstate(invalid="ignore"):
        recalls: NDArray[np.float64] = np.nanmean(hit / present, axis=1)
    return recalls
