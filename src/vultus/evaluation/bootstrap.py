"""Percentile bootstrap (Efron 1979): resample the test samples, read off the middle 95 %.

Samples of one group, the pictures of a person, are drawn together (cluster bootstrap; Davison & Hinkley, Bootstrap
Methods, 1997, 3.8): they are right or wrong together, so as single samples they would promise too much. Groups come
from `people.py`; a single group cannot be resampled, its samples then stand for themselves.
The intervals cover the choice of test samples only, not of training faces or of a training run's seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.int64] | None  # [N], equal for samples that are drawn together; None: each by itself
Statistic = Callable[[Floats], Floats]  # column means [R, C] → values [R]
RESAMPLES = 1000
LEVEL = 0.95
_BLOCK = 2_000_000  # resampled entries held at once


class Reads(Protocol):
    """What of test samples' columns [N, C] is a figure's value; rows of NaN are of samples that were not tested."""

    def value(self, columns: Floats) -> float:
        """Of the samples as they are."""

    def resampled(
        self, every: Sequence[Floats], seed: int | tuple[int, ...], resamples: int, groups: Groups
    ) -> list[Floats]:
        """The values [R] of each of several [N, C] of the same samples, all under the same resamples."""


def first_mean(means: Floats) -> Floats:
    """The mean of scores [M, 1]."""
    return means[:, 0]


@dataclass(frozen=True)
class OfMeans:
    """A value that hangs on the columns' means alone: a share, F1 of (tp, fp, fn), recalls of a confusion matrix, R².

    statistic: means [R, C] → values [R]. Multinomial counts stand for the resampled indices, so all resamples are one
    matrix product.
    """

    statistic: Statistic = first_mean

    def value(self, columns: Floats) -> float:
        """Of the samples as they are."""
        return float(self.statistic(over_known(gapless(columns).mean(axis=0)[None]))[0])

    def resampled(
        self, every: Sequence[Floats], seed: int | tuple[int, ...], resamples: int, groups: Groups
    ) -> list[Floats]:
        """As `Reads` says."""
        gaps = [bool(np.isnan(own).any()) for own in every]
        whole = [gapless(own) if gap else own for own, gap in zip(every, gaps, strict=True)]
        ends = np.cumsum([own.shape[1] for own in whole])[:-1]
        means = np.split(_resampled_means(np.concatenate(whole, axis=1), seed, resamples, groups), ends, axis=1)
        return [self.statistic(over_known(own) if gap else own) for own, gap in zip(means, gaps, strict=True)]


MEAN = OfMeans()


def mean_interval(
    scores: NDArray[np.generic], seed: int = 0, resamples: int = RESAMPLES, groups: Groups = None
) -> tuple[float, float]:
    """95 % interval of the mean of per-sample scores [N]."""
    return statistic_interval(scores[:, None], first_mean, seed, resamples, groups)


def statistic_interval(
    columns: NDArray[np.generic],
    statistic: Statistic,
    seed: int = 0,
    resamples: int = RESAMPLES,
    groups: Groups = None,
) -> tuple[float, float]:
    """95 % interval of any function of column means; columns: [N, C], one row a sample. NaN values are passed over."""
    return interval(columns.astype(np.float64), OfMeans(statistic), seed, resamples, groups)


def interval(
    columns: Floats, reads: Reads, seed: int = 0, resamples: int = RESAMPLES, groups: Groups = None
) -> tuple[float, float]:
    """95 % interval of what is read of columns [N, C], one row a sample. NaN values are passed over."""
    return middle(reads.resampled([columns], seed, resamples, groups)[0])


@dataclass(frozen=True)
class Difference:
    """Second less first; p is two-sided, for no difference."""

    value: float
    low: float
    high: float
    p: float
    n: int

    def __neg__(self) -> "Difference":
        return Difference(-self.value, -self.high, -self.low, self.p, self.n)


def paired_differences(
    first: Sequence[NDArray[np.generic]],
    others: Sequence[Sequence[NDArray[np.generic]]],
    reads: Reads = MEAN,
    seed: int = 0,
    resamples: int = 10_000,
    groups: Groups = None,
) -> list[Difference]:
    """Bootstrap of what each of `others` differs by from `first` on the same samples, in the same order.

    first and each of others: [N, C] under each of its seeds, a row a sample, NaN where a seed did not test it; compared
    are the means over seeds. (A value of the seeds' mean columns would be another: the F1 of two seeds together is not
    the mean of their F1s.) All are resampled together, so a whole column of a table costs little more than one pair.
    p is twice the share of resamples on the other side of zero, at least 1 / resamples.
    Raises ValueError when the scores are not of the same samples (lengths differ).
    """
    every = [first, *others]
    flat = [own.astype(np.float64) for seeds in every for own in seeds]
    for own in flat:
        if len(own) != len(flat[0]) or own.ndim != 2 or not len(own):
            raise ValueError(
                f"expected scores of the same samples, got shapes {flat[0].shape} and {own.shape}: "
                "score both methods on the same test faces"
            )
    ends = np.cumsum([len(seeds) for seeds in every])[:-1]
    values = [float(own.mean()) for own in np.split(np.array([reads.value(own) for own in flat]), ends)]
    drawn = [own.mean(axis=0) for own in np.split(np.stack(reads.resampled(flat, seed, resamples, groups)), ends)]
    return [_difference(values[i] - values[0], drawn[i] - drawn[0], len(flat[0])) for i in range(1, len(every))]


def independent_difference(
    first: NDArray[np.generic],
    second: NDArray[np.generic],
    reads: Reads = MEAN,
    seed: int = 0,
    resamples: int = 10_000,
    groups: tuple[Groups, Groups] = (None, None),
) -> Difference:
    """Bootstrap of the difference between two kinds of samples, each resampled by itself.

    first: [N, C], second: [M, C], a row a sample; p as in `paired_differences`; n is N + M. groups: of
    the samples of each. A group with samples of both kinds (a person at two ages) ties them: all are drawn together.
    """
    sides = first.astype(np.float64), second.astype(np.float64)
    value = [reads.value(side) for side in sides]
    if groups[0] is not None and groups[1] is not None and np.isin(groups[0], groups[1]).any():
        of_first = np.arange(len(first) + len(second)) < len(first)
        apart = [np.where(own[:, None], np.concatenate(sides), np.nan) for own in (of_first, ~of_first)]
        drawn = reads.resampled(apart, seed, resamples, np.concatenate([groups[0], groups[1]]))
    else:
        drawn = [reads.resampled([side], (seed, i), resamples, groups[i])[0] for i, side in enumerate(sides)]
    return _difference(value[1] - value[0], drawn[1] - drawn[0], len(first) + len(second))


def gapless(columns: Floats) -> Floats:
    """[N, C] with rows of NaN → [N, C + 1]: 0 in their place, and last which rows are known."""
    known = ~np.isnan(columns).all(axis=1, keepdims=True)
    return np.concatenate([np.where(known, columns, 0.0), known], axis=1)


def over_known(means: Floats) -> Floats:
    """Means [R, C] over the known rows, from means [R, C + 1] of `gapless`; NaN where a resample has none."""
    with np.errstate(invalid="ignore"):
        out: Floats = means[:, :-1] / means[:, -1:]
    return out


def _difference(value: float, drawn: Floats, n: int) -> Difference:
    """`drawn`: the resampled differences [R]."""
    drawn = drawn[np.isfinite(drawn)]  # a resample can lack what a value needs, such as different pairs
    low, high = middle(drawn)
    side = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
    return Difference(value, low, high, min(1.0, max(2 * side, 1 / len(drawn))), n)


def grouped(groups: Groups) -> Groups:
    """The groups numbered from 0 on; None where there is nothing to draw together, or all is one group."""
    if groups is None:
        return None
    names, place = np.unique(groups, return_inverse=True)
    return None if len(names) in (1, len(groups)) else place.astype(np.int64)


def _resampled_means(columns: Floats, seed: int | tuple[int, ...], resamples: int, groups: Groups) -> Floats:
    """[N, M] → [R, M]. Where many rows are equal, each kind is one cell: the same distribution, fewer draws."""
    if not len(columns):
        raise ValueError("no test samples to resample: expected at least one")
    rng, drawn = np.random.default_rng(seed), _totals(columns, groups)
    cells, counts = np.unique(drawn, axis=0, return_counts=True)
    if 4 * len(cells) > len(drawn):  # a cell costs about four times what a row does
        cells, counts = drawn, np.ones(len(drawn), np.int64)
    step = max(1, _BLOCK // len(cells))
    parts = [_drawn(counts, min(step, resamples - at), rng) @ cells for at in range(0, resamples, step)]
    sums = np.concatenate(parts)
    means: Floats = sums[:, :-1] / sums[:, -1:]
    return means


def _totals(columns: Floats, groups: Groups) -> Floats:
    """Sums of each group's samples and, last, how many they are [G, M + 1]."""
    counted = np.concatenate([columns, np.ones((len(columns), 1))], axis=1)
    if (place := grouped(groups)) is None:
        return counted
    order = np.argsort(place, kind="stable")
    return np.add.reduceat(counted[order], np.searchsorted(place[order], np.arange(place.max() + 1)), axis=0)


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
