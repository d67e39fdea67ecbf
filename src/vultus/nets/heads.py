"""Projection heads, predictors and prototypes."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def projector(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear – ReLU – Linear – BatchNorm, as PCL's two heads: (B, inputs) → (B, outputs)."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, outputs), nn.BatchNorm1d(outputs)
    )


def mlp(*widths: int) -> nn.Sequential:
    """Linear – BatchNorm – ReLU between the widths, a plain Linear at the end, as BYOL's projector and predictor."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


class Prototypes(nn.Module):
    """Cosines to `count` learnable directions: (B, width) → (B, count), float32 whatever the autocast, as in MSN."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(count, width) / width**0.5)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.linear(F.normalize(x.float(), dim=1), F.normalize(self.directions, dim=1))
