"""Dynamic Weight Average (Liu et al. 2019), as PCL uses it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

TEMPERATURE = 2.0


@dataclass
class WeightAverage:
    """Weights α_k = K · softmax_k(r_k / T) of K losses, r_k = L_k(t−1) / L_k(t−2) over epochs; 1 for the first two.

    A loss that falls more slowly than the others gets more weight. `means` are the finished epochs' mean
    losses, `sums` and `count` the running one's; all three belong into a checkpoint.
    """

    names: tuple[str, ...]
    means: list[list[float]] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    count: int = 0

    def weights(self) -> dict[str, float]:
        """α by loss name."""
        if len(self.means) < 2:
            return dict.fromkeys(self.names, 1.0)
        ratios = [new / max(old, 1e-12) for new, old in zip(self.means[-1], self.means[-2], strict=True)]
        exps = [math.exp(r / TEMPERATURE) for r in ratios]
        return {n: len(self.names) * e / sum(exps) for n, e in zip(self.names, exps, strict=True)}

    def observe(self, losses: Sequence[float]) -> None:
        """Take one step's losses, in the order of `names`."""
        self.sums = [a + b for a, b in zip(self.sums or [0.0] * len(losses), losses, strict=True)]
        self.count += 1

    def end_epoch(self) -> None:
        """Close the epoch; only the last two are needed."""
        if self.count:
            self.means = [*self.means[-1:], [s / self.count for s in self.sums]]
        self.sums, self.count = [], 0
