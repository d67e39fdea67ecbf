"""Questions of yes and no under few labels: where the few cannot teach one, a constant stands for its answer.

Which questions are asked is decided on the whole training part, so it is the same for every draw of the few, and their
mean is of the same questions under every seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.people import drawn, numbered
from vultus.evaluation.pooled import Answers, Tunes, answer
from vultus.evaluation.probe import Reading, Score
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits
from vultus.evaluation.yes_no import Questions, counts, detect


@dataclass(frozen=True)
class Asked:
    """What is asked: all of `questions` that are in `kept`, by number; score: chooses each one's regularisation.

    blind: [K] probability of yes that is answered where the few cannot teach.
    """

    questions: Questions
    kept: Sequence[int]
    score: Score
    blind: NDArray[np.float64]


def answers_of(
    features: NDArray[np.floating] | Tunes, asked: Asked, parts: Sequence[Splits], protocol: Protocol
) -> tuple[dict[int, Answers], dict[str, str]]:
    """As `detect`, and in words which questions a constant answers, wholly or in some parts.

    parts: with the few faces that may be learned from. A network that is tuned learns all questions at once and is
    asked all of them.
    """
    questions, kept = asked.questions, asked.kept
    taught = {k: tuple(counts(questions, k, [part]).learnable for part in parts) for k in kept}
    if protocol.shots is None or isinstance(features, Tunes) or all(map(all, taught.values())):
        return detect(features, questions, kept, parts, asked.score, protocol), {}
    pieces: dict[int, list[Answers]] = {k: [] for k in kept}
    for number, part in enumerate(parts):
        own = [k for k in kept if taught[k][number]]
        read = detect(features, questions, own, [part], asked.score, protocol) if own else {}
        constant = answer(features, [part], protocol, _nothing) if len(own) < len(kept) else None
        for k in kept:
            if constant is not None and k not in read:
                read[k] = _constant(constant, questions.known[constant.rows, k], float(asked.blind[k]))
            pieces[k].append(read[k])
    return {k: _pooled(own, taught[k], parts[0].people) for k, own in pieces.items()}, _told(questions, taught)


def _nothing(probe: Any) -> Reading:
    """Answers that hold nothing."""
    return Reading(np.zeros((len(probe.splits.test), 2), np.float32), {})


def _constant(blank: Answers, known: NDArray[np.bool_], yes: float) -> Answers:
    """A constant probability of yes for the faces of which the answer is known (mask [M])."""
    rows = blank.rows[known]
    return replace(blank, rows=rows, given=np.tile(np.array([1 - yes, yes], np.float32), (len(rows), 1)))


def _pooled(parts: Sequence[Answers], taught: Sequence[bool], people: NDArray[np.str_] | None) -> Answers:
    """One question's answers of all parts, with the circumstances of the first that was taught."""
    first = parts[list(taught).index(True) if any(taught) else 0]
    rows = np.concatenate([part.rows for part in parts])
    groups = numbered(people, rows)
    detail: dict[str, Any] = first.detail | {"train": min(part.detail["train"] for part in parts)}
    if leaked := sum(part.detail.get("leaked_test_faces", 0) for part in parts):
        detail["leaked_test_faces"] = leaked
    if constant := sum(len(part.rows) for part, can in zip(parts, taught, strict=True) if not can):
        detail["constant_for"] = constant
    detail |= drawn(groups, len(rows))
    given = np.concatenate([part.given for part in parts])
    return replace(first, rows=rows, given=given, groups=groups, detail=detail)


def _told(questions: Questions, taught: dict[int, tuple[bool, ...]]) -> dict[str, str]:
    """By question, of those that a constant answers."""
    told = {}
    for k, which in taught.items():
        lost = len(which) - sum(which)
        if lost:
            where = "" if len(which) == 1 else f" in {lost} of {len(which)} folds"
            told[questions.names[k]] = f"answered by a constant{where}: the few do not show it twice with each answer"
    return told
