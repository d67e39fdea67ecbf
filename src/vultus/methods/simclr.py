"""SimCLR (Chen et al. 2020): two augmentations of a face agree, other faces disagree.

Otherwise than in the paper: the head is PCL's, Linear – ReLU – Linear – batch norm, and by default the map is not
pooled before it, as the paper's is: pool="mean".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.losses import info_nce
from vultus.nets.encoders import Pool, build_encoder
from vultus.nets.heads import projector
from vultus.views import View
from vultus.views.presets import simclr


@dataclass(frozen=True)
class SimCLRConfig:
    """Settings of SimCLR."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    pool: Pool = "map"  # what the head is given and the feature is: the flattened map, or its mean over the places
    temperature: float = 0.1  # τ of InfoNCE
    hidden: int = 512  # width of the projector's middle
    projection: int = 128  # width of the space in which views are compared
    crop: float = 0.6  # smallest part of the face's area that a crop may keep
    jitter: float = 0.5  # strength of the recolouring; 1 in the paper for pictures of 224 px, 0.5 for those of 32


class SimCLR(nn.Module):
    """InfoNCE over two random crops of each face; the feature is what the head is given."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"contrast": 1.0}

    def __init__(self, config: SimCLRConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.encoder = build_encoder(config.encoder, size)
        self.head = projector(self.encoder.width(config.pool), config.hidden, config.projection)

    def views(self) -> dict[str, View]:
        """Two draws of the same recipe."""
        view = simclr(self.size, crop=self.config.crop, strength=self.config.jitter)
        return {"a": view, "b": view}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`contrast`: InfoNCE."""
        codes = self.head(self.encoder.pooled(torch.cat([views["a"], views["b"]]), self.config.pool))
        a, b = codes.chunk(2)
        return {"contrast": info_nce(a, b, self.config.temperature)}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the flattened map, or its mean."""
        return {"encoder": self.encoder.pooled(images, self.config.pool)}
