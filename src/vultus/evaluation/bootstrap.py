"""Percentile bootstrap (Efron 1979): resample the test samples, read off the middle 95 %.

The intervals cover the choice of test faces only, not of training faces or of a training run's seed; faces of
one person count as independent, so sets with many pictures a person have wider true intervals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 1000
LEVEL = 0.95
_BLOCK = 2_000_000  # resampled entries held at once


def mean_interval(scores: NDArray[np.generic], seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95 % interval of the mean of per-sample scores [N]."""
    return statistic_interval(scores[:, None], lambda means: means[:, 0], seed, resamples)


def statistic_interval(
    columns: NDArray[np.generic],
    statistic: Callable[[Floats], Floats],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """95 % interval of any function of column means: F1 of (tp, fp, fn), recalls of a confusion matrix, R².

    columns: [N, M], one row a sample. statistic: means [R, M] → values [R]; NaN values are passed over.
    Multinomial counts stand for the resampled indices, so all resamples are one matrix product.
    """
    return middle(statistic(_resampled_means(columns.astype(np.float64), seed, resamples)))


def resampled_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    strata: Sequence[NDArray[np.int64]],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """95 % interval of a statistic that needs the samples themselves (AUC): called with resampled indices.

    strata: index arrays, each resampled within itself, so that no resample lacks same or different pairs.
    """
    rng = np.random.default_rng(seed)
    draws = (
        np.concatenate([rows[rng.integers(len(rows), size=len(rows))] for rows in strata]) for _ in range(resamples)
    )
    return middle(np.array([statistic(rows) for rows in draws]))


@dataclass(frozen=True)
class Difference:
    """Second less first; p is two-sided, for no difference."""

    value: float
    low: float
    high: float
    p: float
    n: int


def paired_difference(
    first: NDArray[np.generic],
    second: NDArray[np.generic],
    statistic: Callable[[Floats], Floats] = lambda means: means[:, 0],
    seed: int = 0,
    resamples: int = 10_000,
) -> Difference:
    """Bootstrap of the difference that two methods make on the same samples, in the same order.

    first, second: [N, C], a row a sample; statistic: as in `statistic_interval`.
    p is twice the share of resamples on the other side of zero, at least 1 / resamples.
    Raises ValueError when the scores are not of the same samples (shapes differ).
    """
    if first.shape != second.shape or first.ndim != 2 or not len(first):
        raise ValueError(
            f"expected scores of the same samples, got shapes {first.shape} and {second.shape}: "
            "score both methods on the same test faces"
        )
    both = np.concatenate([first, second], axis=1).astype(np.float64)
    width = first.shape[1]

    def change(means: Floats) -> Floats:
        return statistic(means[:, width:]) - statistic(means[:, :width])

    values = change(_resampled_means(both, seed, resamples))
    return _difference(float(change(both.mean(axis=0)[None])[0]), values, len(both))


def independent_difference(
    first: NDArray[np.generic],
    second: NDArray[np.generic],
    statistic: Callable[[Floats], Floats] = lambda means: means[:, 0],
    seed: int = 0,
    resamples: int = 10_000,
) -> Difference:
    """Bootstrap of the difference between two groups of samples, each resampled by itself.

    first: [N, C], second: [M, C], a row a sample; statistic and p as in `paired_difference`; n is N + M.
    """
    groups = first.astype(np.float64), second.astype(np.float64)
    value = [float(statistic(group.mean(axis=0)[None])[0]) for group in groups]
    drawn = [statistic(_resampled_means(group, (seed, i), resamples)) for i, group in enumerate(groups)]
    return _difference(value[1] - value[0], drawn[1] - drawn[0], len(first) + len(second))


def _difference(value: float, drawn: Floats, n: int) -> Difference:
    """`drawn`: the resampled differences [R]."""
    low, high = middle(drawn)
    side = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
    return Difference(value, low, high, min(1.0, max(2 * side, 1 / len(drawn))), n)


def _resampled_means(columns: Floats, seed: int | tuple[int, ...], resamples: int) -> Floats:
    """[N, M] → [R, M]. Equal rows are drawn as one multinomial cell: the same distribution, far fewer draws."""
    if not len(columns):
        raise ValueError("no test samples to resample: expected at least one")
    rng = np.random.default_rng(seed)
    cells, counts = np.unique(columns, axis=0, return_counts=True)
    n, step = len(columns), max(1, _BLOCK // len(cells))
    share = counts / n
    parts = [rng.multinomial(n, share, size=min(step, resamples - at)) @ cells for at in range(0, resamples, step)]
    return np.concatenate(parts) / n


def middle(values: Floats) -> tuple[float, float]:
    """The ends of the middle 95 % of resampled values; NaN values are passed over."""
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)
