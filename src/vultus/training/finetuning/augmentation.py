"""Mild changes of a face that leave its label known: crop, flip, colour."""

import torch
from torch import Tensor

from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.objectives import Objective
from vultus.views import Crop, Flip, Jitter, View, draw, render


def mild(config: FinetuneConfig, objective: Objective, size: int) -> View:
    """The view that is learned from: a square crop, for a squeezed face has another pose, then a flip, then colour."""
    geometry: list[Crop | Flip] = []
    if config.crop < 1:
        geometry.append(Crop((config.crop, 1.0), (1.0, 1.0)))
    if config.flip and objective.mirror:
        geometry.append(Flip(0.5))
    colour = (Jitter(config.colour, config.colour, config.colour, hue=0.0, p=0.8),) if config.colour else ()
    return View(size, tuple(geometry), colour)


def augmented(images: Tensor, target: Tensor, view: View, objective: Objective, seed: int) -> tuple[Tensor, Tensor]:
    """Views (B, 3, S, S) in 0…1 of pictures uint8 (B, 3, H, W), and the targets (B, …) of what they show.

    Target and seed live on the CPU.
    """
    # torch's Mersenne twister reads 32 bits of a seed
    drawn = draw(view, len(images), torch.Generator().manual_seed(seed & 0xFFFFFFFF))
    return render(images, view, drawn), objective.seen(target, drawn)
