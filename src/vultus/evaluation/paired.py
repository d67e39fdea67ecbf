"""Is one method better than another? Both on the same test samples, resampled together."""

import numpy as np

from vultus.evaluation.bootstrap import Difference, paired_difference
from vultus.evaluation.figure import Figure
from vultus.evaluation.tasks import TASKS


def difference(ours: Figure, theirs: Figure) -> Difference:
    """How much better `ours` is, in the figure's own units: above 0 also for errors that are smaller.

    Raises ValueError for figures of different tasks or test samples, or without scores.
    """
    if (ours.task, ours.metric, ours.data) != (theirs.task, theirs.metric, theirs.data):
        raise ValueError(
            f"{ours.task} {ours.metric} on {ours.data} cannot be compared with {theirs.task} {theirs.metric} on "
            f"{theirs.data}"
        )
    if ours.scores is None or theirs.scores is None:
        raise ValueError(f"the figures of {ours.method} and {theirs.method} carry no scores: evaluate them again")
    if not np.array_equal(ours.scores.rows, theirs.scores.rows):
        raise ValueError(f"{ours.method} and {theirs.method} were tested on different samples of {ours.data}")
    statistic = TASKS[ours.task].statistic
    sides = theirs.scores.columns, ours.scores.columns
    return paired_difference(*(sides[::-1] if ours.lower_is_better else sides), statistic, ours.seed)
