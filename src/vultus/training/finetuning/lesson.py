"""What a network is to learn: a label, as an objective and targets, and by what it is chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.splits import Splits
from vultus.training.finetuning.objectives import Objective

Truth = NDArray[Any]
Said = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Targets [N, …] of all faces, of which those of `part.test` are for the end.

    score: of what is true [M, …] and said [M, …] of validation faces; higher is better.
    """

    objective: Objective
    targets: NDArray[Any]
    score: Callable[[Truth, Said], float]
    part: Splits
    measure: tuple[str, str] = ("accuracy", "%")  # what the score is and its unit; less it where it is an error

    def told(self, score: float) -> str:
        """A score in words, as tables have it: errors without the sign that makes higher better."""
        what, unit = self.measure
        return f"{what} {100 * score:.1f} %" if unit == "%" else f"{what} {-score:.3g}{unit}"


def mean_of_each(score: Callable[[Truth, Said], float]) -> Callable[[Truth, Said], float]:
    """The mean, over the columns of 1, 0 and NaN [M, K], of a score of two classes' probabilities [M, 2]."""

    def scored(truth: Truth, said: Said) -> float:
        found = []
        for yes, chance in zip(truth.T, said.T, strict=True):
            known = np.isfinite(yes)
            if known.any():
                pairs = np.stack([1 - chance[known], chance[known]], axis=1)
                found.append(score(yes[known].astype(np.int64), pairs))
        return float(np.mean(found))

    return scored


def minus_distance(truth: Truth, said: Said) -> float:
    """Less the mean absolute error of what is known of [M, …]."""
    return -float(np.nanmean(np.abs(truth - said)))
