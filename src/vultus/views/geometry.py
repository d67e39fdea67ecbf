"""Where a view looks: crop, flip, affine. All of it composes into one matrix a face.

Points are x, y in −1…1, the outer edges of the picture. A placement maps points of the view to the points of the
picture that they show (the pull-back), so operations listed in the order in which they act on the picture
multiply from left to right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vultus.views import boxes, checks
from vultus.views.stages import Shared, between


@dataclass(frozen=True)
class Placement:
    """matrix: (B, 3, 3), view → picture, homogeneous."""

    matrix: Tensor

    def then(self, after: Placement) -> Placement:
        """This first, `after` on its result."""
        return Placement(self.matrix @ after.matrix)

    def moved(self, by: Tensor) -> Placement:
        """The placement that looks `by` (B, 2) further in the picture."""
        matrix = self.matrix.clone()
        matrix[:, :2, 2] += by
        return Placement(matrix)

    def __call__(self, x: Tensor, y: Tensor, pixel: tuple[float, float]) -> tuple[Tensor, Tensor]:
        """Points (B, S, S), or lattices (1, 1, S) and (1, S, 1), to points (B, S, S)."""
        a, b, c, d, e, f = (self.matrix[:, i, j, None, None] for i in (0, 1) for j in (0, 1, 2))
        return (a * x + c) + b * y, (e * y + f) + d * x


@dataclass(frozen=True)
class Crop:
    """A box of random area and shape, resized to the view (as torchvision's RandomResizedCrop).

    scale: area of the box in parts of the picture's; ratio: width / height in units of the picture's own.
    """

    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    uniforms: ClassVar[int] = boxes.UNIFORMS

    def __post_init__(self) -> None:
        checks.ordered(self, "scale", self.scale, 1e-4, 1)
        checks.ordered(self, "ratio", self.ratio, 1e-2, 1e2)

    def draw(self, u: Tensor, shared: Shared) -> Placement:
        return _look_at(*boxes.random_boxes(u, self.scale, self.ratio))


@dataclass(frozen=True)
class QuadrantCrop:
    """A square crop centred in one of the four quadrants (PCL, the authors' code).

    side: of the crop in parts of the picture's; pair: the views of a step that share a face and differ in `pair`
    show different quadrants of it, each uniformly drawn.
    """

    side: float = 0.4
    pair: Literal[0, 1] = 0
    uniforms: ClassVar[int] = 4

    def __post_init__(self) -> None:
        checks.within(self, "side", self.side, 1e-2, 1)
        if self.pair not in (0, 1):
            raise ValueError(f"QuadrantCrop: pair is 0 or 1, got {self.pair}")

    def draw(self, u: Tensor, shared: Shared) -> Placement:
        deal = u if shared.quadrants is None else shared.quadrants
        quadrant = deal.argsort(1)[:, self.pair]
        centre = 0.25 + 0.5 * torch.stack((quadrant % 2, quadrant // 2), 1)
        return _look_at(centre, torch.full_like(centre, self.side))


@dataclass(frozen=True)
class Flip:
    """Left and right exchanged with probability p."""

    p: float = 0.5
    uniforms: ClassVar[int] = 1

    def __post_init__(self) -> None:
        checks.probability(self, self.p)

    def draw(self, u: Tensor, shared: Shared) -> Placement:
        matrix = torch.eye(3).repeat(len(u), 1, 1)
        matrix[:, 0, 0] = torch.where(u[:, 0] < self.p, -1.0, 1.0)
        return Placement(matrix)


@dataclass(frozen=True)
class Affine:
    """Rotation, shift, zoom and shear about the centre, each uniform (as torchvision's RandomAffine).

    degrees: clockwise; translate: greatest shift in parts of the side, along x and along y; scale: above 1
    enlarges; shear: degrees along x. What lies outside the picture is its mirror image.
    """

    degrees: tuple[float, float] = (-10.0, 10.0)
    translate: float = 0.05
    scale: tuple[float, float] = (0.9, 1.1)
    shear: tuple[float, float] = (0.0, 0.0)
    uniforms: ClassVar[int] = 5

    def __post_init__(self) -> None:
        checks.ordered(self, "degrees", self.degrees, -360, 360)
        checks.within(self, "translate", self.translate, 0, 1)
        checks.ordered(self, "scale", self.scale, 0.1, 10)
        checks.ordered(self, "shear", self.shear, -60, 60)

    def draw(self, u: Tensor, shared: Shared) -> Placement:
        angle = between(u[:, 0], *self.degrees).deg2rad()
        scale, shear = between(u[:, 1], *self.scale), between(u[:, 2], *self.shear).deg2rad().tan()
        cos, sin = angle.cos(), angle.sin()
        # forward: rotation · shear · scale, then the shift
        forward = torch.eye(3).repeat(len(u), 1, 1)
        forward[:, 0, 0], forward[:, 0, 1] = scale * cos, -scale * (sin + cos * shear)
        forward[:, 1, 0], forward[:, 1, 1] = scale * sin, scale * (cos - sin * shear)
        forward[:, :2, 2] = between(u[:, 3:5], -2 * self.translate, 2 * self.translate)
        return Placement(torch.linalg.inv(forward))


def _look_at(centre: Tensor, size: Tensor) -> Placement:
    """The placement that shows the box of `centre` and `size` (B, 2), in parts of the side."""
    matrix = torch.zeros(len(centre), 3, 3)
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, 2, 2] = size[:, 0], size[:, 1], 1
    matrix[:, :2, 2] = 2 * centre - 1
    return Placement(matrix)


def shrinkage(matrix: Tensor) -> Tensor:
    """(B, 2): how far the picture's x and y advance for a unit step in the view: the rows' lengths."""
    return matrix[:, :2, :2].square().sum(2).sqrt()
