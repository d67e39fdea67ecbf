"""Landmarks from a map: a heat map for each point, and the place where its mass lies."""

import itertools
import math

import torch
from torch import Tensor, nn

from vultus.nets.decoders import up

CELL = 4  # pixels of the picture that a cell of a heat map spans at most
LEAST = 12  # channels of the last convolution; see decoders.py for why not fewer


class HeatmapHead(nn.Module):
    """Map (B, channels, side, side) → heat maps (B, points, h, h) of pictures of `size` pixels, not yet exponentiated.

    Doublings with a convolution each, until a cell spans at most CELL pixels; a last convolution to the points.
    """

    def __init__(self, channels: int, side: int, size: int, points: int, width: int = 128) -> None:
        super().__init__()
        doublings = max(math.ceil(math.log2(size / (side * CELL))), 0)
        widths = (channels, *[width] * doublings)
        self.points = points
        self.ups = nn.Sequential(*(up(a, b) for a, b in itertools.pairwise(widths)))
        self.out = nn.Conv2d(widths[-1], max(points, LEAST), 3, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.out(self.ups(maps))
        return out[:, : self.points]


def centres(count: int, device: torch.device) -> Tensor:
    """Middles of `count` cells in parts of the side."""
    return (torch.arange(count, device=device, dtype=torch.float32) + 0.5) / count


def soft_argmax(heat: Tensor) -> Tensor:
    """Points (B, P, 2), x and y in parts of the side: the mean place under softmax(heat), heat (B, P, h, w).

    Integral regression (Sun et al., ECCV 2018, eq. 2): finer than a cell, and gradients pass.
    """
    height, width = heat.shape[-2:]
    mass = heat.float().flatten(2).softmax(2).view(*heat.shape[:2], height, width)
    x = (mass.sum(2) * centres(width, heat.device)).sum(2)
    y = (mass.sum(3) * centres(height, heat.device)).sum(2)
    return torch.stack([x, y], 2)


def planted(points: Tensor, side: int, spread: float = 1.0) -> Tensor:
    """Heat maps (B, P, side, side) of mass 1, a Gaussian at each point (B, P, 2); spread: its deviation in cells."""
    place = centres(side, points.device)
    x, y = ((-((place - points[..., k, None]) * side).square() / (2 * spread**2)).softmax(2) for k in (0, 1))
    return y[..., :, None] * x[..., None, :]
