"""Action units: one logistic regression each; F1 and average precision each, and their means."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import middle, statistic_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.pooled import Answers
from vultus.evaluation.preparation import Floats
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.ranking import Curve, resamples
from vultus.evaluation.splits import Splits, parts_of
from vultus.evaluation.yes_no import Questions, counts, detect
from vultus.faces.faceset import FaceSet

PLAIN = Protocol()
_UNIT = re.compile(r"au\d\d")


def evaluate(
    features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN, threshold: float = 0.4
) -> list[Figure]:
    """Figures `f1`, the units' mean, and `f1_auNN` of each; the answer is positive where its probability is ½ or more.

    And `pr_auc`, the mean of the units' average precisions, and `pr_auc_auNN`, which no threshold touches.
    features: [N, D], rows as in `faces`. threshold: intensity (0 to 1) from which a unit counts as present; 0.4 is
    DISFA's rule of 2 in 5. A face with a unit unknown is left out for that unit. Units which are not both present and
    absent in every training part and present in the test part are skipped and named in the mean's detail with their
    counts. Chance is F1 of always saying yes, 2p / (1 + p), and the share p of faces that show the unit.
    """
    units = _units(faces, threshold)
    parts = parts_of(faces, np.asarray(units.known.any(axis=1)), protocol.seed)
    parts = labelled(parts, protocol)
    kept, skipped = _readable(units, parts)
    found = detect(features, units, kept, parts, f1_then_likelihood, protocol)
    rows = np.concatenate([part.test for part in parts])
    first = next(iter(found.values()))
    shared: dict[str, Any] = {"task": "action_units", "data": faces.card.name, "dim": first.dim, "seed": protocol.seed}
    about = {"units": [units.names[k] for k in kept], "skipped": skipped, "threshold": threshold}
    about |= {"readout": protocol.readout, "split": parts[0].origin, "train": len(parts[0].final)}
    about |= {"left_out": parts[0].left_out}
    if protocol.shots is not None:
        about["shots"] = protocol.shots
    if leaked := sum(part.leaked_test_faces for part in parts):
        about["leaked_test_faces"] = leaked
    return [*_f1(rows, units, found, about, shared), *_pr_auc(rows, units, found, about, shared)]


def _units(faces: FaceSet, threshold: float) -> Questions:
    names = tuple(name for name in faces.columns if _UNIT.fullmatch(name))
    strength = np.stack([faces.labels(name) for name in names], axis=1)
    return Questions(names, np.isfinite(strength), strength >= threshold)


def _f1(
    rows: NDArray[np.int64],
    units: Questions,
    found: dict[int, Answers],
    about: dict[str, Any],
    shared: dict[str, Any],
) -> list[Figure]:
    """The mean, then each unit."""
    outcomes, figures = [], []
    for k, answers in found.items():
        outcome = _outcome(answers, units.yes[:, k])
        outcomes.append(outcome[rows])
        rate = _rate(answers, units, k)
        figures.append(
            Figure(
                metric=f"f1_{units.names[k]}",
                n=len(answers.rows),
                chance=2 * rate / (1 + rate),
                detail={**answers.detail, "positive_rate": rate},
                **_measured([outcome[answers.rows]], shared["seed"]),
                **shared,
            )
        )
    mean = Figure(
        metric="f1",
        n=len(rows),
        chance=float(np.mean([figure.chance for figure in figures])),
        detail=about,
        scores=Scores(rows, np.concatenate(outcomes, axis=1).astype(np.float64)),
        **_measured(outcomes, shared["seed"]),
        **shared,
    )
    return [mean, *figures]


def _outcome(answers: Answers, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True positives, false positives and misses [N, 3] of one unit; all False where it is unknown or not tested."""
    test = answers.rows
    said, truth = answers.given[:, 1] >= 0.5, present[test]
    outcome = np.zeros((len(present), 3), np.bool_)
    outcome[test] = np.stack([said & truth, said & ~truth, ~said & truth], axis=1)
    return outcome


def _rate(answers: Answers, units: Questions, k: int) -> float:
    return float(units.yes[answers.rows, k].mean())


def _measured(outcomes: list[NDArray[np.bool_]], seed: int) -> dict[str, Any]:
    columns = np.concatenate(outcomes, axis=1).astype(np.float64)
    low, high = statistic_interval(columns, mean_f1, seed)
    return {"value": float(mean_f1(columns.mean(axis=0)[None])[0]), "low": low, "high": high}


def _pr_auc(
    rows: NDArray[np.int64],
    units: Questions,
    found: dict[int, Answers],
    about: dict[str, Any],
    shared: dict[str, Any],
) -> list[Figure]:
    """The mean, then each unit; the units' test faces are resampled together."""
    place = np.empty(len(units.yes), np.int64)
    place[rows] = np.arange(len(rows))
    curves = [
        (place[answers.rows], Curve.of(answers.given[:, 1], units.yes[answers.rows, k])) for k, answers in found.items()
    ]

    def areas(weight: NDArray[np.float32]) -> NDArray[np.float64]:
        """Average precisions [R, U] of weighted test faces [R, M]."""
        return np.stack([curve.average_precision(weight[:, at]) for at, curve in curves], axis=1)

    values = areas(np.ones((1, len(rows)), np.float32))[0]
    drawn = np.concatenate([areas(weight) for weight in resamples(len(rows), shared["seed"])])
    figures = []
    for i, (k, answers) in enumerate(found.items()):
        low, high = middle(drawn[:, i])
        told: dict[str, Any] = {
            "metric": f"pr_auc_{units.names[k]}",
            "n": len(answers.rows),
            "chance": _rate(answers, units, k),
        }
        figures.append(Figure(value=float(values[i]), low=low, high=high, detail=answers.detail, **told, **shared))
    low, high = middle(np.nanmean(drawn, axis=1))
    told = {"metric": "pr_auc", "n": len(rows), "chance": float(np.mean([figure.chance for figure in figures]))}
    told |= {"detail": about | {"resamples": len(drawn)}}
    return [Figure(value=float(values.mean()), low=low, high=high, **told, **shared), *figures]


def f1_then_likelihood(truth: NDArray[np.int64], probabilities: Floats) -> float:
    """F1 of validation faces; where no setting finds a positive, a hair of mean log-likelihood still ranks them."""
    said = probabilities[:, 1] >= 0.5
    hit, wrong = (said & (truth == 1)).sum(), (said != (truth == 1)).sum()
    f1 = 2 * hit / (2 * hit + wrong) if hit else 0.0
    likelihood = np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean()
    return float(f1 + 1e-6 * likelihood)


def mean_f1(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 = 2 tp / (2 tp + fp + fn) averaged over the units that are shown, from means [R, 3U] of (tp, fp, fn) a unit.

    A group of people, or a resample, in which nobody shows a unit says nothing of how it is found. 0 without any.
    """
    tp, fp, fn = np.moveaxis(means.reshape(len(means), -1, 3), 2, 0)
    shown = tp + fn > 0
    each = np.where(shown, 2 * tp / np.maximum(2 * tp + fp + fn, 1e-300), 0.0)
    values: NDArray[np.float64] = each.sum(axis=1) / np.maximum(shown.sum(axis=1), 1)
    return values


def _readable(units: Questions, parts: Sequence[Splits]) -> tuple[list[int], dict[str, str]]:
    kept, skipped = [], {}
    for k, name in enumerate(units.names):
        found = counts(units, k, parts)
        if found.learnable and found.tested_yes:
            kept.append(k)
        else:
            skipped[name] = str(found)
    if not kept:
        raise ValueError(f"no action unit can be read: {skipped}; expected faces with and without it in training")
    return kept, skipped
