"""Landmarks: ridge regression to their places in the face's box; normalised mean error.

Errors are measured in the face as it is decoded, cut to its box and brought to a square. Where boxes are square, as
readers make them, that is the error in the picture: its scale cancels out.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.people import drawn
from vultus.evaluation.pooled import Answers, Tunes, answer, learned
from vultus.evaluation.protocol import Normaliser, Protocol
from vultus.evaluation.splits import Splits, checked, parts_of
from vultus.faces.faceset import FaceSet
from vultus.faces.landmarks import landmarks_in_boxes

# number of points → the two whose distance normalises: outer eye corners, or with 5 points the eyes' centres
EYES = {5: (0, 1), 68: (36, 45), 98: (60, 72)}
DIAGONAL = (19,)  # AFLW's
FEWEST = 5
PLAIN = Protocol()
Points = NDArray[np.float64]  # [M, L, 2], NaN where unknown


def evaluate(
    features: NDArray[np.floating],
    faces: FaceSet,
    protocol: Protocol = PLAIN,
    limit: float = 0.1,
) -> list[Figure]:
    """Figures `nme`, `failure_rate@0.1`, `auc@0.1`, and `nme_SUBSET` of each named part of the test split.

    nme: mean over faces of the mean distance of their known points over the normaliser; failure rate: faces above
    `limit`; auc: area under the curve of faces over error, up to `limit`, as a part of its greatest.
    features: [N, D], rows as in `faces`. protocol.normaliser: eyes (`EYES`), box (√(width · height) of the face's
    points) or diagonal (of that box); auto goes by the number of points: eyes where they are known, diagonal for 19,
    else box. Faces with an unknown point are not learned from; test faces without a normaliser are left out; both are
    counted. Chance is the training part's mean shape. Raises ValueError for fewer than five points.
    """
    points = points_of(faces)
    kind = _chosen(protocol.normaliser, points.shape[1])
    scale = _scale(points, kind)
    parts, dropped = _parts(faces, points, scale, protocol, single=isinstance(features, Tunes))
    flat = points.reshape(len(points), -1)
    answers = answer(features, parts, protocol, lambda probe: probe.regress(flat, protocol.readout))
    rows = answers.rows
    mean = np.nanmean(flat[learned(parts)], axis=0).reshape(1, -1, 2)
    errors = [
        _error(points[rows], given, scale[rows])
        for given in (answers.given.reshape(len(rows), -1, 2).astype(float), mean)
    ]
    detail = answers.detail | {"points": points.shape[1], "normaliser": kind, "incomplete_training_faces": dropped}
    if kind != _chosen("auto", points.shape[1]):
        detail["readout"] = f"{protocol.readout}, errors by {kind}"  # no other figure is comparable
    shared: dict[str, Any] = {"task": "landmarks", "dim": answers.dim, "seed": protocol.seed}
    shared |= {"data": faces.card.name, "detail": detail}
    subset = faces.labels("subset")[rows] if "subset" in faces.columns else np.full(len(rows), "")
    return _figures(answers, errors[0], errors[1], subset, limit, shared)


def readable(faces: FaceSet, protocol: Protocol = PLAIN) -> None:
    """Raises ValueError where landmarks, or the faces that have them, are too few."""
    points = points_of(faces)
    _parts(faces, points, _scale(points, _chosen(protocol.normaliser, points.shape[1])), protocol)


def points_of(faces: FaceSet) -> Points:
    """Landmarks [N, L, 2] in the faces' boxes; a point with one unknown coordinate is unknown. Raises ValueError."""
    points = landmarks_in_boxes(faces).astype(np.float64)
    if points.shape[1] < FEWEST:
        raise ValueError(
            f"{faces.card.name} has {points.shape[1]} landmarks a face; expected {FEWEST} or more (x0, y0, x1, y1, …)"
        )
    return np.where(np.isfinite(points).all(axis=2, keepdims=True), points, np.nan)


def _chosen(normaliser: Normaliser, count: int) -> Normaliser:
    if normaliser == "auto":
        return "eyes" if count in EYES else "diagonal" if count in DIAGONAL else "box"
    if normaliser == "eyes" and count not in EYES:
        known = ", ".join(map(str, EYES))
        raise ValueError(f"the eyes are known of {known} points, the set has {count}: normalise by box or diagonal")
    return normaliser


def _scale(points: Points, kind: Normaliser) -> NDArray[np.float64]:
    """The normaliser [N]; NaN where its points are unknown."""
    if kind == "eyes":
        left, right = EYES[points.shape[1]]
        apart: NDArray[np.float64] = np.linalg.norm(points[:, left] - points[:, right], axis=1)
        return apart
    known = np.isfinite(points)
    high = np.where(known, points, -np.inf).max(axis=1)
    low = np.where(known, points, np.inf).min(axis=1)
    width, height = np.where(np.isfinite(high), high, np.nan).T - np.where(np.isfinite(low), low, np.nan).T
    size: NDArray[np.float64] = np.hypot(width, height) if kind == "diagonal" else np.sqrt(width * height)
    return size


def _parts(
    faces: FaceSet, points: Points, scale: NDArray[np.float64], protocol: Protocol, single: bool = False
) -> tuple[list[Splits], int]:
    """What is learned from and tested on, and how many faces lack a point; single: networks leave out single points."""
    known = np.asarray(np.isfinite(points).all(axis=2))
    enough = np.asarray(known.any(axis=1) if single else known.all(axis=1))
    whole = parts_of(faces, np.isfinite(scale) & (scale > 0), protocol.seed)
    parts, dropped = _complete(whole, enough, len(faces))
    return labelled(parts, protocol), dropped


def _complete(parts: Sequence[Splits], whole: NDArray[np.bool_], of: int) -> tuple[list[Splits], int]:
    """The parts without training and validation faces that lack a point, and how many these are in all."""
    kept = []
    for part in parts:
        train, validation = (rows[whole[rows]] for rows in (part.train, part.validation))
        lost = len(part.train) + len(part.validation) - len(train) - len(validation)
        kept.append(checked(replace(part, train=train, validation=validation, left_out=part.left_out + lost), of))
    learnt = np.unique(np.concatenate([np.union1d(part.train, part.validation) for part in parts]))
    return kept, int((~whole[learnt]).sum())


def _error(truth: Points, given: Points, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance [M] of each face's known points, over its normaliser."""
    error: NDArray[np.float64] = np.nanmean(np.linalg.norm(given - truth, axis=2), axis=1) / scale
    return error


def _figures(
    answers: Answers,
    error: NDArray[np.float64],
    blind: NDArray[np.float64],
    subset: NDArray[np.str_],
    limit: float,
    shared: dict[str, Any],
) -> list[Figure]:
    """Each metric is a mean over faces: the area under the curve is that of 1 − error / limit, at least 0."""
    rows, everyone = answers.rows, np.ones(len(answers.rows), np.bool_)
    metrics: list[tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]], NDArray[np.bool_]]] = [
        ("nme", lambda e: e, everyone),
        (f"failure_rate@{limit:g}", lambda e: (e > limit).astype(np.float64), everyone),
        (f"auc@{limit:g}", lambda e: np.maximum(1 - e / limit, 0), everyone),
        *((f"nme_{name}", lambda e: e, subset == name) for name in np.unique(subset[subset != ""]).tolist()),
    ]
    figures = []
    for name, of, mine in metrics:
        each = of(error[mine])
        groups = None if answers.groups is None else answers.groups[mine]
        low, high = mean_interval(each, shared["seed"], groups=groups)
        shared["detail"] = shared["detail"] | drawn(groups, len(each))
        value: dict[str, Any] = {"value": float(each.mean()), "chance": float(of(blind[mine]).mean()), "n": len(each)}
        scores = Scores(rows[mine], each[:, None], groups)
        figures.append(Figure(metric=name, low=low, high=high, scores=scores, **value, **shared))
    return figures
