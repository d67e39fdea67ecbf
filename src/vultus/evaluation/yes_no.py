"""Questions that have yes or no for an answer: a logistic regression each, solved together where known alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.people import drawn
from vultus.evaluation.pooled import Answers, Tunes, answer
from vultus.evaluation.probe import Probe, Reading, Score
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Questions:
    """K questions about N faces; known, yes: [N, K]."""

    names: tuple[str, ...]
    known: Mask
    yes: Mask

    def parts(self, parts: Sequence[Splits], k: int) -> list[Splits]:
        """The parts with those faces alone of which the answer is known."""
        return [only(part, self.known[:, k]) for part in parts]


@dataclass(frozen=True)
class Counts:
    """How often a question has a known answer."""

    yes: int  # in the training part with the fewest
    train: int  # faces of that part
    tested_yes: int
    tested: int
    complete: bool  # every part has faces to choose by and to be tested on

    @property
    def learnable(self) -> bool:
        """Every part has two faces at least with each answer."""
        return min(self.yes, self.train - self.yes) >= 2 and self.complete

    def __str__(self) -> str:
        return f"shown by {self.yes} of {self.train} training and {self.tested_yes} of {self.tested} test faces"


def counts(questions: Questions, k: int, parts: Sequence[Splits]) -> Counts:
    """Of question k."""
    own, yes = questions.parts(parts, k), questions.yes[:, k]

    def rarest(part: Splits) -> int:
        shown = int(yes[part.train].sum())
        return min(shown, len(part.train) - shown)

    fewest = min(own, key=rarest)
    return Counts(
        yes=int(yes[fewest.train].sum()),
        train=len(fewest.train),
        tested_yes=sum(int(yes[part.test].sum()) for part in own),
        tested=sum(len(part.test) for part in own),
        complete=all(len(part.validation) and len(part.test) for part in own),
    )


def detect(
    features: NDArray[np.floating] | Tunes,
    questions: Questions,
    kept: Sequence[int],
    parts: Sequence[Splits],
    score: Score,
    protocol: Protocol,
) -> dict[int, Answers]:
    """Probabilities [M, 2] of no and yes to each question in `kept`, of the test faces of which the answer is known.

    features: [N, D], or what tunes. score: of validation faces, by which each question's regularisation is chosen.
    """
    if isinstance(features, Tunes):
        return _at_once(features, questions, kept, parts, score, protocol)
    groups: dict[bytes, list[int]] = {}
    for k in kept:
        groups.setdefault(questions.known[:, k].tobytes(), []).append(k)
    found: dict[int, Answers] = {}
    for group in groups.values():
        own = questions.parts(parts, group[0])
        answers, choices = _together(features, own, questions.yes[:, group], score, protocol)
        for place, k in enumerate(group):
            chance_of_yes = answers.given[:, place]
            given = np.stack([1 - chance_of_yes, chance_of_yes], axis=1)
            found[k] = replace(answers, given=given, detail=answers.detail | choices[place])
    return {k: found[k] for k in kept}


def _at_once(
    tunes: Tunes, questions: Questions, kept: Sequence[int], parts: Sequence[Splits], score: Score, protocol: Protocol
) -> dict[int, Answers]:
    """`detect` by one network for all questions, which learns each from the faces of which its answer is known."""
    names = [questions.names[k] for k in kept]
    yes = np.where(questions.known, questions.yes, np.nan)[:, list(kept)]
    answers = answer(tunes, parts, protocol, lambda probe: probe.detect_known(names, yes, score))
    found = {}
    for place, k in enumerate(kept):
        known = questions.known[answers.rows, k]
        chance_of_yes = answers.given[known, place]
        given = np.stack([1 - chance_of_yes, chance_of_yes], axis=1)
        groups = None if answers.groups is None else answers.groups[known]
        detail = answers.detail | drawn(groups, len(given))
        found[k] = replace(answers, rows=answers.rows[known], given=given, groups=groups, detail=detail)
    return found


def _together(
    features: NDArray[np.floating], parts: Sequence[Splits], yes: Mask, score: Score, protocol: Protocol
) -> tuple[Answers, list[dict[str, Any]]]:
    """Probabilities of yes to a group's questions, pooled over the parts, and each one's choice in the first part."""
    chosen: list[list[dict[str, Any]]] = []

    def fit(probe: Probe) -> Reading:
        given, choices = probe.detect(yes, score, protocol.readout)
        chosen.append(choices)
        return Reading(given, {})

    return answer(features, parts, protocol, fit), chosen[0]


def only(splits: Splits, known: Mask) -> Splits:
    """The split without the faces of which an answer (mask [N]) is not known; they count as left out."""
    train, validation, test = (rows[known[rows]] for rows in (splits.train, splits.validation, splits.test))
    kept = len(train) + len(validation) + len(test)
    unknown = len(splits.train) + len(splits.validation) + len(splits.test) - kept
    return replace(splits, train=train, validation=validation, test=test, left_out=splits.left_out + unknown)
