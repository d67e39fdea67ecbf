"""What a learned model must leave behind, by name: encoders that learned nothing, descriptors, a patch dictionary."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from vultus.evaluation.descriptors import Hog, Lbp, Pixels
from vultus.evaluation.dictionary import PatchDictionary
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import MethodConfig, build_method
from vultus.methods.model import FaceModel, random_model
from vultus.nets.patches import patch_stems

STATES = ("random", "untrained")  # of an encoder that has learned nothing
BASELINES = (*STATES, "pixels", "lbp", "hog", "dictionary")
FIT = 10_000  # faces at most from which the patch dictionary learns
CALIBRATE = 5_000  # and those from which untrained encoders take statistics and atoms


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Those asked for, in the order of tables; `all` stands for every one. Raises ValueError for another name."""
    if unknown := [name for name in names if name not in (*BASELINES, "all")]:
        raise ValueError(f"no baseline {', '.join(unknown)}; there are {', '.join(BASELINES)}, or all")
    return BASELINES if "all" in names else tuple(name for name in BASELINES if name in names)


def of_encoders(config: MethodConfig, size: int, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that are states of the method's encoder; `untrained` only behind a stem of learned atoms."""
    states = STATES if patch_stems(build_method(config, size)) else STATES[:1]
    return tuple(name for name in states if name in names)


def of_pictures(names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that ask for no encoder."""
    return tuple(name for name in names if name not in STATES)


def beside(model: FaceModel, faces: FaceSet, names: Sequence[str], atoms: int) -> Iterator[Any]:
    """Those of `names` that go with `model`, one after another: the dictionary is fitted when its turn comes."""
    config: Any = model.method.config
    for name in (*of_encoders(config, model.size, names), *of_pictures(names)):
        yield baseline(name, faces, model.size, config=config, atoms=atoms)


def baseline(name: str, faces: FaceSet, size: int, *, config: MethodConfig | None = None, atoms: int = 72) -> Any:
    """One by name, for pictures of `size` pixels; what it takes from faces it takes from the set's training split.

    config: of an encoder's method; atoms: of the dictionary. Raises ValueError for a name that there is not.
    """
    side = size // 8 * 8  # whole cells
    match name:
        case "random" | "untrained" if config is not None:
            images = torch.from_numpy(sample(faces, size, CALIBRATE))
            return random_model(config, size, images, atoms=name == "untrained")
        case "pixels":
            return Pixels(size)
        case "lbp":
            return Lbp(side)
        case "hog":
            return Hog(side)
        case "dictionary":
            return fitted_dictionary(faces, atoms, size)
    raise ValueError(f"no baseline {name!r} without a method's config; there are {', '.join(BASELINES)}")


def fitted_dictionary(faces: FaceSet, atoms: int, size: int, seed: int = 0) -> PatchDictionary:
    """A patch dictionary learned from the set's training faces, without their labels."""
    return PatchDictionary(atoms, size=size, seed=seed).fit(sample(faces, size, FIT, seed))


def sample(faces: FaceSet, size: int, most: int, seed: int = 0) -> np.ndarray:
    """At most `most` training faces drawn from the set, uint8 [N, 3, size, size]; any faces where none is training."""
    learn = faces.where(split="train") if "split" in faces.columns else faces
    learn = learn if len(learn) else faces
    return learn.sample(most, size, seed)
