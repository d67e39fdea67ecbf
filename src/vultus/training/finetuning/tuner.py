"""The loop of one fine-tuning: labelled faces in, the best weights on validation faces out, resumable.

One step: decode (threads) → crop, flip, colour → mix-up → head → loss → clip → AdamW. As in pre-training, all
randomness is a function of (seed, step), and a fine-tuning that was killed ends as the unbroken one does. One process.
"""

import math
import time
from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vultus.evaluation.splits import Rows
from vultus.faces.loader import stream
from vultus.nets.precision import autocast
from vultus.training.budget import load_side
from vultus.training.checkpoint import Progress, restore_checkpoint, save_checkpoint
from vultus.training.finetuning.augmentation import augmented, mild
from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.depth import layered_groups
from vultus.training.finetuning.lesson import Lesson
from vultus.training.finetuning.mixing import mix
from vultus.training.finetuning.network import Network
from vultus.training.loop import NonFiniteLossError, advice, descend
from vultus.training.optimisers import schedule_groups
from vultus.training.seeding import METHOD, VIEWS, schedule, seed_of

SHORTEST = 20  # steps of an epoch at least: few faces are passed over several times between two looks at validation
READ = 256  # faces read at once


@dataclass
class Tuning(Progress):
    """The state besides tensors. `best` is the validation score of the weights that are kept."""

    best_loss: float = math.inf  # and their validation loss, which decides between equal scores
    best_epoch: int = 0
    best_on_test: float = -math.inf  # the same of the test split, read only if that is asked for
    best_test_epoch: int = 0


class Kept(nn.Module):
    """The network that learns, its best weights so far, and those that were best on the test split if these count."""

    def __init__(self, network: Network, on_test: bool) -> None:
        super().__init__()
        self.network, self.best = network, deepcopy(network).requires_grad_(False)
        self.best_on_test = deepcopy(self.best) if on_test else None


@dataclass
class Tuner:
    """A network, its lesson and how far it has come."""

    lesson: Lesson
    faces: Any  # a FaceSet, or what looks like one
    network: InitVar[Network]
    config: FinetuneConfig
    seed: int
    device: str
    size: int  # pixels

    def __post_init__(self, network: Network) -> None:
        config, learn = self.config, len(self.lesson.part.train)
        network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.kept = Kept(network, config.best_test_epoch)
        decay = 1.0 if config.scratch else config.layer_decay  # fresh weights have nothing to keep
        groups = layered_groups(network.encoder, network.head, decay, config.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=config.lr)
        self.batch = min(config.batch, learn)
        self.epoch = max(learn // self.batch, SHORTEST)  # steps
        self.steps = config.epochs * self.epoch
        self.view = mild(config, self.lesson.objective, self.size)
        self.progress = Tuning()

    @property
    def done(self) -> bool:
        """At the last step, or without gain for as many epochs as patience has."""
        p = self.progress
        return p.step >= self.steps or p.step // self.epoch - p.best_epoch >= self.config.patience

    def restore(self, folder: Path) -> None:
        """Go on from the folder's last checkpoint, if there is one."""
        self.progress = restore_checkpoint(folder, self.kept, self.optimiser, Tuning) or self.progress

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        save_checkpoint(folder, self.kept, self.optimiser, self.progress)

    def learn(self) -> Iterator[dict[str, float]]:
        """Steps from where the network stands to the last; yields each one's losses."""
        waiting: deque[Rows] = deque()
        side = load_side(self.faces, self.size)
        began = time.perf_counter()
        for images in stream(self.faces, self._rows(waiting), side):
            losses = self.step(images, torch.from_numpy(self.lesson.targets[waiting.popleft()]))
            self.progress.seconds += time.perf_counter() - began
            yield losses
            began = time.perf_counter()

    def _rows(self, waiting: deque[Rows]) -> Iterator[Rows]:
        """The rows of each step's faces, which are noted in `waiting` while these are decoded."""
        rows = self.lesson.part.train
        for place in schedule(len(rows), self.batch, self.steps, self.seed, self.progress.step):
            waiting.append(rows[place])
            yield rows[place]

    def step(self, images: Tensor, target: Tensor) -> dict[str, float]:
        """One step on faces uint8 (B, 3, H, W) and their targets (B, …)."""
        config, step, objective = self.config, self.progress.step, self.lesson.objective
        network = self.kept.network.train()
        schedule_groups(self.optimiser, step, self.steps, config)
        seed = seed_of(self.seed, VIEWS, step)
        views, seen = augmented(images.to(self.device), target, self.view, objective, seed)
        soft = objective.soft(seen.to(self.device), config.smoothing)
        if config.mixup:
            views, soft = mix(views, soft, config.mixup, seed_of(self.seed, METHOD, step))
        torch.manual_seed(seed_of(self.seed, METHOD, step))
        with autocast(self.device, config.precision):
            losses = objective.losses(network(views.contiguous(memory_format=torch.channels_last)), soft)
        values = {name: loss.item() for name, loss in losses.items()}
        if bad := [f"{name} = {value}" for name, value in values.items() if not math.isfinite(value)]:
            raise NonFiniteLossError(f"{', '.join(bad)} at step {step}: " + advice(step))
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        descend(network, self.optimiser, config.clip, step)
        self.progress.step += 1
        return values

    def look(self) -> dict[str, float]:
        """Read the validation faces at the end of an epoch; the weights are kept where they are the best so far."""
        p, part = self.progress, self.lesson.part
        epoch = p.step // self.epoch
        said, loss = self.ask(self.kept.network, part.validation, self.lesson.targets[part.validation])
        score = self.lesson.score(self.lesson.targets[part.validation], said)
        if (score, -loss) > (p.best, -p.best_loss):
            p.best, p.best_loss, p.best_epoch = score, loss, epoch
            self.kept.best.load_state_dict(self.kept.network.state_dict())
        found = {"epoch": epoch, "score": score, "loss": loss, "seconds": round(p.seconds, 2)}
        if self.kept.best_on_test is not None:
            found["test_score"] = score = self.lesson.score(self.lesson.targets[part.test], self.test())
            if score > p.best_on_test:
                p.best_on_test, p.best_test_epoch = score, epoch
                self.kept.best_on_test.load_state_dict(self.kept.network.state_dict())
        return found

    def test(self, network: nn.Module | None = None) -> NDArray[np.float32]:
        """What the network, else the one that learns, says of the test faces [M, …]."""
        said, _ = self.ask(network or self.kept.network, self.lesson.part.test)
        return said

    @torch.inference_mode()
    def ask(
        self, network: nn.Module, rows: Rows, targets: NDArray[Any] | None = None
    ) -> tuple[NDArray[np.float32], float]:
        """What the network says of faces of the set [M, …], and its mean loss where targets [M, …] are given."""
        network.eval()
        objective = self.lesson.objective
        cuts = np.array_split(np.arange(len(rows)), math.ceil(len(rows) / READ))
        said, total = [], 0.0
        for cut, images in zip(cuts, stream(self.faces, [rows[cut] for cut in cuts], self.size), strict=True):
            batch = (images.to(self.device).float() / 255).contiguous(memory_format=torch.channels_last)
            with autocast(self.device, self.config.precision):
                raw = network(batch).float().cpu()
            said.append(objective.said(raw).numpy())
            if targets is not None:
                soft = objective.soft(torch.from_numpy(targets[cut]), 0.0)
                total += len(cut) * sum(loss.item() for loss in objective.losses(raw, soft).values())
        return np.concatenate(said), total / len(rows)
