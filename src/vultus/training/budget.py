"""How many steps a run has: from its epochs, or from a time budget and a measured rate."""

import time
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from vultus.faces.mixture import Faces
from vultus.training.config import RunConfig
from vultus.training.distributed import agreed, any_process
from vultus.training.loop import Learner, learn
from vultus.training.supply import Supply

WARM, FEWEST, MOST = 2, 3, 8  # steps of the throw-away learner: untimed, timed at least, timed at most
SHARE = 0.05  # of the budget: a short run is not timed for longer than this, but for the fewest steps


def count_steps(config: RunConfig, supply: Supply, device: str) -> int:
    """Steps of the whole run, at least 1.

    With `minutes`, a few real steps are timed once, and the count is noted in the run's folder: the run itself stays
    a function of its seed, however fast the machine is when it is resumed.
    """
    if not config.minutes:
        return max(round(config.epochs * (len(supply.faces) // config.batch)), 1)
    rate = pace(config, supply, device, SHARE * config.minutes * 60)
    return max(int(agreed(config.minutes * 60 * rate)), 1)


def pace(config: RunConfig, supply: Supply, device: str, seconds: float) -> float:
    """Steps a second of a throw-away learner, timed for about so many seconds, but for at least `FEWEST` steps."""
    learner = Learner(replace(config, compile=False), WARM + MOST, len(supply.faces) // config.batch, device)
    ends: list[float] = []

    def enough(_: dict[str, float]) -> bool:
        ends.append(time.perf_counter())
        timed = len(ends) - WARM
        return any_process(timed >= FEWEST and ends[-1] - ends[WARM - 1] > seconds, device)

    learn(learner, supply, WARM + MOST, enough)
    return (len(ends) - WARM) / (ends[-1] - ends[WARM - 1])


def load_side(faces: Faces, size: int) -> int:
    """At which side faces are decoded for views of `size`: that of their pictures, from `size` to twice `size`.

    The median of a few pictures' shorter sides; smaller ones would be enlarged twice, larger ones cost decoding.
    """
    some = np.linspace(0, len(faces) - 1, 16).astype(int).tolist()
    sides = [min(Image.open(BytesIO(faces.image_bytes(i))).size) for i in some]
    return int(min(max(np.median(sides), size), 2 * size))
