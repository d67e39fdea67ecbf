"""What does each feature hold that it should not? Every factor read from every feature by the ordinary tasks.

A face feature from which the head's pose can be read holds pose, and a pose feature that tells people apart holds
identity: the tasks measure both, whatever a feature is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.embedding import embed
from vultus.evaluation.evaluate import Features, read
from vultus.evaluation.figure import Figure
from vultus.evaluation.preparation import require_varying
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.tasks import TASKS, hindrance, possible_tasks
from vultus.faces.faceset import FaceSet

FACTORS = ("expression", "identity", "head_pose", "pose_class")
LACKING = "the set lacks its labels"
PLAIN = Protocol()


@dataclass(frozen=True)
class Leakage:
    """A matrix feature × factor, each with chance and interval.

    pose_held: feature → how much of the readable pose it holds, R² of its pose over that of the best feature (R² below
    0 counts as 0). It is 1 for the best, 0 for a feature without pose; empty where no feature holds any, or the set has
    no pose. left_out: factor → why the set, or a feature that has collapsed (`identity of NAME`), cannot tell it.
    """

    figures: tuple[Figure, ...]  # accuracy of expression, identity and classes of pose; MAE and R² of head pose
    pose_held: Mapping[str, float]
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        plain = {"pose_held": dict(self.pose_held), "left_out": dict(self.left_out)}
        return plain | {"figures": [f.to_dict() for f in self.figures]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Leakage":
        """The inverse of `to_dict`."""
        return cls(tuple(Figure.from_dict(f) for f in values["figures"]), values["pose_held"], values["left_out"])


def leakage(model: Any, faces: FaceSet, protocol: Protocol = PLAIN, cache: Path | None = None) -> Leakage:
    """Read every feature of a model for every factor that the set knows.

    Raises ValueError where it knows none of them.
    """
    factors(faces)  # before the costly part
    return leakage_of(embed(model, faces, cache=cache), faces, protocol, method=model.name)


def leakage_of(features: Features, faces: FaceSet, protocol: Protocol = PLAIN, *, method: str) -> Leakage:
    """The same of features that are there already: name → [N, D], rows as in `faces`."""
    known, left_out = factors(faces)
    found: list[Figure] = []
    for name, values in features.items():
        asked, reason = _comparable(known, values)
        left_out |= {f"{factor} of {name}": reason for factor in known if factor not in asked}
        found += read({name: values}, faces, asked, protocol, method=method)
    if not found:
        raise ValueError(f"no feature of {method} tells anything of {', '.join(known)}: {'; '.join(left_out.values())}")
    explained = _explained(found)
    kept = tuple(f for f in found if f.metric in ("accuracy", "mae", explained))
    r2 = {f.feature: max(f.value, 0.0) for f in kept if f.metric == explained}
    best = max(r2.values(), default=0.0)
    return Leakage(kept, {name: value / best for name, value in r2.items()} if best else {}, left_out)


def _comparable(known: Sequence[str], values: NDArray[np.floating]) -> tuple[list[str], str]:
    """What can be read of a feature: of a collapsed one no factor that compares faces; and why not the others."""
    try:
        require_varying(values)
    except ValueError as reason:
        return [name for name in known if not TASKS[name].compares], str(reason)
    return list(known), ""


def factors(faces: FaceSet) -> tuple[tuple[str, ...], dict[str, str]]:
    """The factors that the set's labels can tell, and why not the others. Raises ValueError where it can tell none."""
    known = [name for name in possible_tasks(faces) if name in FACTORS]
    why = {name: hindrance(name, faces) if name in known else LACKING for name in FACTORS}
    left_out = {name: reason for name, reason in why.items() if reason}
    if len(left_out) == len(FACTORS):
        told = "; ".join(f"{name}: {reason}" for name, reason in left_out.items() if reason != LACKING)
        raise ValueError(
            f"{faces.card.name} tells none of {', '.join(FACTORS)}{told and f' ({told})'}: drop --data, "
            "or give a set with the labels of one of them"
        )
    return tuple(name for name in FACTORS if name not in left_out), left_out


def _explained(found: Sequence[Figure]) -> str:
    """R² of all three angles; of yaw where one of the others never changes in the set."""
    return "r2" if any(f.metric == "r2" for f in found) else "r2_yaw"
