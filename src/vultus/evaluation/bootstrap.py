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


def paired_differences(
    first: NDArray[np.generic],
    others: Sequence[NDArray[np.generic]],
    statistic: Callable[[Floats], Floats] = lambda means: means[:, 0],
    seed: int = 0,
    resamples: int = 10_000,
) -> list[Difference]:
    """Bootstrap of what each of `others` differs by from `first` on the same samples, in the same order.

    first and each of others: [N, C], a row a sample; statistic: as in `statistic_interval`. All are resampled together,
    so a whole column of a table costs little more than one pair.
    p is twice the share of resamples on the other side of zero, at least 1 / resamples.
    Raises ValueError when the scores are not of the same samples (shapes differ).
    """
    for second in others:
        if first.shape != second.shape or first.ndim != 2 or not len(first):
            raise ValueError(
                f"expected scores of the same samples, got shapes {first.shape} and {second.shape}: "
                "score both methods on the same test faces"
            )
    columns = np.concatenate([first, *others], axis=1).astype(np.float64)
    drawn, whole = _resampled_means(columns, seed, resamples), columns.mean(axis=0)[None]
    changes = [_changes(means, first.shape[1], statistic) for means in (whole, drawn)]
    return [_difference(float(value[0]), values, len(first)) for value, values in zip(*changes, strict=True)]


def _changes(means: Floats, width: int, statistic: Callable[[Floats], Floats]) -> list[Floats]:
    """means [R, (1 + M) C] of the first and of M others → what each of those differs by [R]."""
    own, *others = (statistic(means[:, at : at + width]) for at in range(0, means.shape[1], width))
    return [other - own for other in others]


def independent_difference(
    first: NDArray[np.generic],
    second: NDArray[np.generic],
    statistic: Callable[[Floats], Floats] = lambda means: means[:, 0],
    seed: int = 0,
    resamples: int = 10_000,
) -> Difference:
    """Bootstrap of the difference between two groups of samples, each resampled by itself.

    first: [N, C], second: [M, C], a row a sample; statistic and p as in `paired_differences`; n is N + M.
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
    """[N, M] → [R, M]. Where many rows are equal, each kind is one cell: the same distribution, fewer draws."""
    if not len(columns):
        raise ValueError("no test samples to resample: expected at least one")
    rng = np.random.default_rng(seed)
    cells, counts = np.unique(columns, axis=0, return_counts=True)
    if 4 * len(cells) > len(columns):  # a cell costs about four times what a row does
        cells, counts = columns, np.ones(len(columns), np.int64)
    step = max(1, _BLOCK // len(cells))
    parts = [_drawn(counts, min(step, resamples - at), rng) @ cells for at in range(0, resamples, step)]
    return np.concatenate(parts) / len(columns)


def _drawn(counts: NDArray[np.int64], times: int, rng: np.random.Generator) -> Floats:
    """How often each cell comes up [times, cells] when all samples are drawn anew; counts: samples of each cell."""
    cells, n = len(counts), int(counts.sum())
    if cells < n:
        return rng.multinomial(n, counts / n, size=times).astype(np.float64)
    rows = rng.integers(n, size=(times, n)) + n * np.arange(times)[:, None]
    return np.bincount(rows.ravel(), minlength=times * n).reshape(times, n).astype(np.float64)


def middle(values: Floats) -> tuple[float, float]:
    """The ends of the middle 95 % of resampled values; NaN values are passed over."""
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)
