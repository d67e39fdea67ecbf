"""`plan`: from names and folders to a Plan, with every mistake found before anything is trained."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vultus.benchmark.config import BenchmarkConfig
from vultus.benchmark.entries import entries, slug
from vultus.benchmark.paces import epochs, read_paces
from vultus.benchmark.plan import SUPERVISED, Budget, Plan, Question, Subject, Unlabelled
from vultus.benchmark.sources import Source, served, source
from vultus.evaluation.baselines import STATES, chosen, of_encoders, of_pictures
from vultus.evaluation.tasks import TASKS
from vultus.faces.atomic import sha256_of
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import MethodConfig
from vultus.methods.model import config_of, read_card
from vultus.report.collect import common_name, read_plan, siblings
from vultus.training.config import RunConfig, differences, to_json
from vultus.training.place import ASKED


def plan(config: BenchmarkConfig) -> Plan:
    """Every pre-training and reading, done or not; nothing is trained or written.

    Raises ValueError naming what does not fit together, FileNotFoundError.
    """
    config.check()
    methods = entries(config.methods, config.settings)
    Budget.of(config.budget)  # its own check
    unlabelled = _unlabelled(config.faces) if config.faces is not None else None
    sources = _sources(config.data)
    questions, left_out = _questions(sources, config)
    draft = Plan(
        config=config,
        unlabelled=unlabelled,
        entries=methods,
        subjects=(),
        questions=questions,
        left_out=left_out,
        remarks=_remarks(unlabelled, sources, any(entry.method == SUPERVISED for entry in methods)),
        paces=read_paces(config.out),
    )
    made = replace(draft, subjects=(*_learned(draft), *_given(draft), *_baselines(draft)))
    for name in config.against:
        _require(name in made.rows, f"no row {name!r} to compare with: there are {', '.join(made.rows)}")
    return made


def settings_of(made: Plan, subject: Subject) -> RunConfig:
    """What a pre-training is asked for: the entry's settings and those of all. The subject is one learned here."""
    assert subject.entry is not None and made.unlabelled is not None
    config, given = subject.entry.config, epochs(made, subject.entry)
    budget = replace(config, epochs=given) if given else replace(config, minutes=made.budget.minutes)
    return replace(budget, size=made.config.size, seed=subject.seed, split=made.unlabelled.split)


def asked_for(made: Plan, subject: Subject) -> dict[str, Any]:
    """The same as plain values, with the faces they are learned from: what `asked.json` holds."""
    assert made.unlabelled is not None
    return to_json(settings_of(made, subject)) | {"faces": made.unlabelled.content}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _sources(data: Sequence[str | Path]) -> tuple[Source, ...]:
    """The sets; their names tell them apart in tables."""
    sources = tuple(source(one) for one in data)
    for one in sources:
        alike = [str(d) for d, other in zip(data, sources, strict=True) if other.name == one.name]
        _require(len(alike) == 1, f"{', '.join(alike)} are all called {one.name}: pack them with a --name of their own")
    return sources


def _unlabelled(path: str | Path) -> Unlabelled:
    """The set's training split; all of a set that has none."""
    faces = FaceSet.open(path)
    split = "train" if "split" in faces.columns and len(faces.where(split="train")) else "all"
    count = len(faces.where(split="train")) if split == "train" else len(faces)
    return Unlabelled(Path(path), faces.card.name, faces.content_hash, count, split)


def _questions(sources: Sequence[Source], config: BenchmarkConfig) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Set by set and task by task; a task that compares features is asked once, however many read-outs there are."""
    questions: list[Question] = []
    left_out: list[str] = []
    labels = (None, *dict.fromkeys(config.shots))
    for one in sources:
        possible, reasons = served(one, config.tasks)
        left_out += reasons
        for task in possible:
            turned = config.mirrored and not TASKS[task].sided
            ask = partial(
                Question, one, task, pca=config.pca, mirrored=turned, stages=config.stages, whiten=config.whiten
            )
            if TASKS[task].compares:
                questions.append(ask(readout="", shots=None))
            else:
                questions += [ask(readout=how, shots=few) for how in dict.fromkeys(config.readout) for few in labels]
    if not questions:
        raise ValueError("no set can serve a task:\n  " + "\n  ".join(left_out))
    for question in questions:
        question.protocol(0)  # its own checks
    return tuple(questions), tuple(left_out)


def _remarks(unlabelled: Unlabelled | None, sources: Sequence[Source], taught: bool) -> tuple[str, ...]:
    lacking = tuple(remark for one in sources for remark in one.remarks)
    if unlabelled is None or unlabelled.split != "all":
        return lacking
    labels = f"without labels but for {SUPERVISED}" if taught else "without labels"
    return lacking + tuple(
        f"all faces of {one.name} are learned from, its test faces among them ({labels}): its figures are not those of "
        "faces never seen"
        for one in sources
        if one.content.endswith(unlabelled.content)
    )


def _learned(made: Plan) -> list[Subject]:
    """A subject for each entry and seed. Raises ValueError where the folder holds one of other settings."""
    found = []
    for entry in made.entries:
        for seed in made.seeds:
            if str(made.budget) == "none":
                folder = made.out / "begun" / f"{entry.slug}-{made.config.size}px-{_hash(entry.config, made)}-s{seed}"
                found.append(Subject(entry.label, "begun", entry.method, folder, seed, entry))
                continue
            folder = made.out / "runs" / f"{entry.slug}-{made.budget}-s{seed}"
            subject = Subject(entry.label, "learned", entry.method, folder, seed, entry)
            _check(made, subject)
            found.append(subject)
    return found


def _check(made: Plan, subject: Subject) -> None:
    assert subject.entry is not None and made.unlabelled is not None
    batch, count = subject.entry.config.batch, made.unlabelled.count
    _require(
        count >= batch,
        f"{made.unlabelled.path} has {count} faces in split {made.unlabelled.split!r}, fewer than a batch of {batch}: "
        "give --settings batch=N",
    )
    note = subject.folder / ASKED
    lines = differences(json.loads(note.read_text()), asked_for(made, subject)) if note.exists() else []
    _require(
        not lines,
        f"{subject.folder} holds a pre-training of other settings; choose another --out, or repeat its own:\n  "
        + "\n  ".join(lines),
    )


def _given(made: Plan) -> list[Subject]:
    """Finished runs made elsewhere; those that differ in their seed alone stand in one row."""
    runs = made.config.runs
    plans = [read_plan(run) for run in runs]
    for run in runs:
        _require((run / "config.json").exists(), f"{run} is not finished: repeat its `vultus pretrain` first")
    labels = [run.resolve().name for run in runs]
    if len({*labels, *(entry.label for entry in made.entries)}) < len(labels) + len(made.entries):
        labels = [str(run) for run in runs]
    found = []
    for own in siblings(plans):
        names = [labels[i] for i in own]
        row = names[0] if len(own) == 1 else common_name(names) or ", ".join(names)
        for i in own:
            card = json.loads((runs[i] / "config.json").read_text())
            folder = made.out / "given" / f"{slug(labels[i])}-{card['sha256'][:8]}"
            found.append(Subject(row, "given", card["method"], folder, int(plans[i]["seed"]), run=runs[i]))
    return found


def _baselines(made: Plan) -> list[Subject]:
    """Those asked for: of encoders that learned nothing one of each kind among the models. Raises ValueError."""
    names = chosen(made.config.baselines)
    given = made.config.runs if {*STATES} & {*names} else ()
    encoders: dict[str, MethodConfig] = {}
    for config in [entry.config.method for entry in made.entries] + [config_of(read_card(run)) for run in given]:
        encoders.setdefault(str(config.encoder), config)
    found = []
    for encoder, config in encoders.items():
        for name in of_encoders(config, made.config.size, names):
            folder = made.out / "baselines" / f"{name}-{slug(encoder)}-{made.config.size}px-{_hash(config, made)}"
            row = name if len(encoders) == 1 else f"{name} {encoder}"
            found.append(Subject(row, "baseline", name, folder, config=config))
    for name in of_pictures(names):
        learned = f"-{_hash(made.config.atoms, made)}" if name == "dictionary" else ""
        folder = made.out / "baselines" / f"{name}-{made.config.size}px{learned}"
        found.append(Subject(name, "baseline", name, folder))
    return found


def _hash(settings: object, made: Plan) -> str:
    """Tells models apart that are made of other settings, or of other faces."""
    content = made.unlabelled.content if made.unlabelled else made.questions[0].source.content
    return sha256_of(f"{settings} {content}".encode())[:8]
