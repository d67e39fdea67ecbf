"""Figures that hang on the order of scores: areas under curves, and acceptance at a rate of false accepts.

A curve is sorted once and its samples weighed again and again, which resamples them. Equal scores share one threshold,
so no order among them flatters or harms.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import Groups, grouped, middle
from vultus.evaluation.figure import Figure, Scores

Rows = NDArray[np.int64]
Weight = NDArray[np.float32]  # [B, N], how often each sample counts
Values = NDArray[np.float64]
RESAMPLED = 20_000_000  # samples drawn at most for an interval
RESAMPLES = (100, 1000)  # fewest and most
_BLOCK = 2_000_000  # resampled entries held at once


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of samples in falling order, to weigh the samples again and again without sorting."""

    order: Rows  # [N] which sample stands at a place
    first: Rows  # [N] where a place's run of equal scores begins
    last: Rows  # [N] where it ends
    relevant: NDArray[np.bool_]  # [N] of a place

    @classmethod
    def of(cls, score: NDArray[np.floating], relevant: NDArray[np.bool_]) -> "Curve":
        """score, relevant: [N] of the samples."""
        order = np.argsort(-score)
        ranked = -score[order]
        first, last = np.searchsorted(ranked, ranked), np.searchsorted(ranked, ranked, side="right") - 1
        return cls(order, first, last, relevant[order])

    def average_precision(self, weight: Weight) -> Values:
        """Average precisions [B] of weighted samples [B, N]; NaN where no relevant one has weight."""
        own = weight[:, self.order]
        relevant = own * self.relevant
        hits, seen = (_summed(each)[:, self.last] for each in (relevant, own))
        with np.errstate(invalid="ignore"):
            area: Values = (relevant * hits / np.maximum(seen, 1)).sum(axis=1) / hits[:, -1]
        return area

    def roc_auc(self, weight: Weight) -> Values:
        """Areas under the ROC curve [B]: the chance that a relevant sample scores above another, ties half.

        NaN where either kind has no weight.
        """
        own = weight[:, self.order]
        relevant, others = own * self.relevant, _summed(own * ~self.relevant)
        upto, total = others[:, self.last], others[:, -1:]
        before = np.where(self.first > 0, others[:, self.first - 1], 0.0)
        with np.errstate(invalid="ignore"):
            area: Values = (relevant * (total - (upto + before) / 2)).sum(axis=1) / relevant.sum(axis=1) / total[:, 0]
        return area

    def tar_at_far(self, weight: Weight, far: float) -> Values:
        """Shares [B] of relevant samples accepted at the lowest threshold that accepts at most `far` of the others.

        NaN where no relevant one has weight, and where the others are too few to show such a rate: fewer than 1 / far.
        """
        if (~self.relevant).sum() * far < 1:
            return np.full(len(weight), np.nan)
        own = weight[:, self.order]
        relevant, others = _summed(own * self.relevant), _summed(own * ~self.relevant)
        allowed = np.floor(far * others[:, -1:] + 1e-9)
        fit = np.where(others[:, self.last] <= allowed, relevant[:, self.last], 0.0)  # thresholds at whole runs
        with np.errstate(invalid="ignore"):
            rate: Values = fit.max(axis=1) / relevant[:, -1]
        return rate


def _summed(weight: Weight) -> Values:
    return np.cumsum(weight, axis=1, dtype=np.float64)


@dataclass(frozen=True)
class OfOrder:
    """A value that hangs on the order of scores (`bootstrap.Reads`): the mean over K questions of one of `Curve`'s.

    read: curve, weight [B, N] → values [B]. Columns are [N, 2K], score and truth (1 or 0) of each question, NaN where
    its answer is not known. Questions without a value, which nobody of a group or a resample shows, are passed over.
    """

    read: Callable[[Curve, Weight], Values]

    def value(self, columns: NDArray[np.float64]) -> float:
        """Of the samples as they are; NaN without a question that has one."""
        return float(_over_questions(self.read, _curves(columns), np.ones((1, len(columns)), np.float32))[0])

    def resampled(
        self,
        every: Sequence[NDArray[np.float64]],
        seed: int | tuple[int, ...],
        resamples: int,
        groups: Groups,
    ) -> list[Values]:
        """The values [R] of each of several [N, 2K] of the same samples, all under the same resamples."""
        curves = [_curves(columns) for columns in every]
        drawn = [
            [_over_questions(self.read, own, weight) for own in curves]
            for weight in drawn_weights(len(every[0]), seed, groups, resamples)
        ]
        return [np.concatenate(values) for values in zip(*drawn, strict=True)]

    def figure(self, scores: Scores, told: Mapping[str, Any]) -> Figure:
        """The figure of such scores; told: the rest of it, to whose detail comes how many resamples there were."""
        (values,) = self.resampled([scores.columns], told["seed"], RESAMPLES[1], scores.groups)
        low, high = middle(values)
        own = {"n": len(scores.rows), "detail": {**told["detail"], "resamples": len(values)}, "scores": scores}
        return Figure(**{**told, "value": self.value(scores.columns), "low": low, "high": high, **own})


def _curves(columns: NDArray[np.float64]) -> list[tuple[Rows, Curve]]:
    """Of each question the rows whose answer is known, and their curve."""
    found = []
    for score, truth in zip(columns.T[::2], columns.T[1::2], strict=True):
        rows = np.flatnonzero(np.isfinite(score))
        found.append((rows, Curve.of(score[rows], truth[rows] > 0.5)))
    return found


def _over_questions(
    read: Callable[[Curve, Weight], Values], curves: Sequence[tuple[Rows, Curve]], weight: Weight
) -> Values:
    each = np.stack(
        [read(curve, weight[:, rows]) for rows, curve in curves if len(rows)] or [np.full(len(weight), np.nan)]
    )
    known = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        mean: Values = np.where(known, each, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean


def drawn_weights(
    samples: int, seed: int | tuple[int, ...], groups: Groups = None, most: int = RESAMPLES[1]
) -> Iterator[Weight]:
    """Blocks [R, N] of how often each sample is drawn; the more samples the fewer draws, in all at least 100.

    groups: [N], equal for samples that are drawn together (`bootstrap.py`).
    """
    place = grouped(groups)
    units = samples if place is None else int(place.max()) + 1
    draws = min(most, max(RESAMPLES[0], min(RESAMPLES[1], RESAMPLED // samples)))
    rng, step = np.random.default_rng(seed), max(1, _BLOCK // samples)
    for at in range(0, draws, step):
        drawn = rng.integers(units, size=(min(step, draws - at), units))
        counts = np.stack([np.bincount(row, minlength=units) for row in drawn]).astype(np.float32)
        yield counts if place is None else counts[:, place]
