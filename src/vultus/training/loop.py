"""The training loop: faces in, weights out, resumable at any instant.

One step: decode (threads) → views (device) → losses → weighted sum → clip → optimiser. All randomness is a
function of (seed, step, rank), so a run that was killed and resumed ends bit for bit where the unbroken one
does. Not here: sharded optimisers, gradient checkpointing, elastic world sizes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vultus.faces.faceset import FaceSet
from vultus.faces.loader import stream
from vultus.methods.catalogue import build_method
from vultus.nets.collective import rank, world_size
from vultus.nets.precision import autocast
from vultus.training import checkpoint
from vultus.training.balancing import WeightAverage
from vultus.training.config import RunConfig
from vultus.training.distributed import any_process, spread
from vultus.training.optimisers import build_optimiser, rate_at
from vultus.training.seeding import INITIAL, METHOD, VIEWS, schedule, seed_of
from vultus.views import render_views


class NonFiniteLossError(RuntimeError):
    """A loss became NaN or infinite; the message names it, the last checkpoint is good."""


@dataclass
class Learner:
    """All that changes while a run learns."""

    config: RunConfig
    steps: int  # of the whole run
    per_epoch: int
    device: str

    def __post_init__(self) -> None:
        torch.manual_seed(seed_of(self.config.seed, INITIAL))
        self.method = build_method(self.config.method, self.config.size).to(self.device)
        self.method.to(memory_format=torch.channels_last)
        self.losses = spread(self.method.train())
        if self.config.compile:
            self.losses.compile()
        self.optimiser = build_optimiser(self.method, self.config)
        self.average = WeightAverage(self.method.balanced)
        self.progress = checkpoint.Progress()

    def restore(self, folder: Path) -> None:
        """Go on from the folder's last checkpoint, if there is one."""
        found = checkpoint.restore_checkpoint(folder, self.method, self.optimiser)
        if found:
            self.progress = found
            self.average = WeightAverage(self.method.balanced, **found.balance)

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        a = self.average
        self.progress.balance = {"means": a.means, "sums": a.sums, "count": a.count}
        checkpoint.save_checkpoint(folder, self.method, self.optimiser, self.progress)

    def step(self, images: Tensor) -> dict[str, float]:
        """One step on this process's faces (b, 3, H, W) uint8; returns the losses, unweighted."""
        config, step = self.config, self.progress.step
        rate = rate_at(step, self.steps, config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        weights = dict(self.method.weights) | self.average.weights()
        seen: dict[str, float] = {}
        for part, chunk in enumerate(images.chunk(config.accumulate)):
            losses = self._backward(chunk, part, weights)
            seen = {k: seen.get(k, 0.0) + v / config.accumulate for k, v in losses.items()}
        clip = config.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.method.parameters(), clip)
        if not torch.isfinite(norm):
            raise NonFiniteLossError(
                f"the gradient is {norm.item()} at step {step} though every loss is finite: " + ADVICE
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.progress.step += 1
        if self.average.names:
            self.average.observe([seen[n] for n in self.average.names])
            if self.progress.step % self.per_epoch == 0:
                self.average.end_epoch()
        return seen

    def _backward(self, images: Tensor, part: int, weights: dict[str, float]) -> dict[str, float]:
        config, step = self.config, self.progress.step
        first = rank() * (config.batch // world_size()) + part * len(images)
        views = render_views(
            images.to(self.device, non_blocking=True),
            self.method.views(),
            seed=seed_of(config.seed, VIEWS, step),
            batch=config.batch,
            first=first,
        )
        views = {k: v.contiguous(memory_format=torch.channels_last) for k, v in views.items()}
        torch.manual_seed(seed_of(config.seed, METHOD, step, rank(), part))
        with autocast(self.device, config.precision):
            losses: dict[str, Tensor] = self.losses(views)
        values = dict(zip(losses, torch.stack(list(losses.values())).detach().tolist(), strict=True))
        bad = [f"{k} = {v}" for k, v in values.items() if not math.isfinite(v)]
        if any_process(bool(bad), self.device):
            raise NonFiniteLossError(f"{', '.join(bad) or 'a loss of another process'} at step {step}: " + ADVICE)
        whole = torch.stack([weights[k] * v for k, v in losses.items()]).sum() / config.accumulate
        whole.backward()  # type: ignore[no-untyped-call]
        return values


ADVICE = "the last checkpoint is good; lower --lr, raise --warmup, or try --precision fp32"


def learn(learner: Learner, faces: FaceSet, load: int, until: int, after: Callable[[dict[str, float]], bool]) -> None:
    """Steps from where `learner` stands to `until`, faces decoded at `load` pixels.

    `after` sees each step's losses and ends the loop by returning True.
    """
    batch = learner.config.batch
    local = batch // world_size()
    plan = schedule(len(faces), batch, until, learner.config.seed, learner.progress.step)
    rows = (r[rank() * local : (rank() + 1) * local] for r in plan)
    start = time.perf_counter()
    for images in stream(faces, rows, load):
        losses = learner.step(images)
        learner.progress.seconds += time.perf_counter() - start
        if after(losses):
            return
        start = time.perf_counter()
