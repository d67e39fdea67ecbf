"""Where a step's time goes, method by method: `python -m benchmarks.bench_steps [METHOD …]` prints the table.

Methods are named as for `vultus benchmark --methods`, with settings if wanted (moco:version=v3). Every method takes a
few steps in turn, round after round, so that a slow spell of the machine falls on all of them.

`networks` is the forward pass of every module (encoder, decoder, heads), the sampling by which a flow draws, and the
whole backward pass; the rest is what the library adds: waiting for decoded faces, views, formulas, optimiser and moving
averages.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import nn

from benchmarks.bench_faces import pictures
from vultus.benchmark.entries import entries
from vultus.faces.faceset import FaceSet, write
from vultus.methods.catalogue import METHODS
from vultus.training import loop
from vultus.training.distributed import LossModule
from vultus.training.loop import Learner, learn
from vultus.training.memory import tune_allocator
from vultus.training.supply import Supply

SIZE, BATCH, STEPS, ROUNDS = 48, 256, 3, 5
STAGES = ("faces", "views", "networks", "formulas", "optimiser")


class Clock:
    """Seconds by stage; a stage inside of another counts for the outer one."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.inside = False

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self.inside or isinstance(args[0] if args else None, LossModule):
                return function(*args, **kwargs)
            self.inside, start = True, time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.inside = False
                self.spent[stage] += time.perf_counter() - start

        return timed

    def total(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Like `around`, with all that is inside."""

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
    with ExitStack() as stack:

        def watch(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
            stack.enter_context(mock.patch.object(owner, name, wrap(getattr(owner, name))))

        watch(loop, "render_views", partial(clock.around, "views"))
        watch(learner, "losses", partial(clock.total, "losses"))
        watch(nn.Module, "__call__", partial(clock.around, "networks"))
        watch(nn.functional, "grid_sample", partial(clock.around, "networks"))
        watch(torch.Tensor, "backward", partial(clock.total, "backward"))
        watch(learner.optimiser, "step", partial(clock.around, "optimiser"))
        watch(nn.utils, "clip_grad_norm_", partial(clock.around, "optimiser"))
        for copy in learner.followers:
            watch(copy, "follow", partial(clock.around, "optimiser"))
        yield


class Profiled:
    """A method's learner, warmed up, whose steps are timed a few at a time."""

    def __init__(self, name: str, faces: FaceSet) -> None:
        (entry,) = entries([name])
        config = replace(entry.config, size=SIZE, batch=BATCH)
        self.learner, self.supply = Learner(config, 10_000, 1000, "cpu"), Supply(faces, SIZE)
        self.rounds: list[dict[str, float]] = []
        self._steps()

    def _steps(self) -> None:
        learn(self.learner, self.supply, self.learner.progress.step + STEPS, lambda _: False)

    def round(self) -> None:
        """Take a few steps and note the parts of their time by stage, and `seconds` of a step."""
        clock, start = Clock(), time.perf_counter()
        with timed(self.learner, clock):
            self._steps()
        whole, spent = time.perf_counter() - start, clock.spent
        parts = {
            "views": spent["views"],
            "networks": spent["networks"] + spent["backward"],
            "formulas": spent["losses"] - spent["networks"],
            "optimiser": spent["optimiser"],
        }
        parts["faces"] = whole - sum(parts.values())  # decoding that was waited for, and the loop itself
        self.rounds.append({k: v / whole for k, v in parts.items()} | {"seconds": whole / STEPS})

    def median(self, key: str) -> float:
        return statistics.median(r[key] for r in self.rounds)


def main() -> None:
    names = sys.argv[1:] or [name for name in METHODS if name != "supervised"]
    tune_allocator()
    with tempfile.TemporaryDirectory() as folder:
        write(pictures(), Path(folder) / "faces", source="made by the benchmark", licence="CC0")
        methods = {name: Profiled(name, FaceSet.open(Path(folder) / "faces")) for name in names}
        for _ in range(ROUNDS):
            for method in methods.values():
                method.round()
    print("| method | ms a face | " + " | ".join(f"{s}, %" for s in STAGES) + " |\n|" + "---|" * (len(STAGES) + 2))
    for name, method in methods.items():
        shares = " | ".join(f"{100 * method.median(stage):.1f}" for stage in STAGES)
        print(f"| {name} | {1000 * method.median('seconds') / BATCH:.2f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
