"""How many steps a run has: from its epochs, or from a time budget and a measured rate."""

import time
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from vultus.faces.faceset import FaceSet
from vultus.training.config import RunConfig
from vultus.training.distributed import agreed
from vultus.training.loop import Learner, learn

WARM, TIMED = 3, 8  # steps thrown away


def count_steps(config: RunConfig, faces: FaceSet, load: int, device: str) -> int:
    """Steps of the whole run, at least 1.

    With `minutes`, a throw-away learner is timed on a few real steps once, and the count is noted in the run's
    folder: the run itself stays a function of its seed, however fast the machine is when it is resumed.
    """
    per_epoch = len(faces) // config.batch
    if not config.minutes:
        return max(round(config.epochs * per_epoch), 1)
    learner = Learner(replace(config, compile=False), WARM + TIMED, per_epoch, device)
    learn(learner, faces, load, min(WARM, per_epoch), lambda _: False)
    done, start = learner.progress.step, time.perf_counter()
    learn(learner, faces, load, done + TIMED, lambda _: False)
    rate = (learner.progress.step - done) / (time.perf_counter() - start)
    return max(int(agreed(config.minutes * 60 * rate)), 1)


def load_side(faces: FaceSet, size: int) -> int:
    """At which side faces are decoded for views of `size`: that of their pictures, from `size` to twice `size`.

    The median of a few pictures' shorter sides; smaller ones would be enlarged twice, larger ones cost decoding.
    """
    some = np.linspace(0, len(faces) - 1, 16).astype(int).tolist()
    sides = [min(Image.open(BytesIO(faces.image_bytes(i))).size) for i in some]
    return int(min(max(np.median(sides), size), 2 * size))
