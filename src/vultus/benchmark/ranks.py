"""Methods over several tasks: average ranks, Friedman's test, Nemenyi's critical difference (Demšar, JMLR 2006).

The tests take problems for independent, and tasks on the same faces are not: identity and retrieval of one set read
much the same. So ranks are averaged within a set first, and sets are what is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata, studentized_range

ALPHA = 0.05
FEWEST = 3  # tasks, and methods, below which ranks say nothing; sets below which they cannot be tested


@dataclass(frozen=True)
class Ranks:
    """Best first. `difference`: average ranks closer than this cannot be told apart at 5 %; None with too few sets."""

    names: tuple[str, ...]
    average: tuple[float, ...]
    tasks: int
    sets: int
    statistic: float  # Friedman's χ², corrected for ties
    p: float  # that all methods are alike
    difference: float | None

    @property
    def groups(self) -> list[tuple[int, int]]:
        """First and last place of every longest run of methods that cannot be told apart."""
        found: list[tuple[int, int]] = []
        if self.difference is None:
            return found
        for first, best in enumerate(self.average):
            last = max(i for i, rank in enumerate(self.average) if rank - best <= self.difference)
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return found


def compare(
    names: Sequence[str],
    values: NDArray[np.float64],
    lower_is_better: Sequence[bool],
    sets: Sequence[str] | None = None,
) -> Ranks:
    """values: [tasks, methods]; sets: each task's test set, else all have different ones.

    Raises ValueError for fewer than three tasks or methods, or for missing values.
    """
    tasks, methods = values.shape
    if min(tasks, methods) < FEWEST:
        raise ValueError(f"ranks need three tasks and three methods, got {tasks} and {methods}")
    if not np.isfinite(values).all():
        raise ValueError("ranks need every method's value on every task")
    losses = np.where(np.asarray(lower_is_better), 1.0, -1.0)[:, None] * values
    of_set = np.array([str(i) for i in range(tasks)] if sets is None else sets)
    within = np.stack([average_ranks(losses[of_set == name]) for name in dict.fromkeys(of_set.tolist())])
    average = within.mean(axis=0)
    order = np.argsort(average, kind="stable")
    tested = len(within) >= FEWEST
    alike = bool((within == within[:, :1]).all())  # Friedman's statistic would be 0 / 0
    statistic, p = (0.0, 1.0) if alike or not tested else friedmanchisquare(*within.T)
    return Ranks(
        names=tuple(names[i] for i in order),
        average=tuple(average[order].tolist()),
        tasks=tasks,
        sets=len(within),
        statistic=float(statistic),
        p=float(p),
        difference=critical_difference(methods, len(within)) if tested else None,
    )


def average_ranks(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """[tasks, methods] → [methods]: mean place over tasks, 1 the lowest; equal ones share the mean of their places."""
    ranks: NDArray[np.float64] = rankdata(losses, axis=1).mean(axis=0)
    return ranks


def critical_difference(methods: int, sets: int) -> float:
    """q √(k (k + 1) / 6N), q the 95 % point of the studentised range of k over infinite samples, over √2.

    It is that of one task a set: ranks averaged over several tasks vary less, so it errs on the safe side.
    """
    q = float(studentized_range.ppf(1 - ALPHA, methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * sets)))
