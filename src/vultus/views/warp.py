"""Local warps: a few smooth bumps move parts of the face, the border stays.

The field is a soft mixture of Gaussian bumps, d(q) = w(q) Σ_k a_k g_k(q) / max(1, Σ_k g_k(q)) with
g_k(q) = exp(−|q − c_k|² / 2r²), every |a_k| equal to the magnitude, and w falling to 0 at the border: nowhere is the
displacement longer than the magnitude. ContraWarping (arXiv 2303.09034) states a random local warp and no family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vultus.views import checks
from vultus.views.stages import Shared


@dataclass(frozen=True)
class Bumps:
    """centres, shifts: (B, P, 2) in units of points (−1…1); phase: (B, 2) in pixels; radius in units of points."""

    centres: Tensor
    shifts: Tensor
    phase: Tensor
    radius: float

    def displacement(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The field at points (B, S, S), zero on and outside the border."""
        cx, cy = self.centres[..., 0, None, None], self.centres[..., 1, None, None]
        distance = (x[:, None] - cx).square_().add((y[:, None] - cy).square_())  # (B, P, S, S)
        g = distance.mul_(-0.5 / self.radius**2).exp_()
        window = (1 - x.square().square_()).clamp_(min=0) * (1 - y.square().square_()).clamp_(min=0)  # 1 − x⁴, 1 − y⁴
        weight = window / g.sum(1).clamp_(min=1)
        shift = torch.einsum("bphw,bpk->bkhw", g, self.shifts)
        return shift[:, 0] * weight, shift[:, 1] * weight

    def __call__(self, x: Tensor, y: Tensor, pixel: tuple[float, float]) -> tuple[Tensor, Tensor]:
        x, y = x + torch.zeros_like(y), y + torch.zeros_like(x)  # lattices may come
        dx, dy = self.displacement(x, y)
        phase = self.phase[:, :, None, None]
        return x + dx + pixel[0] * phase[:, 0], y + dy + pixel[1] * phase[:, 1]


@dataclass(frozen=True)
class LocalWarp:
    """Random local deformation, as of an expression; the overall place of the face stays.

    points: number of bumps; magnitude: how far each moves its centre, radius: its standard deviation, both in parts
    of the side; at_landmarks: centres are random ones of the landmarks where a face has them, else of `template`,
    points (x, y) in parts of the side, else random points. The whole face shifts by a random half pixel at most as
    well, so that a warp of magnitude 0, an identity, is smoothed by the interpolation just as a real one is and the
    smoothing tells nothing.
    alone: another picture of the person keeps its shape; only a face that is its own partner is warped.
    """

    points: int = 4
    magnitude: float = 0.05
    radius: float = 0.1
    at_landmarks: bool = False
    template: tuple[tuple[float, float], ...] = ()
    alone: bool = False

    def __post_init__(self) -> None:
        if self.points < 1:
            raise ValueError(f"LocalWarp: at least one point is needed, got points={self.points}")
        checks.within(self, "radius", self.radius, 1e-2, 1)
        checks.within(self, "magnitude", self.magnitude, 0, self.radius)  # beyond, the face would fold
        if any(not 0 <= value <= 1 for point in self.template for value in point):
            raise ValueError(f"LocalWarp: template points are parts of the side, from 0 to 1; got {self.template}")

    @property
    def uniforms(self) -> int:
        return 3 * self.points + 2

    def draw(self, u: Tensor, shared: Shared) -> Bumps:
        n = self.points
        place = u[:, : 2 * n].view(-1, n, 2)
        centres = 1.2 * place - 0.6  # the middle 60 % of the side, where faces move
        if self.template:
            known = torch.tensor(self.template, device=u.device).expand(len(u), -1, -1)
            centres = _at_landmarks(centres, place[..., 0], 2 * known - 1)
        if self.at_landmarks and shared.landmarks is not None:
            centres = _at_landmarks(centres, place[..., 0], 2 * shared.landmarks - 1)
        angle = 2 * math.pi * u[:, 2 * n : 3 * n]
        shifts = 2 * self.magnitude * torch.stack((angle.cos(), angle.sin()), -1)
        if self.alone and shared.paired is not None:
            shifts = shifts.masked_fill(shared.paired[:, None, None], 0.0)
        return Bumps(centres, shifts, u[:, -2:] - 0.5, 2 * self.radius)


def _at_landmarks(centres: Tensor, u: Tensor, landmarks: Tensor) -> Tensor:
    """Each centre (B, P, 2) moved to a random landmark of (B, L, 2), unless that is unknown."""
    choice = (u * landmarks.shape[1]).long().clamp_(max=landmarks.shape[1] - 1)
    chosen = landmarks.gather(1, choice[..., None].expand(-1, -1, 2)).float()
    return torch.where(chosen.isnan().any(-1, keepdim=True), centres, chosen)
