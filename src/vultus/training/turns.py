"""Equal time for several learners: a few steps of each are timed in turn, and a budget of minutes becomes epochs.

Were each pre-training timed as it begins, whatever else the machine did at that moment would decide how many faces it
sees. Timed in turn, round after round and before the first of them, a slow spell falls on all.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace

from vultus.faces.mixture import Faces
from vultus.methods.catalogue import build_method
from vultus.training.adapting import adapted
from vultus.training.budget import load_side, pace
from vultus.training.config import RunConfig
from vultus.training.machine import chosen_device
from vultus.training.supply import supply

SECONDS = 2.0  # how long about a learner is timed for, each round

Tell = Callable[[str], None]


def faces_a_second(
    configs: Mapping[str, RunConfig], faces: Faces, rounds: int, seconds: float, tell: Tell
) -> dict[str, float]:
    """The median over rounds of about so many seconds each; what cannot be timed is told and left out."""
    found: dict[str, list[float]] = {name: [] for name in configs}
    for number in range(rounds):
        for name in (one for one in configs if one in found):
            tell(f"timing a few steps of {name}" + f", round {number + 1} of {rounds}" * (rounds > 1))
            try:
                found[name].append(_pace(configs[name], faces, seconds))
            except Exception as error:  # its pre-training will say the same
                del found[name]
                tell(f"{name} could not be timed: {error}")
    return {name: statistics.median(values) for name, values in found.items()}


def epochs_in(minutes: float, rate: float, batch: int, count: int) -> float:
    """Epochs of `count` faces that so many minutes hold at `rate` faces a second: whole steps, at least one."""
    return round(max(60 * minutes * rate // batch, 1) / (count // batch), 6)


def _pace(config: RunConfig, faces: Faces, seconds: float) -> float:
    config = replace(config, method=adapted(config.method, faces))
    views = build_method(config.method, config.size).views()
    supplied = supply(config, faces, load_side(faces, config.size), views)
    return pace(config, supplied, chosen_device(config.device), seconds) * config.batch
