"""Action units: one logistic regression each; F1 and average precision each, and their means."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import statistic_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.joined import Joined
from vultus.evaluation.order import Curve, OfOrder
from vultus.evaluation.people import drawn, numbered
from vultus.evaluation.pooled import Answers
from vultus.evaluation.preparation import Floats
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.evaluation.taught import Asked, answers_of
from vultus.evaluation.yes_no import Questions, counts
from vultus.faces.faceset import FaceSet
from vultus.faces.record import PRESENT

PLAIN = Protocol()
PRECISIONS = OfOrder(Curve.average_precision)
_UNIT = re.compile(r"au\d\d")
# by reader the units whose mean is published; the sets code more
PROTOCOLS = {"disfa": ("au01", "au02", "au04", "au06", "au09", "au12", "au25", "au26")}


def evaluate(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `f1`, the units' mean, and `f1_auNN` of each; the answer is positive where its probability is ½ or more.

    And `pr_auc`, the mean of the units' average precisions, and `pr_auc_auNN`, which no threshold touches.
    features: [N, D], rows as in `faces`. protocol.present: intensity from which a unit counts as shown, by default
    that from which supervised methods learn it. A face with a unit unknown is left out for that unit. The mean is of
    the units of the set's protocol (`PROTOCOLS`), of all where none is published; the others stand by themselves.
    Units which are not both present and absent in every training part and present in the test part are skipped and
    named in the mean's detail with their counts. One that few labels do not teach is answered yes throughout.
    Chance is F1 of always saying yes, 2p / (1 + p), and the share p of faces that show the unit.
    """
    plan = readable(faces, protocol)
    units, parts = plan.units, plan.drawn(protocol)
    asked = Asked(units, plan.kept, f1_then_likelihood, np.full(len(units.names), 0.5))
    found, untaught = answers_of(features, asked, parts, protocol)
    rows = np.concatenate([part.test for part in parts])
    first = next(iter(found.values()))
    shared: dict[str, Any] = {"task": "action_units", "data": faces.card.name, "dim": first.dim, "seed": protocol.seed}
    about = plan.told() | {"threshold": protocol.present, "left_out": parts[0].left_out}
    about |= {"readout": protocol.readout, "split": parts[0].origin, "train": len(parts[0].final)}
    about |= {"untaught": untaught} if untaught else {}
    if protocol.shots is not None:
        about["shots"] = protocol.shots
    if leaked := sum(part.leaked_test_faces for part in parts):
        about["leaked_test_faces"] = leaked
    groups = numbered(parts[0].people, rows)
    about |= drawn(groups, len(rows))
    figures = [*_f1(rows, plan, found, about, shared, groups), *_pr_auc(rows, plan, found, about, shared, groups)]
    if protocol.present == PRESENT:
        return figures
    how = {"readout": f"{protocol.readout}, units from {protocol.present:g}"}  # no other figure is comparable
    return [replace(f, detail={**f.detail, **how}) for f in figures]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is read: of `units` those by number in `kept`; `counted`: of these the units of the mean."""

    units: Questions
    parts: list[Splits]
    kept: tuple[int, ...]
    counted: tuple[int, ...]
    skipped: Mapping[str, str]  # unit → why not

    def drawn(self, protocol: Protocol) -> list[Splits]:
        """The parts as few labels leave them."""
        return labelled(self.parts, protocol)

    def told(self) -> dict[str, Any]:
        """For the mean's detail."""
        apart = [self.units.names[k] for k in self.kept if k not in self.counted]
        about: dict[str, Any] = {"units": [self.units.names[k] for k in self.counted], "skipped": dict(self.skipped)}
        return about | ({"beside_the_mean": apart} if apart else {})


def readable(faces: FaceSet, protocol: Protocol = PLAIN) -> Plan:
    """The units that every training part can teach, whatever few of its labels are drawn. Raises ValueError."""
    units = _units(faces, protocol.present)
    parts = parts_of(faces, np.asarray(units.known.any(axis=1)), protocol.seed)
    kept, skipped = _readable(units, parts)
    wanted = protocol_units(faces) or units.names
    counted = tuple(k for k in kept if units.names[k] in wanted)
    if not counted:
        raise ValueError(f"none of the protocol's action units {', '.join(wanted)} can be read: {skipped}")
    return Plan(units, parts, tuple(kept), counted, skipped)


def protocol_units(faces: FaceSet) -> tuple[str, ...]:
    """Those of the reader that made the set, or the one it is tested on; () where none are published."""
    tested: Any = faces.parts[-1] if isinstance(faces, Joined) else faces
    made = re.search(r"reader (\w+)", str(getattr(tested.card, "made", "")))
    return PROTOCOLS.get(made[1], ()) if made else ()


def _units(faces: FaceSet, threshold: float) -> Questions:
    names = tuple(name for name in faces.columns if _UNIT.fullmatch(name))
    strength = np.stack([faces.labels(name) for name in names], axis=1)
    return Questions(names, np.isfinite(strength), strength >= threshold)


def _f1(
    rows: NDArray[np.int64],
    plan: Plan,
    found: dict[int, Answers],
    about: dict[str, Any],
    shared: dict[str, Any],
    groups: NDArray[np.int64] | None,
) -> list[Figure]:
    """The mean, then each unit."""
    units, outcomes, figures = plan.units, {}, []
    for k, answers in found.items():
        outcome = _outcome(answers, units.yes[:, k])
        outcomes[k] = outcome[rows]
        rate = _rate(answers, units, k)
        figures.append(
            Figure(
                metric=f"f1_{units.names[k]}",
                n=len(answers.rows),
                chance=2 * rate / (1 + rate),
                detail={**answers.detail, "positive_rate": rate},
                scores=Scores(answers.rows, outcome[answers.rows].astype(np.float64), answers.groups),
                **_measured([outcome[answers.rows]], shared["seed"], answers.groups),
                **shared,
            )
        )
    counted = [outcomes[k] for k in plan.counted]
    mean = Figure(
        metric="f1",
        n=len(rows),
        chance=_mean_chance(figures, found, plan),
        detail=about,
        scores=Scores(rows, np.concatenate(counted, axis=1).astype(np.float64), groups),
        **_measured(counted, shared["seed"], groups),
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


def _measured(outcomes: list[NDArray[np.bool_]], seed: int, groups: NDArray[np.int64] | None) -> dict[str, Any]:
    columns = np.concatenate(outcomes, axis=1).astype(np.float64)
    low, high = statistic_interval(columns, mean_f1, seed, groups=groups)
    return {"value": float(mean_f1(columns.mean(axis=0)[None])[0]), "low": low, "high": high}


def _pr_auc(
    rows: NDArray[np.int64],
    plan: Plan,
    found: dict[int, Answers],
    about: dict[str, Any],
    shared: dict[str, Any],
    groups: NDArray[np.int64] | None,
) -> list[Figure]:
    """The mean, then each unit."""
    units, columns, figures = plan.units, {}, []
    for k, answers in found.items():
        own = np.full((len(units.yes), 2), np.nan)
        own[answers.rows] = np.stack([answers.given[:, 1], units.yes[answers.rows, k]], axis=1)
        columns[k] = own[rows]
        scores = Scores(answers.rows, own[answers.rows], answers.groups)
        told = {"metric": f"pr_auc_{units.names[k]}", "chance": _rate(answers, units, k), "detail": answers.detail}
        figures.append(PRECISIONS.figure(scores, told | shared))
    scores = Scores(rows, np.concatenate([columns[k] for k in plan.counted], axis=1), groups)
    told = {"metric": "pr_auc", "chance": _mean_chance(figures, found, plan), "detail": about}
    return [PRECISIONS.figure(scores, told | shared), *figures]


def _mean_chance(figures: Sequence[Figure], of: Iterable[int], plan: Plan) -> float:
    """figures: of the units `of`."""
    return float(np.mean([figure.chance for figure, k in zip(figures, of, strict=True) if k in plan.counted]))


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
