"""Is one method better than another? Both on the same test samples, whose groups (people) are resampled together."""

from collections.abc import Sequence

import numpy as np

from vultus.evaluation.bootstrap import Difference, paired_differences
from vultus.evaluation.figure import Figure
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
    scores = [figure.scores for figure in (ours, *rivals) if figure.scores is not None]
    # older scores lack groups: those of the same rows serve
    groups = next((one.groups for one in scores if one.groups is not None), None)
    first, *others = (one.each for one in scores)
    found = paired_differences(first, others, TASKS[ours.task].reads(ours.metric), ours.seed, groups=groups)
    return found if ours.lower_is_better else [-one for one in found]


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
