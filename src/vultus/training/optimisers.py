"""Optimisers and the schedule of their rate."""

import math

import torch
from timm.optim.lars import Lars
from torch import nn

from vultus.training.config import RunConfig


def build_optimiser(method: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    """The optimiser that `config` names; biases, norms and other vectors are not decayed."""
    matrices = [p for p in method.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in method.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay, "decays": True},
        {"params": vectors, "weight_decay": 0.0, "decays": False},
    ]
    match config.optimiser:
        case "adamw":
            return torch.optim.AdamW(groups, lr=config.lr)
        case "adam":
            return torch.optim.Adam(groups, lr=config.lr)
        case "sgd":
            return torch.optim.SGD(groups, lr=config.lr, momentum=0.9)
        case "lars":
            return Lars(groups, lr=config.lr, momentum=0.9)


def schedule_groups(optimiser: torch.optim.Optimizer, step: int, steps: int, config: RunConfig) -> None:
    """Set the rate and the decay of a step."""
    rate, decay = rate_at(step, steps, config), decay_at(step, steps, config)
    for group in optimiser.param_groups:
        group["lr"] = rate
        group["weight_decay"] = decay if group["decays"] else 0.0


def decay_at(step: int, steps: int, config: RunConfig) -> float:
    """Weight decay of a step: constant, or along a cosine to `weight_decay_end` (DINO's schedule)."""
    end = config.weight_decay if config.weight_decay_end is None else config.weight_decay_end
    return end + (config.weight_decay - end) * 0.5 * (1 + math.cos(math.pi * step / max(steps - 1, 1)))


def rate_at(step: int, steps: int, config: RunConfig) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to 0 at the end of the run."""
    warm = max(round(config.warmup * steps), 1)
    if step < warm:
        return config.lr * (step + 1) / warm
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
