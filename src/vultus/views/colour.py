"""Colour: brightness, contrast, saturation, hue and grey compose into one matrix a face.

Each is linear in the pixel x and, for contrast, in the face's mean colour μ: x′ = A x + C μ. So a whole chain is one
A and one C, known before any pixel is seen; the clamp to 0…1 comes once, at the end, where torchvision clamps after
every step. Hue is a rotation about the grey axis. It equals the HSV hue shift of torchvision at thirds of a turn; in
between the change of tint is close to it, but the mean of R, G and B stays, where HSV keeps the largest and smallest.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vultus.views import checks
from vultus.views.stages import Shared, between

LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow
TO_GREY = LUMA.expand(3, 3)  # 1 lᵀ: every channel the luma
ORDERS = torch.tensor(list(itertools.permutations(range(4))))


@dataclass(frozen=True)
class Colour:
    """x′ = A x + C μ. pixel: A, mean: C, both (B, 3, 3); on: (B,) bool, False where A = 1 and C = 0."""

    pixel: Tensor
    mean: Tensor
    on: Tensor

    def then(self, after: Colour) -> Colour:
        """This first; what `after` takes for the mean is (A + C) μ."""
        mean = after.pixel @ self.mean + after.mean @ (self.pixel + self.mean)
        return Colour(after.pixel @ self.pixel, mean, self.on | after.on)

    def scaled(self, factor: float) -> Colour:
        """The same for pictures that are not in 0…1 yet and are by this factor."""
        return Colour(factor * self.pixel, factor * self.mean, torch.ones_like(self.on))

    def __call__(self, images: Tensor) -> Tensor:
        if not self.on.any():
            return images
        flat = images.flatten(2)
        offset = self.mean @ flat.mean(2, keepdim=True)
        return torch.baddbmm(offset, self.pixel, flat).view_as(images).clamp_(0, 1)


@dataclass(frozen=True)
class Jitter:
    """Random brightness, contrast, saturation and hue in random order, with probability p.

    Factors are uniform in 1 ± the value, not below 0; hue is uniform in ± the value, in turns, at most 0.5.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    p: float = 0.8
    uniforms: ClassVar[int] = 6

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            checks.within(self, name, getattr(self, name), 0, 10)
        checks.within(self, "hue", self.hue, 0, 0.5)
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Colour:
        ranges = (self.brightness, self.contrast, self.saturation)
        b, c, s = (between(u[:, k], max(0.0, 1 - r), 1 + r) for k, r in enumerate(ranges))
        h = between(u[:, 3], -self.hue, self.hue)
        steps = (brightness(b), contrast(c), saturation(s), hue(h))
        pixel, mean = (torch.stack([getattr(t, n) for t in steps], 1) for n in ("pixel", "mean"))
        order = ORDERS[(u[:, 4] * len(ORDERS)).long().clamp_(max=len(ORDERS) - 1)]
        face, on = torch.arange(len(u)), u[:, 5] < self.p
        out = Colour(pixel[face, order[:, 0]], mean[face, order[:, 0]], on)
        for k in range(1, 4):
            out = out.then(Colour(pixel[face, order[:, k]], mean[face, order[:, k]], on))
        return only(out, on)


@dataclass(frozen=True)
class Grey:
    """All three channels the luma, with probability p."""

    p: float = 0.2
    uniforms: ClassVar[int] = 1

    def __post_init__(self) -> None:
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Colour:
        return only(saturation(torch.zeros(len(u))), u[:, 0] < self.p)


def only(colour: Colour, on: Tensor) -> Colour:
    """The colour for faces that are `on`, the identity for the others."""
    mask = on[:, None, None]
    return Colour(torch.where(mask, colour.pixel, torch.eye(3)), colour.mean * mask, on)


def brightness(factor: Tensor) -> Colour:
    """x′ = b x."""
    return _linear(factor[:, None, None] * torch.eye(3))


def contrast(factor: Tensor) -> Colour:
    """x′ = c x + (1 − c) luma(μ)."""
    c = factor[:, None, None]
    return Colour(c * torch.eye(3), (1 - c) * TO_GREY, torch.ones(len(factor), dtype=torch.bool))


def saturation(factor: Tensor) -> Colour:
    """x′ = s x + (1 − s) luma(x)."""
    s = factor[:, None, None]
    return _linear(s * torch.eye(3) + (1 - s) * TO_GREY)


def hue(turns: Tensor) -> Colour:
    """Rotation about the axis (1, 1, 1) (Rodrigues' formula); red goes to green at a third of a turn."""
    angle = 2 * math.pi * turns[:, None, None]
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    cos = angle.cos()
    return _linear(cos * torch.eye(3) + angle.sin() * cross + (1 - cos) * torch.full((3, 3), 1 / 3))


def _linear(pixel: Tensor) -> Colour:
    return Colour(pixel, torch.zeros_like(pixel), torch.ones(len(pixel), dtype=torch.bool))
