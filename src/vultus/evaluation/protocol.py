"""How frozen features are read out: the same few settings for every task."""

from dataclasses import dataclass
from typing import Literal

from vultus.faces.record import PRESENT

Readout = Literal["linear", "knn", "kernel"]
WHITEN = 0.7  # read people best in trials on pairs outside of LFW's, by every descriptor (benchmarks/LEDGER.md)
Normaliser = Literal["auto", "eyes", "box", "diagonal"]
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
    whiten: float = WHITEN  # of compared components: each over its standard deviation to this power; 1: unit variance
    normaliser: Normaliser = "auto"  # what landmarks' errors are divided by, see `landmarks.evaluate`
    present: float = PRESENT  # intensity (0 to 1) from which an action unit counts as shown
    reduced: bool = False  # the features are principal components already: centred only, their variances stay

    def __post_init__(self) -> None:
        if self.readout not in READOUTS:
            raise ValueError(f"no read-out {self.readout!r}; there are {', '.join(READOUTS)}")
        if not 0 <= self.whiten <= 1:
            raise ValueError(f"whiten lies in 0…1 (1: principal components at unit variance), got {self.whiten}")
        if not 0 < self.present <= 1:
            raise ValueError(f"intensities lie in 0…1: a unit is present from above 0, at most 1; got {self.present}")
        if self.shots is not None and not (0 < self.shots < 1 or self.shots == int(self.shots) >= 1):
            raise ValueError(
                f"shots is a whole number of faces a class, or a part above 0 and below 1; got {self.shots}"
            )
