"""A run's folder and a labelled set → figures, kept in the folder; what `vultus evaluate` does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vultus.evaluation.baselines import beside, chosen
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.joined import Joined
from vultus.evaluation.kept import add_figures
from vultus.evaluation.mirrored import called, reader
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.stages import has_stages
from vultus.evaluation.tasks import TASKS, hindrance, possible_tasks, task_for
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load

PLAIN = Protocol()
TURNED = "a mirror changes the answer"


def measure(
    run: str | Path,
    data: str | Path,
    task: str | Sequence[str] = "all",
    *,
    feature: str | None = None,
    protocol: Protocol = PLAIN,
    test: str | Path | None = None,
    seeds: Sequence[int] = (),
    baselines: Sequence[str] = (),
    atoms: int = 72,
    mirrored: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[Figure, ...]:
    """Figures of a run's model on the face set at `data`, and of baselines: names of `baselines.py`, or `all`.

    They are added to the run's `evaluation.json`, where they replace older ones of the same circumstances.
    Features are cached below `run/features`. test: a face set to test on what `data` taught. seeds: repeat the reading
    under each, for few labels; none: the protocol's. mirrored: read each face together with its mirror image; the tasks
    must be such as a mirror leaves as they are. feature: one of the model's, all of them if None, or `stages`
    (`stages.py`). `tell` hears what is being read.
    Raises ValueError where the set has no label that a task reads.
    """
    floors, folder = chosen(baselines), Path(run)
    model, faces = load(folder), FaceSet.open(data)
    other = FaceSet.open(test) if test else None
    tasks = (task,) if isinstance(task, str) else tuple(task)
    read = _as_one(faces, other, tell)
    if "all" in tasks:
        tasks = _all_tasks(read, protocol, mirrored, tell)
    if mirrored and (sided := [name for name in tasks if name in TASKS and TASKS[name].sided]):
        raise ValueError(f"{', '.join(sided)}: {TURNED}; read without mirrored")
    if not tasks:
        raise ValueError(f"{data} has no label that a task reads; it has {', '.join(faces.columns) or 'none'}")
    _require_served(tasks, read, protocol)
    options: dict[str, Any] = {"test": other, "cache": folder / "features"}
    tell(f"reading {model.name}: {', '.join(tasks)}")
    seen, asked = reader(model, mirrored, feature), feature and called(feature, mirrored)
    figures: list[Figure] = []
    repeats = [replace(protocol, seed=seed) for seed in seeds or (protocol.seed,)]
    for each in repeats:
        figures += evaluate(seen, faces, tasks, each, feature=asked, **options)
    leaks = leaked(figures)  # of the model: its rivals learn from the same faces
    for floor in beside(model, faces, floors, atoms):
        tell(f"reading {floor.name}")
        floor = reader(floor, mirrored, feature if has_stages(floor) else None)
        for each in repeats:
            figures += evaluate(floor, faces, tasks, each, feature=floor.default_feature, **options)
    replaced = add_figures(folder, figures)
    for line in filter(None, (leaks, beside_the_mean(figures), constant(figures), replaced)):
        tell(line)
    return tuple(figures)


def _as_one(faces: FaceSet, test: FaceSet | None, tell: Callable[[str], None]) -> Any:
    """What the tasks see: the set, or both joined; `tell` hears of splits that one of two sets lacks."""
    if test is None:
        return faces
    joined = Joined(faces, test)
    for remark in joined.remarks:
        tell(remark)
    return joined


def _all_tasks(faces: Any, protocol: Protocol, mirrored: bool, tell: Callable[[str], None]) -> tuple[str, ...]:
    """The tasks that the set can serve; of those whose labels are there and do not suffice `tell` hears why."""
    why = {n: TURNED if mirrored and TASKS[n].sided else hindrance(n, faces, protocol) for n in possible_tasks(faces)}
    for name, reason in why.items():
        if reason:
            tell(f"{name} is left out: {reason}")
    return tuple(name for name, reason in why.items() if not reason)


def _require_served(tasks: Sequence[str], faces: Any, protocol: Protocol) -> None:
    """Raise ValueError for tasks that the set cannot serve, before the costly part: one would lose all the others."""
    for name in tasks:
        task_for(name, faces)
    why = {name: reason for name in tasks if (reason := hindrance(name, faces, protocol))}
    if why:
        others = ",".join(name for name in tasks if name not in why)
        told = "; ".join(f"{name} cannot be read: {reason}" for name, reason in why.items())
        raise ValueError(told + (f"; the others can: --task {others}" if others else ""))


def leaked(figures: Sequence[Figure]) -> str:
    """How many test faces of each task the read-out has learnt from as well, in a line; "" where there are none."""
    found = {f.task: (f.detail["leaked_test_faces"], f.n) for f in figures[::-1] if "leaked_test_faces" in f.detail}
    told = ", ".join(f"{count:,} of {of:,} ({task})" for task, (count, of) in reversed(found.items()))
    return f"test faces whose very picture the read-out learns from, which flatters it: {told}" if told else ""


def beside_the_mean(figures: Sequence[Figure]) -> str:
    """Which action units a mean is of, where it is not of all that are read, in a line; "" where it is."""
    found = next((f for f in figures if f.detail.get("beside_the_mean")), None)
    if found is None:
        return ""
    apart = ", ".join(found.detail["beside_the_mean"])
    return f"the mean of {found.data} is of its protocol's units {', '.join(found.behind)}; by themselves: {apart}"


def constant(figures: Sequence[Figure]) -> str:
    """How many values of each feature are the same for all faces that are learned from, in a line; "" for none."""
    found: dict[str, int] = {}
    for f in figures:
        name = f.method if f.feature in ("", f.method) else f"{f.method} {f.feature}"
        found[name] = max(found.get(name, 0), int(f.detail.get("constant_values", 0)))
    told = ", ".join(f"{count:,} ({name})" for name, count in found.items() if count)
    return f"values that are the same for all training faces, of which nothing can be read: {told}" if told else ""
