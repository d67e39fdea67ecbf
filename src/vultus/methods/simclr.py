"""SimCLR (Chen et al. 2020): two augmentations of a face agree, other faces disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.losses import info_nce
from vultus.nets.encoders import build_encoder
from vultus.nets.heads import projector
from vultus.views import View
from vultus.views.presets import simclr


@dataclass(frozen=True)
class SimCLRConfig:
    """Settings of SimCLR."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own) or any timm model
    temperature: float = 0.1  # τ of InfoNCE
    hidden: int = 512  # width of the projector's middle
    projection: int = 128  # width of the space in which views are compared
    crop: float = 0.6  # smallest part of the face's area that a crop may keep
    jitter: float = 0.5  # strength of the recolouring; 1 in the paper for pictures of 224 px, 0.5 for those of 32


class SimCLR(nn.Module):
    """InfoNCE over two random crops of each face; the feature is the encoder's flattened map."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"contrast": 1.0}

    def __init__(self, config: SimCLRConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.encoder = build_encoder(config.encoder, size)
        self.head = projector(self.encoder.values, config.hidden, config.projection)

    def views(self) -> dict[str, View]:
        """Two draws of the same recipe."""
        view = simclr(self.size, crop=self.config.crop, strength=self.config.jitter)
        return {"a": view, "b": view}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`contrast`: InfoNCE."""
        codes = self.head(self.encoder(torch.cat([views["a"], views["b"]])).flatten(1))
        a, b = codes.chunk(2)
        return {"contrast": info_nce(a, b, self.config.temperature)}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the flattened map."""
        return {"encoder": self.encoder(images).flatten(1)}
