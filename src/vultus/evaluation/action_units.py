"""Action units: one logistic regression each; F1 each and their mean."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import statistic_interval
from vultus.evaluation.few_shot import fewer
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.pooled import Answers, answer
from vultus.evaluation.preparation import Floats
from vultus.evaluation.probe import Probe, Reading
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.faces.faceset import FaceSet

PLAIN = Protocol()
_UNIT = re.compile(r"au\d\d")


def evaluate(
    features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN, threshold: float = 0.4
) -> list[Figure]:
    """Figures `f1`, the units' mean, and `f1_auNN` of each; the answer is positive where its probability is ½ or more.

    features: [N, D], rows as in `faces`. threshold: intensity (0 to 1) from which a unit counts as present; 0.4 is
    DISFA's rule of 2 in 5. A face with a unit unknown is left out for that unit. Units which are not both present and
    absent in every training part and present in the test part are skipped and named in the mean's detail with their
    counts. Chance is F1 of always saying yes, 2p / (1 + p).
    """
    names = [name for name in faces.columns if _UNIT.fullmatch(name)]
    strength = np.stack([faces.labels(name) for name in names], axis=1)
    known, present = np.isfinite(strength), strength >= threshold
    parts = parts_of(faces, known.any(axis=1), protocol.seed)
    if protocol.shots is not None:
        parts = [fewer(part, protocol.shots, protocol.seed) for part in parts]
    kept, skipped = _readable(names, known, present, parts)
    groups: dict[bytes, list[int]] = {}  # units known on the same faces are read together
    for i in kept:
        groups.setdefault(known[:, i].tobytes(), []).append(i)
    found: dict[int, tuple[NDArray[np.bool_], Figure]] = {}
    shared: dict[str, Any] = {"task": "action_units", "data": faces.card.name, "seed": protocol.seed}
    for group in groups.values():
        answers, choices = _detect(
            features, [_known(p, known[:, group[0]]) for p in parts], present[:, group], protocol
        )
        for place, i in enumerate(group):
            about = answers.detail | choices[place]
            found[i] = _unit(names[i], answers, present[:, i], answers.given[:, place], about, shared)
    rows = np.concatenate([part.test for part in parts])
    figures = [found[i][1] for i in kept]
    shared["detail"] = {"units": [names[i] for i in kept], "skipped": skipped, "threshold": threshold}
    shared["detail"] |= {"readout": protocol.readout, "split": parts[0].origin, "train": len(parts[0].final)}
    shared["detail"] |= {"left_out": parts[0].left_out}
    return [_mean(rows, [found[i][0][rows] for i in kept], figures, shared), *figures]


def _detect(
    features: NDArray[np.floating], parts: Sequence[Splits], present: NDArray[np.bool_], protocol: Protocol
) -> tuple[Answers, list[dict[str, Any]]]:
    """Probabilities of the units of a group, pooled over the parts, and each unit's choice in the first of them."""
    chosen: list[list[dict[str, Any]]] = []

    def fit(probe: Probe) -> Reading:
        given, choices = probe.detect(present, f1_then_likelihood, protocol.readout)
        chosen.append(choices)
        return Reading(given, {})

    answers = answer(features, parts, protocol, fit)
    return answers, chosen[0]


def _mean(
    rows: NDArray[np.int64], outcomes: list[NDArray[np.bool_]], units: list[Figure], shared: dict[str, Any]
) -> Figure:
    chance = float(np.mean([figure.chance for figure in units]))
    about: dict[str, Any] = {"metric": "f1", "n": len(rows), "dim": units[0].dim, "chance": chance}
    scores = Scores(rows, np.concatenate(outcomes, axis=1).astype(np.float64))
    return Figure(**about, **_measured(outcomes, shared["seed"]), scores=scores, **shared)


def _unit(
    name: str,
    answers: Answers,
    present: NDArray[np.bool_],
    probability: Floats,
    detail: dict[str, Any],
    shared: dict[str, Any],
) -> tuple[NDArray[np.bool_], Figure]:
    """True positives, false positives and misses [N, 3] of one unit (all False where unknown), and its figure."""
    test = answers.rows
    said, truth = probability >= 0.5, present[test]
    outcome = np.zeros((len(present), 3), np.bool_)
    outcome[test] = np.stack([said & truth, said & ~truth, ~said & truth], axis=1)
    rate = float(truth.mean())
    about: dict[str, Any] = {
        "metric": f"f1_{name}",
        "n": len(test),
        "dim": answers.dim,
        "chance": 2 * rate / (1 + rate),
    }
    told = detail | {"positive_rate": rate}
    return outcome, Figure(detail=told, **about, **_measured([outcome[test]], shared["seed"]), **shared)


def _measured(outcomes: list[NDArray[np.bool_]], seed: int) -> dict[str, Any]:
    columns = np.concatenate(outcomes, axis=1).astype(np.float64)
    low, high = statistic_interval(columns, mean_f1, seed)
    return {"value": float(mean_f1(columns.mean(axis=0)[None])[0]), "low": low, "high": high}


def f1_then_likelihood(truth: NDArray[np.int64], probabilities: Floats) -> float:
    """F1 of validation faces; where no setting finds a positive, a hair of mean log-likelihood still ranks them."""
    said = probabilities[:, 1] >= 0.5
    hit, wrong = (said & (truth == 1)).sum(), (said != (truth == 1)).sum()
    f1 = 2 * hit / (2 * hit + wrong) if hit else 0.0
    likelihood = np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean()
    return float(f1 + 1e-6 * likelihood)


def mean_f1(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 = 2 tp / (2 tp + fp + fn) averaged over units, from means [R, 3U] of (tp, fp, fn) a unit; 0 without any."""
    tp, fp, fn = np.moveaxis(means.reshape(len(means), -1, 3), 2, 0)
    values: NDArray[np.float64] = (2 * tp / np.maximum(2 * tp + fp + fn, 1e-300)).mean(axis=1)
    return values


def _readable(
    names: list[str], known: NDArray[np.bool_], present: NDArray[np.bool_], parts: Sequence[Splits]
) -> tuple[list[int], dict[str, str]]:
    kept, skipped = [], {}
    for i, name in enumerate(names):
        own = [_known(part, known[:, i]) for part in parts]
        fewest = min(own, key=lambda part: int(present[part.train, i].sum()))
        yes, count = int(present[fewest.train, i].sum()), len(fewest.train)
        tested = sum(int(present[part.test, i].sum()) for part in own)
        if min(yes, count - yes) < 2 or not tested or not all(len(part.validation) for part in own):
            total = sum(len(part.test) for part in own)
            skipped[name] = f"shown by {yes} of {count} training and {tested} of {total} test faces"
        else:
            kept.append(i)
    if not kept:
        raise ValueError(f"no action unit can be read: {skipped}; expected faces with and without it in training")
    return kept, skipped


def _known(splits: Splits, known: NDArray[np.bool_]) -> Splits:
    train, validation, test = (rows[known[rows]] for rows in (splits.train, splits.validation, splits.test))
    kept = len(train) + len(validation) + len(test)
    unknown = len(splits.train) + len(splits.validation) + len(splits.test) - kept
    return replace(splits, train=train, validation=validation, test=test, left_out=splits.left_out + unknown)
