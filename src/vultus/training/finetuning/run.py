"""`finetune`: a run's encoder taught a task's labels, in one folder, begun, resumed or found finished.

finetune.json                       settings, the run's weights and the faces they belong to
seed-S[/fold-F][/NAME]/             a network for each seed, fold and, where a task asks several things, lesson
    model.safetensors, config.json  its best weights on validation faces; vultus.load_finetuned reads them
    answers.npz                     what it says of the test faces
    log.jsonl, tensorboard/         losses, rates, validation scores

The figures go to the run's evaluation.json, beside those of linear read-outs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from vultus.evaluation import classes
from vultus.evaluation.figure import Figure
from vultus.evaluation.joined import Joined
from vultus.evaluation.kept import add_figures
from vultus.evaluation.measure import leaked
from vultus.evaluation.over_seeds import over_seeds
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.tasks import task_for
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load_weights, method_of
from vultus.training.config import differences
from vultus.training.finetuning.config import FinetuneConfig, Task, departures, to_json
from vultus.training.finetuning.finetuner import Course, FineTuner, Interrupted
from vultus.training.finetuning.narrowed import narrowed
from vultus.training.memory import tune_allocator
from vultus.training.place import TUNING, require_place

READOUT = "fine-tuned"
ON_TEST = "fine-tuned, epoch selected on the test split"
SCRATCH = "from scratch"
PLAIN = FinetuneConfig()


@dataclass(frozen=True)
class FinetuneResult:
    """What came of a call of `finetune`."""

    out: Path
    status: Literal["finished", "interrupted", "already finished"]
    figures: tuple[Figure, ...]  # of every seed; those selected on the test split say so in detail["readout"]
    courses: tuple[Course, ...]  # the networks, one for each seed, fold and lesson

    def over_seeds(self, metric: str, readout: str = READOUT) -> Figure:
        """A metric's mean over the seeds, with their deviation as `std` in its detail; see `evaluation/over_seeds.py`.

        readout: how the epoch was chosen, `READOUT` or `ON_TEST`. Raises KeyError for one that was not measured.
        """
        found = [f for f in self.figures if f.metric == metric and f.detail["readout"].partition(" (")[0] == readout]
        if not found:
            known = ", ".join(dict.fromkeys(f.metric for f in self.figures))
            raise KeyError(f"no figure {metric!r} by {readout}; there are {known}")
        return over_seeds(found)


def finetune(
    run: str | Path,
    data: str | Path,
    out: str | Path,
    config: FinetuneConfig = PLAIN,
    *,
    test: str | Path | None = None,
    seeds: Sequence[int] = (0,),
    quiet: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> FinetuneResult:
    """Fine-tune the encoder of a run on the labelled face set at `data`; repeat the call to resume.

    The figures are added to the run's evaluation.json. test: another face set to be tested on. seeds: of everything;
    each is a fine-tuning of its own, and further ones may be added later. `tell` hears what takes long.
    Raises ValueError when `out` holds a fine-tuning of other settings, run or faces (naming the fields), or when the
    set has not the labels that the task needs; FileExistsError when `out` holds something else; NonFiniteLossError when
    learning diverges.
    """
    tune_allocator()
    folder = Path(out)
    require_place(folder, TUNING)
    card, weights = load_weights(Path(run), "`vultus pretrain`")
    faces = opened(config, data, test)
    ask = asked(config, faces)
    _plan(folder, to_json(config) | {"run": card["sha256"], "faces": faces.content_hash})
    _tell_folds(faces, tell)
    figures: list[Figure] = []
    courses: list[Course] = []
    before = len(list(folder.glob("seed-*/**/config.json")))
    try:
        for seed in seeds:
            tuner = FineTuner(card, weights, faces, config, seed, folder, quiet)
            protocol = Protocol(seed=seed, shots=config.shots)
            figures += told(ask(tuner, faces, protocol), tuner, READOUT)
            courses += tuner.courses
            if config.best_test_epoch:
                tuner = replace(tuner, on_test=True, courses=[])
                figures += told(ask(tuner, faces, protocol), tuner, ON_TEST)
    except Interrupted:
        return FinetuneResult(folder, "interrupted", tuple(figures), tuple(courses))
    finally:
        if figures and (replaced := add_figures(Path(run), figures)):
            tell(replaced)
    if leaks := leaked(figures):
        tell(leaks)
    done = len(list(folder.glob("seed-*/**/config.json"))) == before
    return FinetuneResult(folder, "already finished" if done else "finished", tuple(figures), tuple(courses))


def opened(config: FinetuneConfig, data: str | Path, test: str | Path | None) -> Any:
    """The faces as the tasks see them: a FaceSet, or what looks like one."""
    label = config.label if config.task == "attributes" else ""
    if config.fold and test is not None:
        raise ValueError(f"--fold {config.fold} tests on faces of {data}, --test on others: give one of them")
    if test is not None:
        return Joined(*(narrowed(FaceSet.open(one), label=label) for one in (data, test)))
    return narrowed(FaceSet.open(data), config.fold, label)


Ask = Callable[[Any, Any, Protocol], list[Figure]]


def asked(config: FinetuneConfig, faces: Any) -> Ask:
    """The task as a function of features, faces and protocol. Raises ValueError where the set cannot serve it."""
    if config.task not in get_args(Task):
        raise ValueError(f"{config.task!r} cannot be fine-tuned: choose {', '.join(get_args(Task))}")
    if config.task != "label":
        return task_for(config.task, faces).evaluate
    if config.label not in faces.columns or faces.labels(config.label).dtype.kind != "U":
        texts = [c for c in faces.columns if faces.labels(c).dtype.kind == "U"]
        raise ValueError(
            f"{faces.card.name} has no text label {config.label!r}; it has {', '.join(texts) or 'none'}: numbers are "
            "learned by the tasks head_pose and attributes"
        )
    return lambda features, faces, protocol: classes.classify(features, faces, config.label, protocol)


def told(figures: Sequence[Figure], tuner: FineTuner, readout: str) -> list[Figure]:
    """The figures with how they came about."""
    config, courses = tuner.config, tuner.courses
    method = SCRATCH if config.scratch else str(tuner.card["method"])
    feature = str(method_of(tuner.card).default_feature) if config.pool == "map" else "mean"
    about: dict[str, Any] = {"readout": readout + departures(config), "epochs_at_most": config.epochs}
    about |= {"content": tuner.faces.content_hash}
    if len({c.lesson for c in courses}) == 1:  # pooled figures count the faces that chose among those learned from
        about |= {"train": min(c.train for c in courses), "chosen_by": min(c.validation for c in courses)}
    if config.shots is not None:
        about["shots"] = config.shots
    if readout == ON_TEST:
        about["warning"] = "the epoch was selected on the test split: an optimistic figure"
    return [replace(f, method=method, feature=feature, detail={**f.detail, **about}) for f in figures]


def _plan(folder: Path, wanted: dict[str, Any]) -> None:
    """Write finetune.json, or compare with it. Raises ValueError where it is another fine-tuning's.

    One that had not begun, for its settings or its faces would not do, is written over.
    """
    path = folder / TUNING
    if not any(folder.glob("seed-*")):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(wanted, indent=1).encode())
        return
    lines = differences(to_json(PLAIN) | json.loads(path.read_text()), wanted)
    if lines:
        raise ValueError(
            f"{folder} holds a fine-tuning of other settings; choose another --out, or repeat its own:\n  "
            + "\n  ".join(lines)
        )


def _tell_folds(faces: Any, tell: Callable[[str], None]) -> None:
    if "fold" in faces.columns and "split" not in faces.columns:
        folds = [fold for fold in np.unique(faces.labels("fold")).tolist() if fold]
        tell(f"{len(folds)} folds are fine-tuned one after another; --fold {folds[0]} does one of them alone")
