"""Attributes of a face: yes/no by logistic regressions, gender and ethnicity by a multinomial one, age by ridge.

The headline is CelebA's (Liu et al., Deep Learning Face Attributes in the Wild, 2015): the mean of the attributes'
accuracies. Of a set whose only attribute is age it is the mean absolute error in years.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation import classes
from vultus.evaluation.bootstrap import mean_interval, statistic_interval
from vultus.evaluation.few_shot import labelled
from vultus.evaluation.figure import Figure, Scores, groups_of
from vultus.evaluation.people import drawn
from vultus.evaluation.pooled import answer, learned
from vultus.evaluation.probe import accuracy
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.evaluation.taught import Asked, answers_of
from vultus.evaluation.yes_no import Questions, counts
from vultus.faces.faceset import FaceSet

CLASSES, AGE = ("gender", "ethnicity"), "age"
NOT_OF_THE_FACE = ("peak",)  # a column of yes and no that tells of the recording
ANSWERS = np.array(["no", "yes"])
PLAIN = Protocol()


def evaluate(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy`, the attributes' mean, `accuracy_NAME` and `balanced_accuracy_NAME` of each, and `mae_age`.

    features: [N, D], rows as in `faces`. An attribute is any column of yes and no, gender, ethnicity and age; gender
    is passed over where the set asks `male`, which is the same. A face with an attribute unknown is left out for that
    attribute. Attributes that cannot be learned or are not tested are skipped and named in the first figure's detail
    with their counts; to one that few labels do not teach their commonest answer is given throughout.
    Chance is the training part's commonest answer, 1 / classes, and its mean age.
    Raises ValueError where no attribute is left.
    """
    plan = readable(faces, protocol)
    found, untaught = _yes_no(features, faces, plan, protocol)
    for name in plan.classes:
        found[name] = classes.classify(features, faces, name, protocol, task="attributes")
    named = [_named(figure, name) for name, both in found.items() for figure in both]
    figures = [_mean({name: both[0] for name, both in found.items()}), *named] if found else []
    if plan.age:
        figures.append(_age(features, faces, protocol))
    about = {"skipped": plan.skipped} | ({"untaught": untaught} if untaught else {})
    first = replace(figures[0], detail={**figures[0].detail, **about})
    return [first, *figures[1:]]


@dataclass(frozen=True)
class Plan:
    """What of a set's attributes can be read: questions by number in `asked` and their parts, classes, age."""

    asked: tuple[int, ...]
    questions: Questions
    parts: tuple[Splits, ...]
    classes: tuple[str, ...]
    age: bool
    skipped: Mapping[str, str]  # attribute → why not


def readable(faces: FaceSet, protocol: Protocol = PLAIN) -> Plan:
    """The attributes that every part of the set can learn, whatever few of its labels are drawn.

    Raises ValueError with the reasons where none is left.
    """
    questions, skipped = questions_of(faces), dict[str, str]()
    asked, parts = _askable(faces, questions, protocol, skipped)
    told = []
    for name in (*CLASSES, AGE):
        if name not in faces.columns or (name == "gender" and "male" in questions.names):
            continue
        labels = faces.labels(name)
        if (labels.dtype.kind == "U") == (name == AGE):
            skipped[name] = f"{'years' if name == AGE else 'words'} expected, the set has another kind of label"
            continue
        try:
            own = parts_of(faces, np.isfinite(labels) if name == AGE else labels != "", protocol.seed)
            if name != AGE:
                classes.learnable(labels, own, name)
            labelled(own, protocol, None if name == AGE else labels)
        except ValueError as reason:
            skipped[name] = str(reason)
        else:
            told.append(name)
    if not asked and not told:
        raise ValueError(f"no attribute of {faces.card.name} can be read: {skipped or 'it has none'}")
    return Plan(asked, questions, parts, tuple(name for name in told if name != AGE), AGE in told, skipped)


def questions_of(faces: FaceSet) -> Questions:
    """The columns of yes and no."""
    found = {}
    for name in faces.columns:
        labels = faces.labels(name)
        if name not in NOT_OF_THE_FACE and labels.dtype.kind == "U":
            known = labels[labels != ""]
            if len(known) and np.isin(known, ANSWERS).all():
                found[name] = labels
    table = np.stack([*found.values()], axis=1) if found else np.empty((len(faces), 0), np.str_)
    return Questions(tuple(found), table != "", table == "yes")


def _askable(
    faces: FaceSet, questions: Questions, protocol: Protocol, skipped: dict[str, str]
) -> tuple[tuple[int, ...], tuple[Splits, ...]]:
    """The questions that every part can learn, and the parts; `skipped` takes the others."""
    if not questions.names:
        return (), ()
    try:
        parts = parts_of(faces, np.asarray(questions.known.any(axis=1)), protocol.seed)
        labelled(parts, protocol)  # whether there are as many as are asked for
    except ValueError as reason:
        skipped |= dict.fromkeys(questions.names, str(reason))
        return (), ()
    found = {k: counts(questions, k, parts) for k in range(len(questions.names))}
    skipped |= {questions.names[k]: str(own) for k, own in found.items() if not own.learnable}
    return tuple(k for k, own in found.items() if own.learnable), tuple(parts)


def _yes_no(
    features: NDArray[np.floating], faces: FaceSet, plan: Plan, protocol: Protocol
) -> tuple[dict[str, list[Figure]], dict[str, str]]:
    """Both figures of each question; and in words which of them few labels do not teach."""
    if not plan.asked:
        return {}, {}
    parts, questions = labelled(plan.parts, protocol), plan.questions
    rows = learned(parts)
    known = questions.known[rows]
    common = 2 * (questions.yes[rows] & known).sum(axis=0) > known.sum(axis=0)
    asked = Asked(questions, plan.asked, accuracy, common.astype(np.float64))
    answers, untaught = answers_of(features, asked, parts, protocol)
    about = {"task": "attributes", "data": faces.card.name}
    found = {}
    for k, own in answers.items():
        yes = questions.yes[:, k].astype(np.int64)
        found[questions.names[k]] = classes.figures(yes, own, ANSWERS, int(common[k]), protocol.seed, about)
    return found, untaught


def _named(figure: Figure, name: str) -> Figure:
    """The figure of one attribute, the scores of its accuracy as `mean_ratio` reads them."""
    if figure.metric != "accuracy":
        return replace(figure, metric=f"{figure.metric}_{name}")
    scores = figure.scores and Scores(
        figure.scores.rows,
        np.concatenate([figure.scores.columns, np.ones_like(figure.scores.columns)], axis=1),
        figure.scores.groups,
    )
    return replace(figure, metric=f"{figure.metric}_{name}", scores=scores)


def _mean(accuracies: Mapping[str, Figure]) -> Figure:
    """The mean of the attributes' accuracies; a face counts for those which are known of it."""
    own = [(f.scores.rows, f.scores.columns[:, 0]) for f in accuracies.values() if f.scores is not None]
    rows = np.unique(np.concatenate([faces for faces, _ in own]))
    columns = np.zeros((len(rows), 2 * len(own)))
    for i, (faces, right) in enumerate(own):
        at = np.searchsorted(rows, faces)
        columns[at, 2 * i], columns[at, 2 * i + 1] = right, 1
    first = next(iter(accuracies.values()))
    groups = groups_of(rows, [f.scores for f in accuracies.values() if f.scores is not None])
    low, high = statistic_interval(columns, mean_ratio, first.seed, groups=groups)
    kept = ("readout", "split", "train", "shots", "leaked_test_faces")
    detail: dict[str, Any] = {key: first.detail[key] for key in kept if key in first.detail} | drawn(groups, len(rows))
    return replace(
        first,
        value=float(mean_ratio(columns.mean(axis=0)[None])[0]),
        low=low,
        high=high,
        n=len(rows),
        chance=float(np.mean([f.chance for f in accuracies.values()])),
        detail=detail | {"attributes": list(accuracies)},
        scores=Scores(rows, columns, groups),
    )


def mean_ratio(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over attributes of right / known, or of error / known, from means [R, 2A] of such pairs."""
    right, known = np.moveaxis(means.reshape(len(means), -1, 2), 2, 0)
    with np.errstate(invalid="ignore"):
        values: NDArray[np.float64] = np.nanmean(right / known, axis=1)
    return values


def _age(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol) -> Figure:
    years = faces.labels(AGE).astype(np.float64)[:, None]
    parts = parts_of(faces, np.isfinite(years[:, 0]), protocol.seed)
    parts = labelled(parts, protocol)
    answers = answer(features, parts, protocol, lambda probe: probe.regress(years, protocol.readout))
    truth = years[answers.rows]
    error = np.abs(answers.given - truth)[:, 0]
    low, high = mean_interval(error, protocol.seed, groups=answers.groups)
    return Figure(
        task="attributes",
        metric="mae_age",
        value=float(error.mean()),
        low=low,
        high=high,
        n=len(error),
        dim=answers.dim,
        chance=float(np.abs(years[learned(parts)].mean() - truth).mean()),
        seed=protocol.seed,
        data=faces.card.name,
        detail=answers.detail,
        scores=Scores(answers.rows, np.stack([error, np.ones_like(error)], axis=1), answers.groups),
    )
