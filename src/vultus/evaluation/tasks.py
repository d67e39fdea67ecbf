"""The tasks by name: what each needs of a face set and which figure stands for it in a table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
from vultus.evaluation.bootstrap import MEAN, OfMeans, Reads
from vultus.evaluation.classes import mean_recall, require_readable
from vultus.evaluation.figure import Figure
from vultus.evaluation.protocol import Protocol
from vultus.faces.faceset import FaceSet
from vultus.meant import meant

PLAIN = Protocol()


@dataclass(frozen=True)
class Task:
    """`needs`: patterns of label columns, each of which one column at least must match; `other`: what serves as well.

    `check` raises ValueError for a set that has the labels and too little behind them for the protocol.
    """

    evaluate: Callable[..., list[Figure]]
    needs: tuple[str, ...]
    headline: str  # the metric a table shows first; of a set without it, the task's first figure
    first: Reads = MEAN  # what of its scores is a figure's value
    others: Mapping[str, Reads] = field(default_factory=dict)  # of figures whose metric begins so
    compares: bool = False  # features with features, nothing is fitted
    sided: bool = False  # a mirror changes the answer
    check: Callable[[FaceSet, Protocol], object] = lambda faces, protocol: None
    other: str = ""
    has_other: Callable[[FaceSet], bool] = lambda faces: False

    def reads(self, metric: str) -> Reads:
        """What of the scores of a figure is its value."""
        return next((own for start, own in self.others.items() if metric.startswith(start)), self.first)


def _classes(column: str) -> Callable[[FaceSet, Protocol], object]:
    return lambda faces, protocol: require_readable(faces, faces.labels(column), column, protocol)


RECALLS = {"balanced_accuracy": OfMeans(mean_recall)}
TASKS = {
    "expression": Task(expression.evaluate, ("expression",), "accuracy", others=RECALLS, check=_classes("expression")),
    "expression_votes": Task(expression_votes.evaluate, ("votes",), "accuracy", check=expression_votes.readable),
    "identity": Task(
        identity.evaluate,
        ("identity",),
        "accuracy",
        others=identity.ORDERS,
        compares=True,
        check=lambda faces, protocol: identity.pairs_of(faces, protocol.seed),
        other="verification pairs",
        has_other=lambda faces: faces.pairs is not None,
    ),
    "head_pose": Task(head_pose.evaluate, ("|".join(head_pose.ANGLES),), "mae", sided=True, check=head_pose.readable),
    "pose_class": Task(pose_class.evaluate, ("pose",), "accuracy", others=RECALLS, sided=True, check=_classes("pose")),
    "action_units": Task(
        action_units.evaluate,
        (r"au\d\d",),
        "f1",
        first=OfMeans(action_units.mean_f1),
        others={"pr_auc": action_units.PRECISIONS},
        check=lambda faces, protocol: action_units.readable(faces, protocol).drawn(protocol),
    ),
    "attributes": Task(
        attributes.evaluate,
        ("gender|ethnicity|age",),
        "accuracy",
        first=OfMeans(attributes.mean_ratio),
        others=RECALLS,
        check=attributes.readable,
        other="columns of yes and no",
        has_other=lambda faces: bool(attributes.questions_of(faces).names),
    ),
    "landmarks": Task(landmarks.evaluate, ("landmarks",), "nme", check=landmarks.readable, sided=True),
    "retrieval": Task(
        retrieval.evaluate,
        ("identity|expression",),
        "map",
        compares=True,
        check=lambda faces, protocol: retrieval.searched(faces),
    ),
    "triplets": Task(
        triplets.evaluate,
        (),
        "accuracy",
        compares=True,
        check=lambda faces, protocol: triplets.tested(faces),
        other="triplets",
        has_other=lambda faces: faces.triplets is not None,
    ),
}


def task_for(name: str, faces: FaceSet) -> Task:
    """The task, once it is sure that the set can serve it. Raises ValueError saying what the set has instead."""
    if name not in TASKS:
        raise ValueError(f"no task {name!r}; there are {', '.join(TASKS)}{meant(name, TASKS)}")
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


def hindrance(name: str, faces: FaceSet, protocol: Protocol = PLAIN) -> str:
    """Why the set cannot serve the task though it has the labels; "" if it can."""
    try:
        TASKS[name].check(faces, protocol)
    except ValueError as reason:
        return str(reason)
    return ""
