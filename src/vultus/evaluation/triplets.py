"""Triplets: of three faces, is the pair that raters find closest the closest pair of the features?

The protocol of FEC (Vemulapalli & Agarwala, A Compact Embedding for Facial Expression Similarity, 2019): the odd one
out is the face whose distances to the other two are largest.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.comparing import directions, require_whole
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.people import drawn, together
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Rows
from vultus.faces.faceset import FaceSet
from vultus.faces.triplets import Triplets

PLAIN = Protocol()
_BLOCK = 4096  # triplets whose features are held at once


def evaluate(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy`, over all triplets, and `accuracy_KIND` over those of one kind; chance is a third.

    features: [N, D], rows as in `faces`, compared by cosine. Triplets whose three faces lie in the test split are
    told, all of them where the set has no splits. Of equally close pairs each counts its part.
    pca: whitened components are compared. Raises ValueError for a part of a set: triplets count rows of the whole.
    """
    triplets, told = tested(faces)
    corners = np.stack([triplets.anchor, triplets.positive, triplets.negative])[:, told]  # [3, T]
    rows = np.unique(corners)
    unit, detail = directions(features, faces, rows, protocol)
    right, kinds = rightly(unit, np.searchsorted(rows, corners)), triplets.kind[told]
    detail["left_out"] = len(triplets) - len(told)
    shared: dict[str, Any] = {"task": "triplets", "dim": unit.shape[1], "seed": protocol.seed, "chance": 1 / 3}
    shared["data"] = faces.card.name
    figures = []
    for name in dict.fromkeys(("", *np.unique(kinds).tolist())):
        mine = np.flatnonzero(kinds == name) if name else np.arange(len(right))
        groups = together(faces, *corners[:, mine])
        low, high = mean_interval(right[mine], protocol.seed, groups=groups)
        shared["detail"] = detail | drawn(groups, len(mine), "triplet")
        shared |= {"value": float(right[mine].mean()), "low": low, "high": high, "n": len(mine)}
        scores = Scores(told[mine], right[mine, None], groups)
        figures.append(Figure(metric=f"accuracy_{name}" if name else "accuracy", scores=scores, **shared))
    return figures


def tested(faces: FaceSet) -> tuple[Triplets, Rows]:
    """The set's triplets, and which of them are told. Raises ValueError where there are none."""
    if faces.triplets is None:
        raise ValueError(f"{faces.card.name} has no triplets: they come with the set, such as FEC's")
    require_whole(faces, "triplets")
    triplets = faces.triplets
    told = np.ones(len(triplets), np.bool_)
    if "split" in faces.columns:
        test = faces.labels("split") == "test"
        told = test[triplets.anchor] & test[triplets.positive] & test[triplets.negative]
    if not told.any():
        raise ValueError(f"{faces.card.name}: none of {len(triplets)} triplets has its three faces in the test split")
    return triplets, np.flatnonzero(told)


def rightly(unit: NDArray[np.float32], corners: Rows) -> NDArray[np.float64]:
    """For each triplet [T] 1 where anchor and positive are the closest pair, 0 where not, a share where pairs tie.

    unit: [M, D] at unit length; corners: [3, T] rows of anchor, positive and negative.
    """
    similar = np.concatenate(
        [_similar(unit, part) for part in np.split(corners, range(_BLOCK, corners.shape[1], _BLOCK), 1)], 1
    )
    closest = similar == similar.max(axis=0)
    share: NDArray[np.float64] = closest[0] / closest.sum(axis=0)
    return share


def _similar(unit: NDArray[np.float32], corners: Rows) -> NDArray[np.float32]:
    """Cosines [3, T] of anchor and positive, anchor and negative, positive and negative."""
    a, p, n = (unit[rows] for rows in corners)
    return np.stack([np.einsum("td,td->t", left, right) for left, right in ((a, p), (a, n), (p, n))])
