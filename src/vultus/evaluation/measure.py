"""A run's folder and a labelled set → figures, kept in the folder; what `vultus evaluate` does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vultus.evaluation.baselines import Hog, Lbp, Pixels
from vultus.evaluation.dictionary import PatchDictionary
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.joined import Joined
from vultus.evaluation.kept import add_figures
from vultus.evaluation.mirrored import called, reader
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.stages import has_stages
from vultus.evaluation.tasks import TASKS, hindrance, possible_tasks
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import MethodConfig, build_method
from vultus.methods.model import FaceModel, load, random_model
from vultus.nets.patches import patch_stems

PLAIN = Protocol()
FIT = 10_000  # faces at most from which the patch dictionary learns
CALIBRATE = 5_000  # and those from which untrained encoders take statistics and atoms
DESCRIPTORS = ("pixels", "lbp", "hog")
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
    baselines: bool = False,
    atoms: int = 72,
    mirrored: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[Figure, ...]:
    """Figures of a run's model on the face set at `data`, and of the baselines if asked.

    They are added to the run's `evaluation.json`, where they replace older ones of the same circumstances.
    Features are cached below `run/features`. test: a face set to test on what `data` taught. seeds: repeat the reading
    under each, for few labels; none: the protocol's. mirrored: read each face together with its mirror image; the tasks
    must be such as a mirror leaves as they are. feature: one of the model's, all of them if None, or `stages`
    (`stages.py`). `tell` hears what is being read.
    Raises ValueError where the set has no label that a task reads.
    """
    folder = Path(run)
    model, faces = load(folder), FaceSet.open(data)
    other = FaceSet.open(test) if test else None
    tasks = (task,) if isinstance(task, str) else tuple(task)
    if task == "all":
        tasks = _all_tasks(faces if other is None else Joined(faces, other), mirrored, tell)
    if mirrored and (sided := [name for name in tasks if name in TASKS and TASKS[name].sided]):
        raise ValueError(f"{', '.join(sided)}: {TURNED}; read without mirrored")
    if not tasks:
        raise ValueError(f"{data} has no label that a task reads; it has {', '.join(faces.columns) or 'none'}")
    options: dict[str, Any] = {"test": other, "cache": folder / "features"}
    tell(f"reading {model.name}: {', '.join(tasks)}")
    seen, asked = reader(model, mirrored, feature), feature and called(feature, mirrored)
    figures: list[Figure] = []
    repeats = [replace(protocol, seed=seed) for seed in seeds or (protocol.seed,)]
    for each in repeats:
        figures += evaluate(seen, faces, tasks, each, feature=asked, **options)
    if leaks := leaked(figures):
        tell(leaks)
    for floor in rivals(model, faces, atoms) if baselines else ():
        tell(f"reading {floor.name}")
        floor = reader(floor, mirrored, feature if has_stages(floor) else None)
        for each in repeats:
            fits = replace(each, pca=min(each.pca, width(floor))) if each.pca else each
            figures += evaluate(floor, faces, tasks, fits, feature=floor.default_feature, **options)
    add_figures(folder, figures)
    return tuple(figures)


def _all_tasks(faces: Any, mirrored: bool, tell: Callable[[str], None]) -> tuple[str, ...]:
    """The tasks that the set can serve; of those whose labels are there and do not suffice `tell` hears why."""
    why = {n: TURNED if mirrored and TASKS[n].sided else hindrance(n, faces) for n in possible_tasks(faces)}
    for name, reason in why.items():
        if reason:
            tell(f"{name} is left out: {reason}")
    return tuple(name for name, reason in why.items() if not reason)


def leaked(figures: Sequence[Figure]) -> str:
    """How many test faces of each task the read-out has learnt from as well, in a line; "" where there are none."""
    found = {f.task: (f.detail["leaked_test_faces"], f.n) for f in figures[::-1] if "leaked_test_faces" in f.detail}
    told = ", ".join(f"{count:,} of {of:,} ({task})" for task, (count, of) in reversed(found.items()))
    return f"test faces whose very picture the read-out learns from, which flatters it: {told}" if told else ""


def rivals(model: FaceModel, faces: FaceSet, atoms: int) -> Iterator[Any]:
    """What `model` must leave behind, one after another: the dictionary is fitted when its turn comes."""
    config: Any = model.method.config
    for name in (*encoder_rivals(config, model.size), *DESCRIPTORS, "dictionary"):
        yield rival(name, faces, model.size, config=config, atoms=atoms)


def encoder_rivals(config: MethodConfig, size: int) -> tuple[str, ...]:
    """The states of an encoder that has learned nothing: random weights, and behind learned atoms where it has some."""
    return ("random", "untrained") if patch_stems(build_method(config, size)) else ("random",)


def rival(name: str, faces: FaceSet, size: int, *, config: MethodConfig | None = None, atoms: int = 72) -> Any:
    """One by name, for pictures of `size` pixels; what it takes from faces it takes from the set's training split.

    config: of an encoder; atoms: of the dictionary. Raises ValueError for a name that there is not.
    """
    side = size // 8 * 8  # whole cells
    if name in ("random", "untrained") and config is not None:
        images = torch.from_numpy(sample(faces, size, CALIBRATE))
        return random_model(config, size, images, atoms=name == "untrained")
    if name == "dictionary":
        return fitted_dictionary(faces, atoms, size)
    if name in DESCRIPTORS:
        return {"pixels": Pixels(size), "lbp": Lbp(side), "hog": Hog(side)}[name]
    known = ", ".join(("random and untrained with a config", *DESCRIPTORS, "dictionary"))
    raise ValueError(f"no baseline {name!r}: there are {known}")


def fitted_dictionary(faces: FaceSet, atoms: int, size: int, seed: int = 0) -> PatchDictionary:
    """A patch dictionary learned from the set's training faces, without their labels."""
    return PatchDictionary(atoms, size=size, seed=seed).fit(sample(faces, size, FIT, seed))


def sample(faces: FaceSet, size: int, most: int, seed: int = 0) -> np.ndarray:
    """At most `most` training faces drawn from the set, uint8 [N, 3, size, size]; any faces where none is training."""
    learn = faces.where(split="train") if "split" in faces.columns else faces
    learn = learn if len(learn) else faces
    return learn.sample(most, size, seed)


def width(model: Any) -> int:
    """Values of the feature that a model or a rival would choose itself."""
    probe = np.zeros((1, 3, model.size, model.size), np.uint8)
    return int(np.asarray(model.features(probe)[model.default_feature]).shape[1])
