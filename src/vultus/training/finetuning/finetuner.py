"""Fine-tuning in the place of a probe: what a task asks, a network learns and answers.

A task hands its parts and labels to a probe of frozen features and makes figures of the answers
(`evaluation/pooled.py`). Here each part is given to a network instead, so splits, folds, few labels and figures are the
task's own, and a fine-tuned figure is what a linear one would be of the same answers.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vultus.evaluation.probe import Reading, Score
from vultus.evaluation.protocol import Readout
from vultus.evaluation.splits import Rows, Splits
from vultus.faces.atomic import write_atomic
from vultus.methods.encoder_of import encoder_of
from vultus.methods.model import method_of
from vultus.nets.patches import learn_patches, patch_stems
from vultus.training.checkpoint import forget_checkpoint
from vultus.training.finetuning import lessons
from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.lesson import Lesson
from vultus.training.finetuning.model import save_finetuned
from vultus.training.finetuning.network import Network
from vultus.training.finetuning.tuner import Tuner
from vultus.training.journal import Journal
from vultus.training.machine import chosen_device
from vultus.training.run import FIRST_LOOK
from vultus.training.seeding import INITIAL, seed_of
from vultus.training.terminal import steps_bar, stop_signal

ANSWERS = "answers.npz"


class Interrupted(Exception):  # noqa: N818 (nothing went wrong)
    """A signal asked to stop; everything is saved."""


@dataclass(frozen=True)
class Course:
    """One network that was fine-tuned. Its folder holds the model, the log and the answers to the test faces."""

    folder: Path
    lesson: str  # what it learned
    seed: int
    fold: str  # that it was tested on; "" without folds
    epochs: int  # until it ended
    best_epoch: int  # whose weights were kept
    score: float  # of these on the validation faces
    best_test_epoch: int  # the epoch whose weights read the test split best; 0: not looked for
    train: int  # faces learned from
    validation: int  # and chosen by
    faces_seen: int
    seconds: float  # of learning, without reading


@dataclass
class FineTuner:
    """Stands for features: gives a part of the set a probe that fine-tunes. One seed; finished networks are reused.

    card, weights: of the run whose encoder it is. on_test: answer by the weights that were best on the test split.
    """

    card: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    faces: Any  # a FaceSet, or what looks like one
    config: FinetuneConfig
    seed: int
    folder: Path
    quiet: bool = False
    on_test: bool = False
    courses: list[Course] = field(default_factory=list)

    def __post_init__(self) -> None:
        encoder: Any = encoder_of(method_of(self.card))
        self.dim = int(encoder.values if self.config.pool == "map" else encoder.channels)

    def probe(self, part: Splits) -> "TunedProbe":
        """A read-out of one part."""
        return TunedProbe(self, part)

    def taught(self, name: str, lesson: Lesson) -> tuple[NDArray[np.float32], Course]:
        """What a network says of the part's test faces [M, …] once it has learned the lesson.

        Raises Interrupted where a signal came meanwhile.
        """
        folder = self._folder(name, lesson.part)
        if not (folder / "config.json").exists():
            self._teach(name, lesson, folder)
        forget_checkpoint(folder)
        about = json.loads((folder / "config.json").read_text())["course"]
        course = Course(folder=folder, **about)
        self.courses.append(course)
        with np.load(folder / ANSWERS, allow_pickle=False) as answers:
            return answers["on_test" if self.on_test else "given"], course

    def _folder(self, name: str, part: Splits) -> Path:
        fold = self._fold(part)
        folder = self.folder / f"seed-{self.seed}"
        folder = folder / f"fold-{fold}" if fold else folder
        return folder / name if self.config.task in lessons.SEVERAL else folder

    def _fold(self, part: Splits) -> str:
        """The fold that the part is tested on; "" where the set has a split."""
        if "fold" not in self.faces.columns or "split" in self.faces.columns:
            return ""
        return str(self.faces.labels("fold")[part.test[0]])

    def _teach(self, name: str, lesson: Lesson, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        device = chosen_device(self.config.device)
        network = self._network(lesson, folder)
        tuner = Tuner(lesson, self.faces, network, self.config, self.seed, device, self.card["size"])
        tuner.restore(folder)
        fold = self._fold(lesson.part)
        title = f"{name}, seed {self.seed}" + (f", fold {fold}" if fold else "")
        learn(tuner, folder, title, self.quiet)
        answers = {"given": tuner.test(tuner.kept.best)}
        if tuner.kept.best_on_test is not None:
            answers["on_test"] = tuner.test(tuner.kept.best_on_test)
        packed = io.BytesIO()
        np.savez_compressed(packed, **answers)  # type: ignore[arg-type]
        write_atomic(folder / ANSWERS, packed.getvalue())
        p, part = tuner.progress, lesson.part
        course = Course(
            folder, name, self.seed, fold, p.step // tuner.epoch, p.best_epoch, p.best, p.best_test_epoch,
            len(part.train), len(part.validation), p.step * tuner.batch, round(p.seconds, 1),
        )  # fmt: skip
        about = {key: value for key, value in asdict(course).items() if key != "folder"}
        told = {"task": self.config.task, "scratch": self.config.scratch, "course": about}
        save_finetuned(tuner.kept.best, lesson.objective, self.card, folder, **told)

    def _network(self, lesson: Lesson, folder: Path) -> Network:
        """The run's encoder and a fresh head; or everything fresh, with atoms of the faces it will learn from."""
        torch.manual_seed(seed_of(self.seed, INITIAL))
        method = method_of(self.card)
        if not self.config.scratch:
            method.load_state_dict(dict(self.weights))
        network = Network(method, lesson.objective, self.card["size"], self.config.pool)
        if self.config.scratch and patch_stems(network) and not (folder / "checkpoint.json").exists():
            learn_patches(network, torch.from_numpy(self._some(lesson.part.train)))
        return network

    def _some(self, rows: Rows) -> NDArray[np.uint8]:
        drawn = np.random.default_rng(self.seed).permutation(rows)[:FIRST_LOOK]
        images: NDArray[np.uint8] = self.faces.images(np.sort(drawn), self.card["size"])
        return images


class TunedProbe:
    """Answers what a task asks a probe of one part; see `evaluation/probe.py` for the shapes."""

    def __init__(self, tuner: FineTuner, part: Splits) -> None:
        self.tuner, self.part, self.dim = tuner, part, tuner.dim

    @property
    def notes(self) -> dict[str, Any]:
        """What a figure should tell."""
        part = self.part
        about = {"split": part.origin, "train": len(part.train), "chosen_by": len(part.validation)}
        return about | {"left_out": part.left_out}

    def classify(self, labels: NDArray[Any], classes: int, score: Score, readout: Readout = "linear") -> Reading:
        """Probabilities [M, C]."""
        tuner = self.tuner
        return self._reading(
            *lessons.of_classes(tuner.faces, tuner.config.task, tuner.config.label, self.part, labels, classes, score)
        )

    def detect_known(self, names: Sequence[str], yes: NDArray[np.floating], score: Score) -> Reading:
        """Probabilities [M, K] of yes to all questions, by one network; yes: [N, K], NaN where unknown."""
        return self._reading(*lessons.of_answers(self.tuner.config.task, self.part, names, yes, score))

    def regress(self, targets: NDArray[np.floating], readout: Readout = "linear") -> Reading:
        """Numbers [M, T]."""
        reading = self._reading(*lessons.of_numbers(self.tuner.faces, self.tuner.config.task, self.part, targets))
        return Reading(reading.answers.reshape(len(self.part.test), -1), reading.choice)

    def _reading(self, name: str, lesson: Lesson) -> Reading:
        config = self.tuner.config
        if (config.mixup or config.smoothing) and not lesson.objective.mixes:
            raise ValueError(f"--mixup and --smoothing soften classes and yes/no labels, not the numbers of {name}")
        answers, course = self.tuner.taught(name, lesson)
        epoch = course.best_test_epoch if self.tuner.on_test else course.best_epoch
        choice = {"epoch": epoch, "epochs": course.epochs, "validation_score": course.score}
        return Reading(answers, choice | {"faces_seen": course.faces_seen, "seconds": course.seconds})


def learn(tuner: Tuner, folder: Path, title: str, quiet: bool) -> None:
    """Let the tuner learn to its end, with a log and a checkpoint an epoch. Raises Interrupted on a signal."""
    journal = Journal(folder, tuner.progress.step)
    with stop_signal() as stop, steps_bar(title, tuner.steps, tuner.progress.step, quiet) as (bar, task):
        try:
            for losses in () if tuner.done else tuner.learn():
                step = tuner.progress.step
                bar.update(task, completed=step, losses="  ".join(f"{k} {v:.2f}" for k, v in losses.items()))
                if step % tuner.config.log_every == 0 or step == 1:
                    journal.write("train", step, lr=tuner.optimiser.param_groups[-1]["lr"], **losses)
                if step % tuner.epoch == 0:
                    found = tuner.look()
                    journal.write("validation", step, **found)
                    if not quiet:
                        score = tuner.lesson.told(found["score"])
                        line = f"{title}, epoch {found['epoch']:.0f}: {score} on validation faces"
                        bar.console.print(line, style="dim")
                    tuner.save(folder)
                if tuner.done:
                    return
                if stop.is_set():
                    tuner.save(folder)
                    raise Interrupted
        finally:
            journal.close()
