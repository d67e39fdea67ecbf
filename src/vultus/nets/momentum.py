"""A network that follows another as the moving average of its weights: teachers, targets, key encoders."""

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class Momentum(nn.Module):
    """A copy of `online` without gradient; `follow` moves its weights towards those of `online`.

    θ̄ ← m θ̄ + (1 − m) θ with m from `start` to `end` along a cosine over the run (BYOL, Grill et al. 2020, sect. 3.3).
    Batch norms of the copy keep statistics of their own: they see other views.
    """

    def __init__(self, online: nn.Module, start: float, end: float = 1.0) -> None:
        super().__init__()
        self.start, self.end = start, end
        self.copy = deepcopy(online).requires_grad_(False)
        self._online = (online,)  # in a tuple: not a part of this module, its weights are saved where it stands

    @torch.no_grad()
    def forward(self, *inputs: Any) -> Any:
        return self.copy(*inputs)

    @torch.no_grad()
    def follow(self, done: float) -> None:
        """Take a step after the online network has; `done` is the finished part of the run, 0…1."""
        m = self.end - (self.end - self.start) * 0.5 * (1 + math.cos(math.pi * done))
        ours: list[Tensor] = list(self.copy.parameters())
        theirs: list[Tensor] = list(self._online[0].parameters())
        torch._foreach_lerp_(ours, theirs, 1 - m)


def followers(model: nn.Module) -> list[Momentum]:
    """Every momentum copy in `model`; the loop lets them follow after each step."""
    return [module for module in model.modules() if isinstance(module, Momentum)]
