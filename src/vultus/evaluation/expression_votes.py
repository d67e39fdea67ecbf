"""Expression as FER+ annotates it: ten people's votes a face.

Barsoum et al., Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution, 2016.
Single votes are dropped as outliers. A face's expression is what more than half of the votes left are for; faces
without such a majority, or whose majority says unknown or no face, are left out. The distribution is ours in this: of
the same faces, and of all the votes left for the eight expressions, however few one of them has.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.classes import classify_labels, require_readable
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.pooled import answer, learned
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import parts_of
from vultus.faces.faceset import FaceSet
from vultus.faces.readers.ferplus import COLUMNS

EMOTIONS = COLUMNS[:8]
OUTLIER = 1  # an answer with so many votes, or fewer, does not count
LEAST = 1e-6  # probability of any answer: what no neighbour says may still be
PLAIN = Protocol()
Floats = NDArray[np.floating]


def evaluate(features: Floats, faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy` and `balanced_accuracy` of a read-out that learns the majority's expression.

    And of one that learns the votes' distribution over the eight expressions, from the same faces: `cross_entropy`
    to the annotators' (nats; the detail names their own entropy, which none falls below), `accuracy_mode` of its most
    probable answer. Chance is the training part's commonest expression, and its mean distribution.
    features: [N, D], rows as in `faces`. Raises ValueError as `classify`, and for votes that are not ten.
    """
    votes = counted(faces)
    labels, left_out = majority(votes)
    hard = classify_labels(features, faces, labels, "votes", protocol, "expression_votes")
    soft = _soft(features, faces, shares(votes), labels, protocol)
    mode = replace(soft[1], chance=hard[0].chance)
    return [replace(figure, detail={**figure.detail, **left_out}) for figure in (*hard, soft[0], mode)]


def readable(faces: FaceSet, protocol: Protocol = PLAIN) -> None:
    """Raises ValueError where a majority's expression cannot be learned, or the votes are not ten."""
    require_readable(faces, majority(counted(faces))[0], "votes", protocol)


def counted(faces: FaceSet) -> Floats:
    """Votes [N, 10] for `ferplus.COLUMNS`, without single votes; NaN where unknown. Raises ValueError."""
    votes = faces.labels("votes")
    if votes.ndim != 2 or votes.shape[1] != len(COLUMNS):
        raise ValueError(f"votes of shape {votes.shape[1:]} a face; expected counts for {', '.join(COLUMNS)}")
    return np.where(votes <= OUTLIER, 0, votes)


def majority(votes: Floats) -> tuple[NDArray[np.str_], dict[str, int]]:
    """The expression [N] that more than half of the votes [N, 10] are for, '' where there is none; and why, counted."""
    known = np.asarray(np.isfinite(votes).all(axis=1))
    first = np.where(known[:, None], votes, 0).argmax(axis=1)
    clear = known & (2 * votes.max(axis=1) > votes.sum(axis=1))
    shown = clear & (first < len(EMOTIONS))
    labels = np.where(shown, np.array(COLUMNS)[first], "")
    left_out = {"without_votes": ~known, "without_majority": known & ~clear, "unknown_or_no_face": clear & ~shown}
    return labels, {name: int(mask.sum()) for name, mask in left_out.items()}


def shares(votes: Floats) -> NDArray[np.float64]:
    """The votes' distribution [N, 8] over the expressions; 0 where nobody saw one."""
    own = np.nan_to_num(votes[:, : len(EMOTIONS)].astype(np.float64))
    share: NDArray[np.float64] = own / np.maximum(own.sum(axis=1, keepdims=True), 1)
    return share


def cross_entropy(truth: Floats, given: Floats) -> NDArray[np.float64]:
    """−Σ p log q in nats [M] of distributions [M, K], q being LEAST at least."""
    entropy: NDArray[np.float64] = -(truth * np.log(np.maximum(given.astype(np.float64), LEAST))).sum(axis=1)
    return entropy


def _soft(
    features: Floats, faces: FaceSet, share: NDArray[np.float64], labels: NDArray[np.str_], protocol: Protocol
) -> list[Figure]:
    """Cross-entropy and accuracy of a read-out of distributions [N, 8] of the faces with a label."""
    parts = parts_of(faces, labels != "", protocol.seed)
    parts = labelled(parts, protocol, labels)

    def score(truth: Floats, given: Floats) -> float:
        return -float(cross_entropy(truth, given).mean())

    answers = answer(features, parts, protocol, lambda p: p.classify(share, len(EMOTIONS), score, protocol.readout))
    truth, mean = share[answers.rows], share[learned(parts)].mean(axis=0, keepdims=True)
    right = np.array(EMOTIONS)[answers.given.argmax(axis=1)] == labels[answers.rows]
    shared: dict[str, Any] = {"task": "expression_votes", "n": len(truth), "dim": answers.dim, "seed": protocol.seed}
    shared |= {"data": faces.card.name}
    entropy = {"annotators_entropy": float(cross_entropy(truth, truth).mean())}
    figures = []
    for metric, each, chance, detail in (
        ("cross_entropy", cross_entropy(truth, answers.given), cross_entropy(truth, mean), answers.detail | entropy),
        ("accuracy_mode", right.astype(np.float64), right, answers.detail),
    ):
        low, high = mean_interval(each, protocol.seed, groups=answers.groups)
        value: dict[str, Any] = {"value": float(each.mean()), "low": low, "high": high, "chance": float(chance.mean())}
        scores = Scores(answers.rows, each[:, None], answers.groups)
        figures.append(Figure(metric=metric, detail=detail, scores=scores, **value, **shared))
    return figures
