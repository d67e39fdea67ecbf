"""Optimisers and the schedule of their rate."""

import math
from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import nn

from vultus.training.config import RunConfig


class Rates(Protocol):
    """What a schedule reads of a config; see RunConfig."""

    @property
    def lr(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def weight_decay_end(self) -> float | None: ...
    @property
    def warmup(self) -> float: ...


def parameter_groups(
    parameters: Iterable[nn.Parameter], weight_decay: float, scale: float = 1.0
) -> list[dict[str, Any]]:
    """Two groups that learn at `scale` times the schedule's rate: biases, norms and other vectors are not decayed."""
    learned = [p for p in parameters if p.requires_grad]
    matrices, vectors = [p for p in learned if p.ndim > 1], [p for p in learned if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay, "decays": True, "scale": scale},
        {"params": vectors, "weight_decay": 0.0, "decays": False, "scale": scale},
    ]


def build_optimiser(method: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    """The optimiser that `config` names."""
    groups = parameter_groups(method.parameters(), config.weight_decay)
    match config.optimiser:
        case "adamw":
            return torch.optim.AdamW(groups, lr=config.lr, betas=(config.beta1, 0.999))
        case "adam":
            return torch.optim.Adam(groups, lr=config.lr, betas=(config.beta1, 0.999))
        case "sgd":
            return torch.optim.SGD(groups, lr=config.lr, momentum=config.beta1)
        case "lars":
            from timm.optim.lars import Lars  # seconds to load

            return Lars(groups, lr=config.lr, momentum=config.beta1)


def schedule_groups(optimiser: torch.optim.Optimizer, step: int, steps: int, config: Rates) -> None:
    """Set the rate and the decay of a step."""
    rate, decay = rate_at(step, steps, config), decay_at(step, steps, config)
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]
        group["weight_decay"] = decay if group["decays"] else 0.0


def decay_at(step: int, steps: int, config: Rates) -> float:
    """Weight decay of a step: constant, or along a cosine to `weight_decay_end` (DINO's schedule)."""
    end = config.weight_decay if config.weight_decay_end is None else config.weight_decay_end
    return end + (config.weight_decay - end) * 0.5 * (1 + math.cos(math.pi * step / max(steps - 1, 1)))


def rate_at(step: int, steps: int, config: Rates) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to 0 at the end of the run."""
    warm = max(round(config.warmup * steps), 1)
    if step < warm:
        return config.lr * (step + 1) / warm
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
