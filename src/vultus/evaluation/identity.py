"""Identity: are two faces one person? Cosine of their features, the threshold from the other folds."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.comparing import require_whole, training_rows, whitened, whitening
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.made_pairs import make_pairs
from vultus.evaluation.order import Curve, OfOrder
from vultus.evaluation.people import drawn, together
from vultus.evaluation.preparation import require_finite, require_varying
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Rows
from vultus.faces.faceset import FaceSet
from vultus.faces.pairs import Pairs

FAR = (1e-2, 1e-3)
ORDERS = {"auc": OfOrder(Curve.roc_auc)} | {
    f"tar@far={far:g}": OfOrder(partial(Curve.tar_at_far, far=far)) for far in FAR
}
PLAIN = Protocol()
Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]


def evaluate(features: Floats, faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy` (its standard error over folds in the detail), `auc`, `tar@far=0.01`, `tar@far=0.001`.

    features: [N, D], rows as in `faces`. The set's own pairs are used, or balanced pairs made from the
    identities of its test split. pca: whitened principal components are compared, fitted on the set's training split,
    or where it has none on the faces of the other folds.
    A false accept rate that the number of different pairs cannot resolve gives no figure; the accuracy's
    detail says so. Raises ValueError for a part of a set with pairs: their rows count in the whole set; and for
    features that are not finite, or the same for all the faces.
    """
    seed = protocol.seed
    pairs, origin = pairs_of(faces, seed)
    compared = features[np.union1d(pairs.left, pairs.right)]
    require_finite(compared)
    require_varying(compared)
    score, dim = _scores(features, faces, pairs, protocol)
    right, thresholds = fold_accuracy(score, pairs.same, pairs.fold)
    each = np.array([right[pairs.fold == fold].mean() for fold in np.unique(pairs.fold)])
    detail: dict[str, Any] = {"pairs": origin, "whitened": whitened(protocol), "folds": len(each)}
    detail |= {"standard_error": float(each.std(ddof=1) / np.sqrt(len(each))), "thresholds": thresholds}
    shared: dict[str, Any] = {"task": "identity", "n": len(pairs), "dim": dim, "seed": seed, "data": faces.card.name}
    groups = together(faces, pairs.left, pairs.right)
    detail |= drawn(groups, len(pairs), "pair")
    different = int((~pairs.same).sum())
    beyond = [far for far in FAR if different * far < 1]
    if beyond:
        detail["unresolved_far"] = f"{different} different pairs cannot show a false accept rate of {beyond}"
    low, high = mean_interval(right.astype(np.float64), seed, groups=groups)
    value: dict[str, Any] = {"value": float(right.mean()), "low": low, "high": high, "chance": 0.5}
    scores = Scores(np.arange(len(pairs)), right[:, None].astype(np.float64), groups)
    first = Figure(metric="accuracy", detail=detail, scores=scores, **value, **shared)
    ordered = Scores(np.arange(len(pairs)), np.stack([score, pairs.same], axis=1).astype(np.float64), groups)
    blind = {"auc": 0.5} | {f"tar@far={far:g}": far for far in FAR if far not in beyond}
    told = shared | {"detail": drawn(groups, len(pairs), "pair")}
    return [first, *(ORDERS[m].figure(ordered, told | {"metric": m, "chance": c}) for m, c in blind.items())]


def fold_accuracy(score: Floats, same: Mask, fold: NDArray[np.integer[Any]]) -> tuple[Mask, list[float]]:
    """Which pairs [P] are decided rightly, each fold with the threshold that is best on all other folds; thresholds.

    A pair is accepted when its score is at least the threshold.
    """
    right = np.zeros(len(score), np.bool_)
    thresholds = []
    for held in np.unique(fold):
        mine = fold == held
        threshold = best_threshold(score[~mine], same[~mine])
        right[mine] = (score[mine] >= threshold) == same[mine]
        thresholds.append(threshold)
    return right, thresholds


def best_threshold(score: Floats, same: Mask) -> float:
    """The middle of the gap where most pairs are decided rightly; of equal gaps, the one of the lowest scores."""
    order = np.argsort(score, kind="stable")
    ranked, truth = score[order].astype(np.float64), same[order]
    # accept everything from rank i on: rejected different pairs below, accepted same pairs above
    rightly = np.concatenate([[0], np.cumsum(~truth)]) + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    allowed = np.concatenate([[True], ranked[1:] > ranked[:-1], [True]])  # no cut through equal scores
    best = int(np.where(allowed, rightly, -1).argmax())
    edges = np.concatenate([[ranked[0] - 1e-6], ranked, [ranked[-1] + 1e-6]])
    return float((edges[best] + edges[best + 1]) / 2)


def cosine(left: Floats, right: Floats) -> Floats:
    """Row-wise cosine [P] of two [P, D]; 0 where a feature is all zero."""
    length = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    dot: Floats = np.einsum("pd,pd->p", left, right) / np.maximum(length, np.finfo(np.float32).tiny)
    return dot


def pairs_of(faces: FaceSet, seed: int = 0) -> tuple[Pairs, str]:
    """The pairs to be told, and where they come from. Raises ValueError where the set has none and too few people."""
    if faces.pairs is None:
        return make_pairs(faces, seed), f"made from the test split's identities, seed {seed}"
    require_whole(faces, "verification pairs")
    if len(np.unique(faces.pairs.fold)) < 2:
        raise ValueError(f"the pairs of {faces.card.name} are one fold; expected two or more to set a threshold by")
    return faces.pairs, "the set's own"


def _scores(features: Floats, faces: FaceSet, pairs: Pairs, protocol: Protocol) -> tuple[Floats, int]:
    """Scores [P] and the dimension compared; whitened, if asked, along axes that never saw the pairs' faces."""
    if protocol.pca is None:
        return _compared(features, pairs, np.arange(len(pairs)), lambda wide: wide), features.shape[1]
    paired = np.union1d(pairs.left, pairs.right)
    learn = training_rows(faces, paired)
    if len(learn) > protocol.pca:
        whiten = whitening(features[learn], protocol)
        return _compared(features, pairs, np.arange(len(pairs)), whiten), whiten.width
    score, widths = np.empty(len(pairs), np.float32), []
    for held in np.unique(pairs.fold):
        mine = np.flatnonzero(pairs.fold == held)
        others = np.setdiff1d(paired, np.union1d(pairs.left[mine], pairs.right[mine]))
        whiten = whitening(features[others], protocol)
        score[mine] = _compared(features, pairs, mine, whiten)
        widths.append(whiten.width)
    return score, min(widths)


def _compared(features: Floats, pairs: Pairs, of: Rows, prepared: Callable[[Any], Floats]) -> Floats:
    """Cosines of the pairs `of` [Q]."""
    left, right = (features[side[of]].astype(np.float32) for side in (pairs.left, pairs.right))
    return cosine(prepared(left), prepared(right))
