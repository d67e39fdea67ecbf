"""Split-Brain Autoencoder (Zhang, Isola & Efros, CVPR 2017, arXiv 1611.09842).

A picture is split into two halves of its channels. One encoder sees the first and draws the second, another sees the
second and draws the first; neither can copy, so each must understand its half well enough to guess the other. The
feature is both encoders' maps together, each read from its own half.

    channels="colour": the paper's halves, lightness L against a and b of CIE Lab.
    channels="bands": for grey pictures, where colour has nothing to predict (its loss would be 0 from the first step):
        the picture coarsened to squares of `band` pixels against what these lack.
    channels="auto": bands where the set's faces are grey, else colour.

Each half is rendered as a picture in 0…1, so that any encoder reads it; each encoder is a whole one, where the paper
cuts one network in two, so the feature is twice as long as the other methods'. The loss is the mean squared error of
the other half's picture, the paper's regression; the paper's classification of 313 colours did better on objects.
No recipe has the paper's settings: its network is AlexNet, its pictures are those of ImageNet.

Stills are all it needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vultus.methods.drawing import coarse_and_fine, lightness_and_colour, squared
from vultus.nets.decoders import FastDecoder
from vultus.nets.encoders import build_encoder
from vultus.views import Crop, Flip, View

HALVES = {"auto": ("lightness", "colour"), "colour": ("lightness", "colour"), "bands": ("coarse", "fine")}


@dataclass(frozen=True)
class SplitBrainConfig:
    """Settings of the split-brain autoencoder."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model; made twice
    channels: Literal["auto", "colour", "bands"] = "auto"  # L against ab, coarse against fine, or as fits
    band: int = 4  # bands: pixels of the squares of the coarse half
    first: float = 1.0  # weight of drawing the first half, lightness or coarse, from the second
    second: float = 1.0  # weight of drawing the second half from the first
    crop: float = 0.6  # smallest part of the face's area that a view may keep


class SplitEncoder(nn.Module):
    """Two encoders, each for its half: pictures (B, 3, S, S) → both maps in one (B, channels, side, side)."""

    def __init__(self, config: SplitBrainConfig, size: int) -> None:
        super().__init__()
        self.config = config
        self.first, self.second = (build_encoder(config.encoder, size) for _ in range(2))
        self.channels, self.side = 2 * self.first.channels, self.first.side
        self.values = 2 * self.first.values

    def halves(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Both halves as pictures (B, 3, S, S) in 0…1."""
        if self.config.channels == "bands":
            return coarse_and_fine(images, self.config.band)
        return lightness_and_colour(images)

    def forward(self, images: Tensor) -> Tensor:
        first, second = self.halves(images)
        return torch.cat([self.first(first), self.second(second)], 1)

    def summary(self, images: Tensor) -> Tensor:
        """(B, channels): both encoders' summaries."""
        first, second = self.halves(images)
        return torch.cat([self.first.summary(first), self.second.summary(second)], 1)


class SplitBrain(nn.Module):
    """Mean squared error of each half drawn from the other; the feature is both encoders' flattened maps."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: SplitBrainConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.names = HALVES[config.channels]
        self.weights: Mapping[str, float] = dict(zip(self.names, (config.first, config.second), strict=True))
        self.encoder = SplitEncoder(config, size)
        self.draw_first = FastDecoder(self.encoder.second.values, size)
        self.draw_second = FastDecoder(self.encoder.first.values, size)

    def views(self) -> dict[str, View]:
        """`face`: a crop, flipped or not; no colour is changed, for colour is what is learned."""
        return {"face": View(self.size, (Crop(scale=(self.config.crop, 1.0)), Flip(p=0.5)))}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`lightness` and `colour`, or `coarse` and `fine`: how far each half is from what the other half draws."""
        halves = self.encoder.halves(views["face"])
        drawn = self.drawn(*halves)
        errors = [squared(guess, half) for guess, half in zip(drawn, halves, strict=True)]
        return dict(zip(self.names, errors, strict=True))

    def drawn(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The first half as drawn from the second, and the second from the first."""
        return self.draw_first(self.encoder.second(second)), self.draw_second(self.encoder.first(first))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: both flattened maps, the one that read the first half before the other."""
        return {"encoder": self.encoder(images).flatten(1)}

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """Each half beside what is drawn of it from the other; pictures (B, 3, S, S) by name."""
        halves = self.encoder.halves(images)
        pictures = {"original": images}
        for name, half, guess in zip(self.names, halves, self.drawn(*halves), strict=True):
            pictures |= {name: half, f"{name}, drawn from the other": guess}
        return pictures
