"""What a benchmark consists of: models that are read, questions asked of them, and where the answers are kept."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vultus.benchmark.config import BenchmarkConfig
from vultus.benchmark.entries import Entry, slug
from vultus.benchmark.sources import Source
from vultus.evaluation.protocol import WHITEN, Protocol, Readout
from vultus.evaluation.tasks import TASKS
from vultus.faces.atomic import sha256_of
from vultus.methods.catalogue import MethodConfig

Kind = Literal["learned", "begun", "given", "baseline"]
SUPERVISED = "supervised"  # the method that is taught by labels
DONE = "reading.json"  # written last: the reading beside it is whole


@dataclass(frozen=True)
class Budget:
    """Of each pre-training: minutes, or epochs, or neither: encoders are read as they begin."""

    minutes: float = 0.0
    epochs: float = 0.0

    @classmethod
    def of(cls, text: str) -> "Budget":
        """`20m`, `4e` or `none`. Raises ValueError for anything else."""
        if text == "none":
            return cls()
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([me])", text)
        if not found or not float(found[1]):
            raise ValueError(f"a budget is minutes (20m), epochs (4e) or none, got {text!r}")
        return cls(minutes=float(found[1])) if found[2] == "m" else cls(epochs=float(found[1]))

    def __str__(self) -> str:
        return f"{self.minutes:g}m" if self.minutes else f"{self.epochs:g}e" if self.epochs else "none"


@dataclass(frozen=True)
class Unlabelled:
    """The faces that are learned from, without their labels; `content`: hash of the whole set, `count`: in `split`."""

    path: Path
    name: str
    content: str
    count: int
    split: str


@dataclass(frozen=True)
class Question:
    """A task on a set under a protocol; readout "" where features are compared and nothing is fitted.

    mirrored: each face is read together with its mirror image. stages: every stage of encoders that have them is read.
    """

    source: Source
    task: str
    readout: Readout | Literal[""]
    pca: int | None
    shots: float | None
    mirrored: bool = False
    stages: bool = False
    whiten: float = WHITEN

    @property
    def first(self) -> bool:
        """All labels: the questions that may enter the ranks."""
        return self.shots is None

    def protocol(self, seed: int) -> Protocol:
        return Protocol(self.readout or "linear", self.pca, seed, self.shots, self.whiten)

    @property
    def key(self) -> str:
        """A folder's name that no other question has."""
        how: list[str] = [self.readout or "compared"]
        how += [f"pca{self.pca}"] if self.pca else []
        how += [f"whiten{self.whiten:g}"] if self.pca and not self.readout else []
        how += [f"shots{self.shots:g}"] if self.shots is not None else []
        how += ["mirrored"] if self.mirrored else []
        how += ["stages"] if self.stages else []
        return "-".join([self.task, slug(self.source.name), sha256_of(self.source.content.encode())[:8], *how])

    @property
    def words(self) -> str:
        """Such as `expression on fer2013, knn, 10 shots`."""
        how = "" if self.readout in ("", "linear") else f", {self.readout}"
        return f"{self.task.replace('_', ' ')} on {self.source.name}{how}" + (
            "" if self.shots is None else f", shots {self.shots:g}"
        )


@dataclass(frozen=True)
class Subject:
    """One model that is read. `row`: the line of the table it stands in, with the other seeds of its method.

    folder: holds its readings; of a model learned here it is the run's own. config: of a baseline that is an encoder.
    """

    row: str
    kind: Kind
    name: str  # the method's, or the baseline's
    folder: Path
    seed: int = 0
    entry: Entry | None = None
    run: Path | None = None
    config: MethodConfig | None = None

    @property
    def reference(self) -> bool:
        """Taught by labels: shown, and out of the contest."""
        return self.name == SUPERVISED

    @property
    def words(self) -> str:
        return f"{self.row}, seed {self.seed}" if self.kind in ("learned", "begun") else self.row

    @property
    def trained(self) -> bool:
        """Whether nothing is left to learn."""
        return self.kind != "learned" or (self.folder / "config.json").exists()


@dataclass(frozen=True)
class Reading:
    """A question asked of a model; `seed`: of the protocol."""

    subject: Subject
    question: Question
    seed: int

    @property
    def folder(self) -> Path:
        return self.subject.folder / "readings" / f"{self.question.key}-s{self.seed}"

    @property
    def done(self) -> bool:
        return (self.folder / DONE).exists()


@dataclass(frozen=True)
class Plan:
    """The whole benchmark; made by `planning.plan`."""

    config: BenchmarkConfig
    unlabelled: Unlabelled | None
    entries: tuple[Entry, ...]
    subjects: tuple[Subject, ...]
    questions: tuple[Question, ...]
    left_out: tuple[str, ...]  # what is not read, and why
    remarks: tuple[str, ...]
    paces: Mapping[str, float]  # faces a second, as `paces` keeps them

    @property
    def out(self) -> Path:
        return self.config.out

    @property
    def budget(self) -> Budget:
        return Budget.of(self.config.budget)

    @property
    def seeds(self) -> range:
        return range(self.config.seeds)

    def readings(self, subject: Subject) -> Iterator[Reading]:
        """What is asked of a model.

        All read with the first seed, so that every model meets the same test samples. Few labels are drawn by each
        seed: a model learned here meets the draw of its own, others meet all draws.
        """
        for question in self.questions:
            few = question.shots is not None and not TASKS[question.task].compares
            own = (subject.seed,) if subject.kind in ("learned", "begun") else self.seeds
            for seed in own if few else self.seeds[:1]:
                yield Reading(subject, question, seed)

    @property
    def rows(self) -> dict[str, list[Subject]]:
        """Lines of the table in order."""
        found: dict[str, list[Subject]] = {}
        for subject in self.subjects:
            found.setdefault(subject.row, []).append(subject)
        return found
