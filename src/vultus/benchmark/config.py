"""The settings of a benchmark: the flags of `vultus benchmark`, and what `plan` is given."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vultus.evaluation.protocol import READOUTS, WHITEN, Readout
from vultus.flags import Names, NamesOrAll, listed


def _readout(text: str) -> Readout:
    for name in READOUTS:
        if name == text:
            return name
    raise ValueError(f"no read-out {text!r}; there are {', '.join(READOUTS)}")


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"shots are numbers such as 10 or 0.01, separated by commas; got {text!r}") from None


Readouts = Annotated[tuple[Readout, ...], listed(_readout, "A,B,…")]
Shares = Annotated[tuple[float, ...], listed(_share, "N,N,…")]
Sets = Annotated[tuple[str, ...], tyro.conf.arg(metavar="SET [SET ...]")]
Runs = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN [RUN ...]")]
Faces = Annotated[Path | None, tyro.conf.arg(metavar="FACES")]


@dataclass(frozen=True)
class BenchmarkConfig:
    """Methods × seeds pre-trained on equal terms, and what is read of them."""

    data: Sets  # labelled face sets that are read; LEARN:TEST learns the read-out on one and tests it on another
    methods: Names = ()  # names (pcl,simclr), recipes (pcl-paper), or with settings (moco:version=v3)
    tasks: Names = ("all",)  # all: what each set can serve
    faces: Faces = None  # what the methods learn from: its split train if it has one; only supervised sees labels
    budget: str = "4e"  # minutes (20m, made into faces by each method's pace), epochs (4e), or none: read as they begin
    seeds: int = 3  # how many pre-trainings of each method
    size: int = 48  # side at which faces are seen, pixels
    out: Path = Path("bench")  # folder of everything the benchmark makes
    settings: Names = ()  # of all methods, as `vultus pretrain` calls them: batch=64,encoder=small
    readout: Readouts = ("linear",)  # linear, knn, kernel or several; identity is always compared by cosine
    shots: Shares = ()  # read with few labels too: 1,10 of each class, or below 1 a part of the training faces
    pca: int | None = None  # read at most so many principal values of each feature: rows of equal length
    whiten: float = WHITEN  # how far compared components are whitened; 1: to unit variance
    mirrored: bool = False  # read every face together with its mirror image, where that has the same answer
    stages: bool = False  # of encoders that have them read every stage (the feature stages), not the method's choice
    runs: Runs = ()  # finished runs made elsewhere, to stand in the table too
    baselines: NamesOrAll = ()  # beside them: alone all, or some of random,untrained,pixels,lbp,hog,dictionary
    against: Names = ()  # rows, by their names in the table, that every other one is compared with sample by sample
    atoms: int = 72  # size of the patch dictionary; its feature has 32 values an atom
    published: bool = True  # print published figures beside
    keep_features: bool = False  # keep the cached features; else they go once a model is read

    def check(self) -> None:
        """Raise ValueError for what cannot be."""
        learners, few = bool(self.methods), self.seeds < 1 or self.size < 16
        faults = {
            "no labelled set: give --data SET, one or several": not self.data,
            f"at least one seed and 16 pixels are needed, got {self.seeds} and {self.size}": few,
            f"pca is a number of values from 1 on, got {self.pca}": self.pca is not None and self.pca < 1,
            "no read-out: give linear, knn, kernel or several of them": not self.readout,
            "nothing to read: give --methods, --runs or --baselines": not (learners or self.runs or self.baselines),
            "the methods need faces to learn from: give --faces FACES": learners and self.faces is None,
        }
        for fault, yes in faults.items():
            if yes:
                raise ValueError(fault)
