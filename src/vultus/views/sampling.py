"""From pictures to views with a single interpolation.

A bilinear sample has the variance of a triangle of one source pixel, 1/6 px². Where the view shrinks the picture r
times, an anti-aliasing triangle would have r²/6. The difference (r² − 1)/6 is made up for by averaging neighbours
in the source beforehand, separately along x and y and as much as each face needs: sharp where a crop is enlarged,
smooth where it is shrunk, and no face is interpolated twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.views.geometry import Placement
from vultus.views.warp import Bumps

SHORTFALL = 0.125  # px²; a variance that a pass may leave out, so that 112 → 64 pixels takes one pass, not two


@dataclass(frozen=True)
class Sampling:
    """Where and how the pictures of a batch are read: a stage, see there.

    grid: (B, S, S, 2) points x, y; weight: (B, 2, P) of the next neighbour along x and y in every pass;
    passes: how many along x and y; inside: no point lies further than a pixel beyond the border, where its mirror image
    and its outermost pixel are the same and the latter is found sooner.
    """

    grid: Tensor
    weight: Tensor
    passes: tuple[int, int]
    inside: bool

    def __call__(self, images: Tensor) -> Tensor:
        """Float views (B, 3, S, S), in the range of the pictures (B, 3, H, W); beyond their border, mirrored."""
        source = images.float()
        for axis, dim in ((0, 3), (1, 2)):
            for k in range(self.passes[axis]):
                source = _average_with_next(source, self.weight[:, axis, k, None, None, None], dim)
        beyond = "border" if self.inside else "reflection"
        return F.grid_sample(source, self.grid, mode="bilinear", padding_mode=beyond, align_corners=False)


def plan(shape: tuple[int, int], size: int, stages: Sequence[Placement | Bumps], shrink: Tensor) -> Sampling:
    """The sampling of pictures of shape H, W by `stages`, listed as they act on the picture, the first a Placement.

    shrink: (B, 2) on the CPU, the part of the picture that the view spans along x and y.

    A pass of smoothing averages every pixel with its next one, weights 1 − w and w: variance w(1 − w) ≤ ¼, and a
    shift by w pixels that the grid takes back. A face takes as many passes as it needs, up to SHORTFALL of its
    variance may be missing; in further passes that others need its w is 0.
    """
    side = torch.tensor([shape[1], shape[0]])
    variance = ((shrink * side / size) ** 2 - 1) / 6
    needs = torch.where(variance < 0.01, 0, (4 * (variance - SHORTFALL)).ceil().clamp(min=1)).int()  # (B, 2)
    across, down = needs.amax(0).tolist() if len(needs) else (0, 0)
    each = (1 - (1 - 4 * variance / needs.clamp(min=1)).clamp_(0, 1).sqrt()) / 2
    weight = each[..., None] * (torch.arange(max(across, down)) < needs[..., None])
    first, *others = stages
    assert isinstance(first, Placement)
    device = first.matrix.device
    start = first.moved((-2 * weight.sum(2) / side).to(device, non_blocking=True))
    pixel = (2 / shape[1], 2 / shape[0])
    grid = _grid(size, (start, *others), pixel)
    # a GPU is not waited for: it mirrors always
    inside = device.type == "cpu" and not others and _reaches(start, size, pixel)
    return Sampling(grid, weight.to(device, non_blocking=True), (across, down), inside)


def _reaches(start: Placement, size: int, pixel: tuple[float, float]) -> bool:
    """Whether the outermost points of every view, which lie furthest out, stay within a pixel of the picture."""
    outermost = 1 - 1 / size
    reach = outermost * start.matrix[:, :2, :2].abs().sum(2) + start.matrix[:, :2, 2].abs()
    return bool((reach <= 1 + torch.tensor(pixel)).all())


def _grid(size: int, stages: Sequence[Placement | Bumps], pixel: tuple[float, float]) -> Tensor:
    assert isinstance(stages[0], Placement)
    matrix = stages[0].matrix
    centres = (2 * torch.arange(size, device=matrix.device, dtype=torch.float32) + 1) / size - 1
    x, y = centres[None, None, :], centres[None, :, None]
    for stage in reversed(stages):
        x, y = stage(x, y, pixel)
    return torch.view_as_real(torch.complex(x, y))  # the fastest way to interleave


def _average_with_next(images: Tensor, weight: Tensor, dim: int) -> Tensor:
    n, out = images.shape[dim] - 1, torch.empty_like(images)
    torch.lerp(images.narrow(dim, 0, n), images.narrow(dim, 1, n), weight, out=out.narrow(dim, 0, n))
    out.narrow(dim, n, 1).copy_(images.narrow(dim, n, 1))
    return out
