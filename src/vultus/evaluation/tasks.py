"""The tasks by name: what each needs of a face set and which figure stands for it in a table."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation import (
    action_units,
    attributes,
    expression,
    expression_votes,
    head_pose,
    identity,
    landmarks,
    pose_class,
    retrieval,
    triplets,
)
from vultus.evaluation.figure import Figure
from vultus.faces.faceset import FaceSet

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # column means [R, C] → values [R]


def first_mean(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of scores [M, 1]."""
    return means[:, 0]


@dataclass(frozen=True)
class Task:
    """`needs`: patterns of label columns, each of which one column at least must match; `other`: what serves as well.

    `check` raises ValueError for a set that has the labels and too little behind them.
    """

    evaluate: Callable[..., list[Figure]]
    needs: tuple[str, ...]
    headline: str  # the metric a table shows first; of a set without it, the task's first figure
    statistic: Statistic = first_mean  # of the columns' means of its scores
    compares: bool = False  # features with features, nothing is fitted
    sided: bool = False  # a mirror changes the answer
    check: Callable[[FaceSet], object] = lambda faces: None
    other: str = ""
    has_other: Callable[[FaceSet], bool] = lambda faces: False


TASKS = {
    "expression": Task(expression.evaluate, ("expression",), "accuracy"),
    "expression_votes": Task(expression_votes.evaluate, ("votes",), "accuracy"),
    "identity": Task(
        identity.evaluate,
        ("identity",),
        "accuracy",
        compares=True,
        check=identity.pairs_of,
        other="verification pairs",
        has_other=lambda faces: faces.pairs is not None,
    ),
    "head_pose": Task(head_pose.evaluate, head_pose.ANGLES, "mae", sided=True),
    "pose_class": Task(pose_class.evaluate, ("pose",), "accuracy", sided=True),
    "action_units": Task(action_units.evaluate, (r"au\d\d",), "f1", statistic=action_units.mean_f1),
    "attributes": Task(
        attributes.evaluate,
        ("gender|ethnicity|age",),
        "accuracy",
        statistic=attributes.mean_ratio,
        check=attributes.readable,
        other="columns of yes and no",
        has_other=lambda faces: bool(attributes.questions_of(faces).names),
    ),
    "landmarks": Task(landmarks.evaluate, ("landmarks",), "nme", check=landmarks.points_of, sided=True),
    "retrieval": Task(retrieval.evaluate, ("identity|expression",), "map", compares=True, check=retrieval.searched),
    "triplets": Task(
        triplets.evaluate,
        (),
        "accuracy",
        compares=True,
        check=triplets.tested,
        other="triplets",
        has_other=lambda faces: faces.triplets is not None,
    ),
}


def task_for(name: str, faces: FaceSet) -> Task:
    """The task, once it is sure that the set can serve it. Raises ValueError saying what the set has instead."""
    if name not in TASKS:
        raise ValueError(f"no task {name!r}; there are {', '.join(TASKS)}")
    task = TASKS[name]
    matched = (any(re.fullmatch(need, have) for have in faces.columns) for need in task.needs)
    if not (task.needs and all(matched)) and not task.has_other(faces):
        columns = ", ".join(need.replace(r"\d\d", "NN").replace("|", " or ") for need in task.needs)
        wanted = " or ".join(filter(None, (columns and f"column {columns}", task.other)))
        known = ", ".join(faces.columns) or "no labels"
        raise ValueError(f"{name} needs {wanted}; the set {faces.card.name} has {known}")
    return task


def possible_tasks(faces: FaceSet) -> tuple[str, ...]:
    """The tasks whose labels the set has."""
    found = []
    for name in TASKS:
        try:
            task_for(name, faces)
        except ValueError:
            continue
        found.append(name)
    return tuple(found)


def hindrance(name: str, faces: FaceSet) -> str:
    """Why the set cannot serve the task though it has the labels; "" if it can."""
    try:
        TASKS[name].check(faces)
    except ValueError as reason:
        return str(reason)
    return ""
