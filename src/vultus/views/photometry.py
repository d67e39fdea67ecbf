"""What a view does to the picture beyond colour: blur, edges, solarise, erase. Undrawn faces cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.views import boxes, checks
from vultus.views.stages import Shared, between, on_chosen


@dataclass(frozen=True)
class Blurred:
    """on: (B,) bool; sigma: (B,) pixels; kernel: width in parts of the view's side."""

    on: Tensor
    sigma: Tensor
    kernel: float

    def __call__(self, images: Tensor) -> Tensor:
        # at most the side: reflection needs as many pixels as it pads
        radius = min(max(1, int(self.kernel * images.shape[-1]) // 2), images.shape[-1] - 1)
        return on_chosen(images, self.on, lambda faces, which: gaussian_blur(faces, self.sigma[which], radius))


@dataclass(frozen=True)
class Edged:
    """on: (B,) bool."""

    on: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        return on_chosen(images, self.on, lambda faces, _: sobel(faces))


@dataclass(frozen=True)
class Solarised:
    """on: (B,) bool; threshold in 0…1."""

    on: Tensor
    threshold: float

    def __call__(self, images: Tensor) -> Tensor:
        return on_chosen(images, self.on, lambda x, _: torch.where(x < self.threshold, x, 1 - x))


@dataclass(frozen=True)
class Erased:
    """on: (B,) bool; centre, size: (B, 2), x before y, in parts of the side; value in 0…1."""

    on: Tensor
    centre: Tensor
    size: Tensor
    value: float

    def __call__(self, images: Tensor) -> Tensor:
        return on_chosen(images, self.on, self._fill)

    def _fill(self, faces: Tensor, which: Tensor | slice) -> Tensor:
        side = faces.shape[-1]
        place = (torch.arange(side, device=faces.device) + 0.5) / side
        centre, half = self.centre[which, :, None], self.size[which, :, None] / 2
        x, y = ((place - centre).abs() <= half).unbind(1)  # (B, S) each
        return faces.masked_fill((x[:, None, None, :] & y[:, None, :, None]), self.value)


@dataclass(frozen=True)
class Blur:
    """Gaussian blur with probability p. kernel: width in parts of the view's side; sigma: pixels, uniform."""

    kernel: float = 0.1
    sigma: tuple[float, float] = (0.1, 2.0)
    p: float = 0.5
    uniforms: ClassVar[int] = 2

    def __post_init__(self) -> None:
        checks.within(self, "kernel", self.kernel, 0, 1)
        checks.ordered(self, "sigma", self.sigma, 1e-2, 1e3)
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Blurred:
        return Blurred(u[:, 0] < self.p, between(u[:, 1], *self.sigma), self.kernel)


@dataclass(frozen=True)
class Sobel:
    """The length of the Sobel gradient in place of the picture, channel by channel, with probability p."""

    p: float = 0.6
    uniforms: ClassVar[int] = 1

    def __post_init__(self) -> None:
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Edged:
        return Edged(u[:, 0] < self.p)


@dataclass(frozen=True)
class Solarise:
    """Values of `threshold` and above turned over, x → 1 − x, with probability p."""

    threshold: float = 0.5
    p: float = 0.2
    uniforms: ClassVar[int] = 1

    def __post_init__(self) -> None:
        checks.within(self, "threshold", self.threshold, 0, 1)
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Solarised:
        return Solarised(u[:, 0] < self.p, self.threshold)


@dataclass(frozen=True)
class Erase:
    """A box of the view set to `value`, with probability p; scale, ratio as of Crop."""

    p: float = 0.5
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    value: float = 0.0
    uniforms: ClassVar[int] = boxes.UNIFORMS + 1

    def __post_init__(self) -> None:
        checks.probability(self, self.p)
        checks.ordered(self, "scale", self.scale, 1e-4, 1)
        checks.ordered(self, "ratio", self.ratio, 1e-2, 1e2)
        checks.within(self, "value", self.value, 0, 1)

    def draw(self, u: Tensor, shared: Shared) -> Erased:
        return Erased(u[:, 0] < self.p, *boxes.random_boxes(u[:, 1:], self.scale, self.ratio), self.value)


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Blur faces (B, C, H, W) by sigma (B,) pixels with 2 · radius + 1 taps; borders are mirrored."""
    taps = torch.arange(radius + 1, device=images.device)
    weight = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)  # (B, radius + 1): centre, then outwards
    weight = weight / (2 * weight.sum(1, keepdim=True) - weight[:, :1])
    taken = weight[:, :, None, None, None].unbind(1)
    padded = F.pad(images, (radius,) * 4, mode="reflect")
    return _blur_along(_blur_along(padded, taken, 2), taken, 3)


def _blur_along(padded: Tensor, weight: Sequence[Tensor], dim: int) -> Tensor:
    # shifted sums: on a CPU faster than grouped convolutions and banded matrices, which were tried
    radius = len(weight) - 1
    n = padded.shape[dim] - 2 * radius
    out = padded.narrow(dim, radius, n) * weight[0]
    pair = torch.empty_like(out)
    for k in range(1, radius + 1):
        torch.add(padded.narrow(dim, radius - k, n), padded.narrow(dim, radius + k, n), out=pair)
        out.addcmul_(pair, weight[k])
    return out


def sobel(images: Tensor) -> Tensor:
    """√(gx² + gy²) with Sobel's [1 2 1] ⊗ [−1 0 1], cut at 1.

    Not divided by the kernel's weight: blurred crops, and darkened ones, would come out black.
    """
    p = F.pad(images, (1, 1, 1, 1), mode="replicate")
    rows, columns = p[:, :, :-2] + 2 * p[:, :, 1:-1] + p[:, :, 2:], p[..., :-2] + 2 * p[..., 1:-1] + p[..., 2:]
    gx, gy = rows[..., 2:] - rows[..., :-2], columns[:, :, 2:] - columns[:, :, :-2]
    return gx.square_().addcmul_(gy, gy).sqrt_().clamp_(max=1)
