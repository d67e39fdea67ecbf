"""Random boxes of a given area and shape."""

import math

import torch
from torch import Tensor

from vultus.views.stages import between

TRIES = 10  # as torchvision's RandomResizedCrop and RandomErasing
UNIFORMS = 2 * TRIES + 2


def random_boxes(u: Tensor, scale: tuple[float, float], ratio: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Centres and sizes (B, 2), x before y, in parts of the side, from uniform numbers (B, UNIFORMS).

    The area is uniform in `scale`, the logarithm of width / height uniform in log `ratio`; the first of ten tries
    that fits is taken, its place uniform. Where none fits: the largest central box of the nearest allowed ratio.
    """
    area = between(u[:, :TRIES], *scale)
    aspect = torch.exp(between(u[:, TRIES : 2 * TRIES], math.log(ratio[0]), math.log(ratio[1])))
    tries = torch.stack((area * aspect, area / aspect), -1).sqrt()  # (B, TRIES, 2)
    fits = (tries <= 1).all(-1)
    first = fits.int().argmax(1)
    size = tries[torch.arange(len(u)), first]
    place = size / 2 + u[:, -2:] * (1 - size)
    nearest = min(max(1.0, ratio[0]), ratio[1])
    largest = torch.tensor([min(1.0, nearest), min(1.0, 1 / nearest)])
    found = fits.any(1, keepdim=True)
    return torch.where(found, place, torch.tensor(0.5)), torch.where(found, size, largest)
