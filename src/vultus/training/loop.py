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
from torch import Tensor, nn

from vultus.methods.catalogue import build_method
from vultus.nets.collective import rank, world_size
from vultus.nets.momentum import followers
from vultus.nets.precision import autocast
from vultus.training import checkpoint
from vultus.training.balancing import WeightAverage
from vultus.training.config import RunConfig
from vultus.training.distributed import any_process, averaged, spread
from vultus.training.optimisers import build_optimiser, schedule_groups
from vultus.training.seeding import INITIAL, METHOD, VIEWS, seed_of
from vultus.training.supply import Batch, Supply
from vultus.views import render_views


class NonFiniteLossError(RuntimeError):
    """A loss became NaN or infinite; the message names it, and no weight was changed by it."""


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
        self.followers = followers(self.method)
        self.progress = checkpoint.Progress()

    def restore(self, folder: Path) -> None:
        """Go on from the folder's last checkpoint, if there is one."""
        found = checkpoint.restore_checkpoint(folder, self.method, self.optimiser, checkpoint.Progress)
        if found:
            self.progress = found
            self.average = WeightAverage(self.method.balanced, **found.balance)

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        a = self.average
        self.progress.balance = {"means": a.means, "sums": a.sums, "count": a.count}
        checkpoint.save_checkpoint(folder, self.method, self.optimiser, self.progress)

    def step(self, batch: Batch) -> dict[str, float]:
        """One step on this process's faces; returns the losses, unweighted."""
        config, step = self.config, self.progress.step
        schedule_groups(self.optimiser, step, self.steps, config)
        balance = self.average.weights()
        weights = {name: weight * balance.get(name, 1.0) for name, weight in self.method.weights.items()}
        seen: dict[str, float] = {}
        for part, chunk in enumerate(batch.parts(config.accumulate)):
            losses = self._backward(chunk, part, weights)
            seen = {k: seen.get(k, 0.0) + v / config.accumulate for k, v in losses.items()}
        descend(self.method, self.optimiser, config.clip, step)
        self.progress.step += 1
        for copy in self.followers:
            copy.follow(self.progress.step / self.steps)
        if self.average.names:
            # of all processes: with weights of its own each would follow another objective
            self.average.observe(averaged([seen[n] for n in self.average.names], self.device))
            if self.progress.step % self.per_epoch == 0:
                self.average.end_epoch()
        return seen

    def _backward(self, batch: Batch, part: int, weights: dict[str, float]) -> dict[str, float]:
        config, step = self.config, self.progress.step
        views = self._views(batch, part)
        torch.manual_seed(seed_of(config.seed, METHOD, step, rank(), part))
        with autocast(self.device, config.precision):
            losses: dict[str, Tensor] = self.losses(views)
        values = dict(zip(losses, torch.stack(list(losses.values())).detach().tolist(), strict=True))
        bad = [f"{k} = {v}" for k, v in values.items() if not math.isfinite(v)]
        if any_process(bool(bad), self.device):
            raise NonFiniteLossError(f"{', '.join(bad) or 'a loss of another process'} at step {step}: " + advice(step))
        whole = torch.stack([weights[k] * v for k, v in losses.items()]).sum() / config.accumulate
        whole.backward()  # type: ignore[no-untyped-call]
        return values

    def _views(self, batch: Batch, part: int) -> dict[str, Tensor]:
        """Everything that the losses see, on the device: the views by name, and the targets where there are labels."""
        config = self.config
        partners = batch.partners
        views = render_views(
            batch.images.to(self.device, non_blocking=True),
            self.method.views(),
            seed=seed_of(config.seed, VIEWS, self.progress.step),
            batch=config.batch,
            first=rank() * (config.batch // world_size()) + part * len(batch),
            landmarks=batch.landmarks,
            partners=None if partners is None else partners.to(self.device, non_blocking=True),
            paired=batch.paired,
        )
        last = torch.channels_last
        views = {k: v.contiguous(memory_format=last) if v.ndim == 4 else v for k, v in views.items()}
        return views if batch.targets is None else views | {"label": batch.targets.to(self.device)}


def advice(step: int) -> str:
    """What to do about a loss that is not finite at a step; at the first no weight has changed yet."""
    if not step:
        return "nothing was learned yet; look at the method's settings, or try --precision fp32"
    return "the last checkpoint is good; lower --lr, raise --warmup, or try --precision fp32"


def descend(module: nn.Module, optimiser: torch.optim.Optimizer, clip: float, step: int) -> None:
    """A step along the gradients that `module` holds, cut to the norm `clip` (0: as they are); they are let go then.

    Raises NonFiniteLossError before any weight changes.
    """
    norm = nn.utils.clip_grad_norm_(module.parameters(), clip or math.inf)
    if not torch.isfinite(norm):
        raise NonFiniteLossError(
            f"the gradient is {norm.item()} at step {step} though every loss is finite: " + advice(step)
        )
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def learn(learner: Learner, supply: Supply, until: int, after: Callable[[dict[str, float]], bool]) -> None:
    """Steps from where `learner` stands to `until`; `after` sees each step's losses and ends the loop by True."""
    start = time.perf_counter()
    for batch in supply.batches(learner.config, learner.progress.step, until):
        losses = learner.step(batch)
        learner.progress.seconds += time.perf_counter() - start
        if after(losses):
            return
        start = time.perf_counter()
