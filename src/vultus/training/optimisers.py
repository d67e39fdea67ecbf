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
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
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


def rate_at(step: int, steps: int, config: RunConfig) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to 0 at the end of the run."""
    warm = max(round(config.warmup * steps), 1)
    if step < warm:
        return config.lr * (step + 1) / warm
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
