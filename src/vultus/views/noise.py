"""Gaussian pixel noise that is a function of the face's own seed.

The numbers come from a hash of (seed, pixel), not from a generator: a face gets the same noise in whichever slice of
the batch, on whichever device it is rendered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vultus.views import checks
from vultus.views.stages import Shared


@dataclass(frozen=True)
class Noisy:
    """seed: (B,) int32; std in units of the grey range."""

    seed: Tensor
    std: float

    def __call__(self, images: Tensor) -> Tensor:
        if self.std == 0:
            return images
        noise = normal(self.seed, images[0].numel() if len(images) else 0)
        return images.add_(noise.view_as(images), alpha=self.std).clamp_(0, 1)


@dataclass(frozen=True)
class Noise:
    """Independent Gaussian noise on every value, cut to 0…1; std in units of the grey range."""

    std: float = 0.1
    uniforms: ClassVar[int] = 2

    def __post_init__(self) -> None:
        checks.within(self, "std", self.std, 0, 10)

    def draw(self, u: Tensor, shared: Shared) -> Noisy:
        high, low = (u * 2**15).int().unbind(1)
        return Noisy(high * 2**16 + low, self.std)


def normal(seed: Tensor, count: int) -> Tensor:
    """(B, count) standard normal numbers from seeds (B,) int32: Box and Muller on the halves of a 32-bit hash."""
    half = (count + 1) // 2
    index = torch.arange(half, dtype=torch.int32, device=seed.device)
    bits = _hash(_hash(seed.clone())[:, None] ^ index)
    radius = (((bits >> 16) & 0xFFFF).float().add_(0.5)).mul_(2**-16).log_().mul_(-2).sqrt_()
    angle = (bits & 0xFFFF).float().mul_(2 * math.pi * 2**-16)
    return torch.cat((radius * angle.cos(), radius * angle.sin()), 1)[:, :count]


def _hash(x: Tensor) -> Tensor:
    """Wellons' lowbias32, a bijection of 32-bit integers, in place; >> is arithmetic here, so its sign bits are cut."""
    x ^= (x >> 16) & 0xFFFF
    x *= 0x7FEB352D
    x ^= (x >> 15) & 0x1FFFF
    x *= 0x846CA68B - 2**32
    x ^= (x >> 16) & 0xFFFF
    return x
