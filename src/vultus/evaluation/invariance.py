"""How much does a feature change when one factor alone changes? Curves over rendered sweeps.

For every person the cosine of a feature at each value of the factor to the same feature at the reference value, all
else alike, averaged over people. Cosines are of features less their mean over varied faces: of the raw ones any two are
alike, and a curve would only show the common part. A line at 1 is a feature blind to the factor; one that falls to
`others`, the mean cosine of two different people in the same condition, changes as if the person were exchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.evaluate import Features
from vultus.evaluation.rendered import Sweep

NOTHING = 1e-5  # length of a centred feature, in parts of the centre's, that is rounding and not variety


@dataclass(frozen=True)
class Curve:
    """One feature over one factor; the sequences run over `at`."""

    feature: str
    factor: str
    unit: str
    at: tuple[float, ...]
    reference: float
    similarity: tuple[float, ...]  # mean over people of the cosine to the reference value
    low: tuple[float, ...]  # 95 % bootstrap interval over people
    high: tuple[float, ...]
    others: float  # mean cosine of two different people in the same condition
    people: int

    @property
    def changed(self) -> float:
        """Mean similarity over all values but the reference."""
        return float(np.mean([s for s, at in zip(self.similarity, self.at, strict=True) if at != self.reference]))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Curve":
        """The inverse of dataclasses.asdict."""
        plain: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in values.items()}
        return cls(**plain)


def curves(features: Features, sweep: Sweep, centre: Features, seed: int = 0) -> tuple[Curve, ...]:
    """A curve for each feature. features: name → [people, values, D]; centre: name → [1, D]."""
    start = sweep.at.index(sweep.reference)
    found = []
    for name, values in features.items():
        unit = directions(values, centre[name])
        similar = np.einsum("pvd,pd->pv", unit, unit[:, start])
        bounds = [mean_interval(column, seed) for column in similar.T]
        found.append(
            Curve(
                name,
                sweep.factor,
                sweep.unit,
                sweep.at,
                sweep.reference,
                tuple(similar.mean(axis=0).tolist()),
                tuple(low for low, _ in bounds),
                tuple(high for _, high in bounds),
                between_people(unit),
                len(unit),
            )
        )
    return tuple(found)


def directions(values: NDArray[np.floating], centre: NDArray[np.floating]) -> NDArray[np.float64]:
    """Features [..., D] less their centre [1, D], of length 1; 0 where nothing but rounding is left."""
    wide = values.astype(np.float64) - centre[0].astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    least = max(NOTHING * float(np.linalg.norm(centre)), float(np.finfo(np.float32).tiny))
    return np.where(length > least, wide / np.maximum(length, least), 0.0)


def between_people(unit: NDArray[np.float64]) -> float:
    """Mean cosine of two different people in the same condition, over conditions; unit: [people, values, D]."""
    count = len(unit)
    both = (unit.sum(axis=0) ** 2).sum(axis=-1) - (unit**2).sum(axis=(0, 2))
    return float(both.mean() / (count * (count - 1)))


def invariances(found: Sequence[Curve]) -> dict[str, dict[str, Curve]]:
    """Feature → factor → curve."""
    table: dict[str, dict[str, Curve]] = {}
    for curve in found:
        table.setdefault(curve.feature, {})[curve.factor] = curve
    return table
