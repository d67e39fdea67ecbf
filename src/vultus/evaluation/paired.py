"""Is one method better than another? Both on the same test samples, whose groups (people) are resampled together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import Difference, Statistic, gapless, over_known, paired_differences
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.tasks import TASKS


def difference(ours: Figure, theirs: Figure) -> Difference:
    """How much better `ours` is, in the figure's own units: above 0 also for errors that are smaller.

    Raises ValueError for figures of different tasks or test samples, or without scores.
    """
    return differences(ours, [theirs])[0]


def differences(ours: Figure, rivals: Sequence[Figure]) -> list[Difference]:
    """How much better `ours` is than each rival, all on the same resamples; otherwise as `difference`."""
    for theirs in rivals:
        if reason := why_not(ours, theirs):
            raise ValueError(reason)
    statistic = TASKS[ours.task].reads(ours.metric)
    sign = 1 if ours.lower_is_better else -1
    scores = [figure.scores for figure in (ours, *rivals) if figure.scores is not None]
    columns, values = zip(*(_read(one, lambda means: sign * statistic(means)) for one in scores), strict=True)
    # older scores lack groups: those of the same rows serve
    groups = next((one.groups for one in scores if one.groups is not None), None)
    return paired_differences(columns[0], columns[1:], values, ours.seed, groups=groups)


def _read(scores: Scores, statistic: Statistic) -> tuple[NDArray[np.float64], Statistic]:
    """Columns without gaps, and what of their means is the figure's value: the mean over seeds of each one's statistic.

    A statistic of the seeds' mean counts would be another: the F1 of two seeds together is not the mean of their F1s.
    """
    gaps = [bool(np.isnan(own).any()) for own in scores.each]
    columns = [gapless(own) if gap else own for own, gap in zip(scores.each, gaps, strict=True)]
    ends = np.cumsum([own.shape[1] for own in columns])[:-1]

    def value(means: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = zip(np.split(means, ends, axis=1), gaps, strict=True)
        mean: NDArray[np.float64] = np.mean([statistic(over_known(own) if gap else own) for own, gap in parts], axis=0)
        return mean

    return np.concatenate(columns, axis=1), value


def why_not(ours: Figure, theirs: Figure) -> str:
    """Why the two cannot be compared; empty if they can."""
    if (ours.task, ours.metric, ours.data) != (theirs.task, theirs.metric, theirs.data):
        return (
            f"{ours.task} {ours.metric} on {ours.data} cannot be compared with {theirs.task} {theirs.metric} on "
            f"{theirs.data}"
        )
    if ours.detail.get("content") != theirs.detail.get("content"):
        return f"{ours.method} and {theirs.method} were tested on two different sets that are both called {ours.data}"
    if reason := ours.asks_other_than(theirs):
        return reason
    if ours.scores is None or theirs.scores is None:
        return f"the figures of {ours.method} and {theirs.method} carry no scores: evaluate them again"
    if not np.array_equal(ours.scores.rows, theirs.scores.rows):
        return f"{ours.method} and {theirs.method} were tested on different samples of {ours.data}"
    return ""
