"""Head pose: ridge regression on yaw, pitch and roll, as many of them as a set has; mean error in degrees, and R²."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval, statistic_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.pooled import Answers, answer, learned
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.faces.faceset import FaceSet

ANGLES = ("yaw", "pitch", "roll")
PLAIN = Protocol()


def evaluate(
    features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN, limit: float = 99.0
) -> list[Figure]:
    """Figures `mae_yaw`, `mae_pitch`, `mae_roll`, `mae` (their mean) in degrees and `r2_yaw` … likewise.

    Of a set without some of the angles (Pointing'04 has no roll) the mean is of the others; the detail names them.
    features: [N, D], rows as in `faces`. Faces with an unknown angle, or one beyond ± limit degrees (the rule
    for AFLW2000), are left out and counted. Chance is the training part's mean angle for everyone.
    """
    names = angles_of(faces)
    angles, parts = readable(faces, protocol, limit)
    answers = answer(features, parts, protocol, lambda probe: probe.regress(angles, protocol.readout))
    shared: dict[str, Any] = {"task": "head_pose", "n": len(answers.rows), "dim": answers.dim, "seed": protocol.seed}
    shared |= {"data": faces.card.name, "detail": answers.detail | {"angles": list(names)}}
    return _figures(names, angles[answers.rows], answers, angles[learned(parts)].mean(axis=0), shared)


def readable(
    faces: FaceSet, protocol: Protocol = PLAIN, limit: float = 99.0
) -> tuple[NDArray[np.float64], list[Splits]]:
    """The angles [N, T] and the parts of the faces that are read. Raises ValueError where these are too few."""
    angles = np.stack([faces.labels(name) for name in angles_of(faces)], axis=1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        usable = np.asarray((np.abs(angles) <= limit).all(axis=1))
    return angles, labelled(parts_of(faces, usable, protocol.seed), protocol)


def angles_of(faces: FaceSet) -> tuple[str, ...]:
    """The angles that the set has labels of."""
    return tuple(name for name in ANGLES if name in faces.columns)


def _figures(
    names: tuple[str, ...],
    truth: NDArray[np.float64],
    answers: Answers,
    blind: NDArray[np.float64],
    shared: dict[str, Any],
) -> list[Figure]:
    error, blindly = np.abs(answers.given - truth), np.abs(blind - truth)
    named = [("", slice(None)), *((f"_{name}", slice(i, i + 1)) for i, name in enumerate(names))]
    errors, explained = [], []
    for name, of in named:
        each = error[:, of].mean(axis=1)
        low, high = mean_interval(each, shared["seed"], groups=answers.groups)
        value, chance = float(each.mean()), float(blindly[:, of].mean())
        scores = Scores(answers.rows, each[:, None], answers.groups)
        errors.append(
            Figure(metric=f"mae{name}", value=value, low=low, high=high, chance=chance, scores=scores, **shared)
        )
        if (truth[:, of].std(axis=0) == 0).any():
            continue  # R² of an angle that never changes is undefined
        columns = np.concatenate([truth[:, of], truth[:, of] ** 2, error[:, of] ** 2], axis=1)
        low, high = statistic_interval(columns, r_squared, shared["seed"], groups=answers.groups)
        value = float(r_squared(columns.mean(axis=0)[None])[0])
        explained.append(Figure(metric=f"r2{name}", value=value, low=low, high=high, chance=0.0, **shared))
    return errors + explained


def r_squared(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 − E[e²] / Var[y], averaged over T outputs, from means [R, 3T] of (y, y², e²)."""
    y, y2, e2 = np.split(means, 3, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        values: NDArray[np.float64] = (1 - e2 / (y2 - y**2)).mean(axis=1)
    return values
