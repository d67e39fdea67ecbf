"""Settings that a method takes from the set it learns from."""

from dataclasses import replace

import numpy as np

from vultus.faces.mixture import Faces
from vultus.methods.catalogue import MethodConfig
from vultus.methods.splitbrain import SplitBrainConfig
from vultus.methods.supervised import SupervisedConfig
from vultus.training.targets import with_outputs

LOOK, SIDE = 200, 16  # faces and pixels that are enough to see whether a set is grey


def adapted(method: MethodConfig, faces: Faces) -> MethodConfig:
    """The config with everything settled that depends on the set: classes, columns, channels.

    Raises ValueError where the set lacks what the method must have.
    """
    match method:
        case SupervisedConfig():
            return with_outputs(method, faces)
        case SplitBrainConfig(channels="auto"):
            return replace(method, channels="bands" if _grey(faces) else "colour")
    return method


def _grey(faces: Faces) -> bool:
    seen = faces.sample(LOOK, SIDE)
    return bool(np.array_equal(seen[:, 0], seen[:, 1]) and np.array_equal(seen[:, 0], seen[:, 2]))
