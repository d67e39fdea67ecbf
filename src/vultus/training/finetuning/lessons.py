"""The lessons of a task: its labels as an objective, with what a mirror makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation import attributes, expression_votes, head_pose
from vultus.evaluation.probe import Score
from vultus.evaluation.splits import Splits
from vultus.faces.faceset import FaceSet
from vultus.methods.supervised import SYMMETRIC
from vultus.training.finetuning import mirrors
from vultus.training.finetuning.lesson import Lesson, mean_of_each, minus_distance
from vultus.training.finetuning.objectives import Classes, Numbers, Points, Units, YesNo

SEVERAL = ("attributes", "expression_votes")  # tasks that may ask for more than one lesson
METRICS = {"action_units": "mean F1", "attributes": "mean accuracy"}  # of yes/no questions
VOTES = "distribution"  # the lesson of annotators' shares, beside that of their majority


def of_classes(
    faces: FaceSet, task: str, label: str, part: Splits, numbers: NDArray[Any], count: int, score: Score
) -> tuple[str, Lesson]:
    """The name and the lesson of class numbers [N], or of shares of the classes [N, C]."""
    if numbers.ndim == 2:
        names, name, numbers = tuple(expression_votes.EMOTIONS), VOTES, numbers.astype(np.float32)
    else:
        name, names = _named(_texts(faces, task, label), part, numbers, count)
    symmetric = name in (*SYMMETRIC, VOTES, "majority")
    objective = Classes(names, mirrors.of_names(names, symmetric=symmetric))
    measure = ("cross-entropy", " nats") if name == VOTES else ("accuracy", "%")
    return name, Lesson(objective, numbers, score, part, measure)


def of_answers(
    task: str, part: Splits, names: Sequence[str], yes: NDArray[np.floating], score: Score
) -> tuple[str, Lesson]:
    """The lesson of yes (1), no (0) and unknown (NaN) [N, K]."""
    kind = Units if task == "action_units" else YesNo
    objective = kind(tuple(names), mirrors.of_names(names, symmetric=True))
    measure = (METRICS[task], "%")
    return "yes_no", Lesson(objective, yes.astype(np.float32), mean_of_each(score), part, measure)


def of_numbers(faces: FaceSet, task: str, part: Splits, values: NDArray[np.floating]) -> tuple[str, Lesson]:
    """The lesson of numbers [N, K], which are the coordinates of landmarks where these are the task."""
    if task == "landmarks":
        points = values.reshape(len(values), -1, 2).astype(np.float32)
        found = Points(points.shape[1], mirrors.of_points(points[part.train]))
        return "landmarks", Lesson(found, points, minus_distance, part, ("mean error", " of the side"))
    name, names = (task, head_pose.angles_of(faces)) if task == "head_pose" else (attributes.AGE, (attributes.AGE,))
    own = values[part.train]
    centre, spread = np.nanmean(own, axis=0), np.nanstd(own, axis=0).clip(min=1e-6)
    objective = Numbers(names, tuple(centre.tolist()), tuple(spread.tolist()), mirrors.of_numbers(names))
    measure = ("mean error", "°" if task == "head_pose" else " years")
    return name, Lesson(objective, values.astype(np.float32), minus_distance, part, measure)


def _texts(faces: FaceSet, task: str, label: str) -> Mapping[str, NDArray[np.str_]]:
    """The text labels [N] that the task may ask for, by name."""
    if task == "expression_votes":
        return {"majority": expression_votes.majority(expression_votes.counted(faces))[0]}
    columns = {"pose_class": ("pose",), "label": (label,), "attributes": attributes.CLASSES}.get(task, (task,))
    return {name: faces.labels(name) for name in columns if name in faces.columns}


def _named(
    texts: Mapping[str, NDArray[np.str_]], part: Splits, numbers: NDArray[np.int64], count: int
) -> tuple[str, tuple[str, ...]]:
    """Which label the class numbers stand for, and the classes' names: labels and numbers go one to one."""
    rows = part.final
    for name, labels in texts.items():
        pairs = set(zip(numbers[rows].tolist(), labels[rows].tolist(), strict=True))
        found = dict(pairs)
        if len(pairs) == len(found) == len(set(found.values())):
            return name, tuple(found.get(k, str(k)) for k in range(count))
    raise ValueError(f"the classes are those of none of the labels {', '.join(texts)}")
