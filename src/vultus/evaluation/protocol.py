"""How frozen features are read out: the same few settings for every task."""

from dataclasses import dataclass
from typing import Literal

Readout = Literal["linear", "knn", "kernel"]
READOUTS: tuple[Readout, ...] = ("linear", "knn", "kernel")


@dataclass(frozen=True)
class Protocol:
    """Settings of a reading; they stand in every figure's detail or fields.

    shots: how many labels the read-out may learn from. None: all of the training part; from 1 on: so many faces of each
    class (of all, where the answer is a number or several); below 1: that part of the training faces.
    """

    readout: Readout = "linear"
    pca: int | None = None  # principal components read at most, fitted on training faces; None: the whole feature
    seed: int = 0  # of validation cuts, shots, made pairs and bootstrap
    shots: float | None = None
    reduced: bool = False  # the features are principal components already: centred only, their variances stay

    def __post_init__(self) -> None:
        if self.readout not in READOUTS:
            raise ValueError(f"no read-out {self.readout!r}; there are {', '.join(READOUTS)}")
        if self.shots is not None and not (0 < self.shots < 1 or self.shots == int(self.shots) >= 1):
            raise ValueError(
                f"shots is a whole number of faces a class, or a part above 0 and below 1; got {self.shots}"
            )
