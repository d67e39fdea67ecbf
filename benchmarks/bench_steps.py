"""Where a step's time goes, method by method: `python -m benchmarks.bench_steps [METHOD …]` prints the table.

`networks` is the forward pass of every module with weights (encoder, decoder, heads) and the whole backward pass; the
rest is what the library adds: waiting for decoded faces, views, formulas, optimiser and moving averages.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import nn

from benchmarks.bench_faces import pictures
from vultus.faces.faceset import FaceSet, write
from vultus.methods.catalogue import METHODS
from vultus.recipes import recipe
from vultus.training import loop
from vultus.training.config import RunConfig
from vultus.training.loop import Learner, learn
from vultus.training.memory import tune_allocator
from vultus.training.supply import Supply

SIZE, BATCH, STEPS, ROUNDS = 48, 256, 3, 3
STAGES = ("faces", "views", "networks", "formulas", "optimiser")


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[stage] += time.perf_counter() - start

        return timed


@contextmanager
def timed(learner: Learner, clock: Clock) -> Iterator[None]:
    """Every stage of the learner's steps under the clock."""
    method, optimiser = learner.method, learner.optimiser
    with ExitStack() as stack:

        def watch(owner: Any, name: str, stage: str) -> None:
            stack.enter_context(mock.patch.object(owner, name, clock.around(stage, getattr(owner, name))))

        watch(loop, "render_views", "views")
        watch(torch.Tensor, "backward", "backward")
        watch(learner, "losses", "losses")
        watch(optimiser, "step", "optimiser")
        watch(torch.nn.utils, "clip_grad_norm_", "optimiser")
        for copy in learner.followers:
            watch(copy, "follow", "optimiser")
        for module in outermost(method):
            watch(module, "forward", "modules")
        yield


def outermost(method: nn.Module) -> list[nn.Module]:
    """The largest parts that are called as a whole and hold weights or buffers."""
    found: list[nn.Module] = []
    for child in method.children():
        if type(child).forward is nn.Module.forward:  # containers that are never called
            found += outermost(child)
        elif any(True for _ in child.state_dict()):
            found.append(child)
    return found


def profile(config: RunConfig, faces: FaceSet) -> dict[str, float]:
    """Parts of a step's time by stage, and `seconds` of a step: medians over rounds of a few steps."""
    learner, supply = Learner(config, 10_000, 1000, "cpu"), Supply(faces, SIZE)
    learn(learner, supply, STEPS, lambda _: False)
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        clock, start = Clock(), time.perf_counter()
        with timed(learner, clock):
            learn(learner, supply, learner.progress.step + STEPS, lambda _: False)
        whole, spent = time.perf_counter() - start, clock.spent
        parts = {
            "views": spent["views"],
            "networks": spent["modules"] + spent["backward"],
            "formulas": spent["losses"] - spent["modules"],
            "optimiser": spent["optimiser"],
        }
        parts["faces"] = whole - sum(parts.values())  # decoding that was waited for, and the loop itself
        rounds.append({k: v / whole for k, v in parts.items()} | {"seconds": whole / STEPS})
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def main() -> None:
    tune_allocator()
    print("| method | ms a face | " + " | ".join(f"{s}, %" for s in STAGES) + " |\n|" + "---|" * (len(STAGES) + 2))
    with tempfile.TemporaryDirectory() as folder:
        write(pictures(), Path(folder) / "faces", source="made by the benchmark", licence="CC0")
        faces = FaceSet.open(Path(folder) / "faces")
        for name in sys.argv[1:] or [m for m in METHODS if m != "supervised"]:
            found = profile(replace(recipe(f"{name}-cpu"), size=SIZE, batch=BATCH), faces)
            shares = " | ".join(f"{100 * found[stage]:.1f}" for stage in STAGES)
            print(f"| {name} | {1000 * found['seconds'] / BATCH:.2f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
