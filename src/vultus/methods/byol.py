"""BYOL (Grill et al. 2020): predict what a moving average of the network says of another view; no negatives.

The paper pools the map before the projector: pool="mean". The default keeps the map, whose places tell where the parts
of a face are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.distillation import projection_std
from vultus.methods.losses import regression
from vultus.nets.encoders import Pool, build_encoder
from vultus.nets.heads import mlp
from vultus.nets.momentum import Momentum
from vultus.views import View
from vultus.views.presets import byol, simclr


@dataclass(frozen=True)
class BYOLConfig:
    """Settings of BYOL."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    pool: Pool = "map"  # what the projector is given and the feature is: the flattened map, or its mean over the places
    hidden: int = 512  # width of the projector's and predictor's middle
    projection: int = 128  # width of the space in which views are predicted
    momentum: float = 0.99  # m of the target at the start; 1 at the end
    asymmetric: bool = False  # the paper's views: one always blurred, the other at times solarised
    crop: float = 0.6  # smallest part of the face's area that a crop may keep


class Branch(nn.Module):
    """Encoder and projector: pictures → feature → projection. The target is a momentum copy of the whole way."""

    def __init__(self, encoder: str, size: int, hidden: int, projection: int, pool: Pool) -> None:
        super().__init__()
        self.pool: Pool = pool
        self.encoder = build_encoder(encoder, size)
        self.projector = mlp(self.encoder.width(pool), hidden, projection)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.projector(self.read(images))
        return out

    def read(self, images: Tensor) -> Tensor:
        """The feature (B, D): the flattened map, or its mean over the places."""
        return self.encoder.pooled(images, self.pool)


class BYOL(nn.Module):
    """The online branch predicts the target branch's projection of the other view, both ways."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"prediction": 1.0, "projection_std": 0.0}

    def __init__(self, config: BYOLConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.online = Branch(config.encoder, size, config.hidden, config.projection, config.pool)
        self.target = Momentum(self.online, config.momentum)
        self.predictor = mlp(config.projection, config.hidden, config.projection)

    def views(self) -> dict[str, View]:
        """Two crops, by one recipe or by the paper's two."""
        c = self.config
        if c.asymmetric:
            return {"a": byol(self.size, c.crop, second=False), "b": byol(self.size, c.crop, second=True)}
        return dict.fromkeys("ab", simclr(self.size, crop=c.crop))

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`prediction`: 2 − 2 cos, summed over both ways (eq. 2 and its mirror image); and a sign of collapse."""
        both = torch.cat([views["a"], views["b"]])
        a, b = self.predictor(self.online(both)).chunk(2)
        of_a, of_b = self.target(both).chunk(2)
        return {"prediction": regression(a, of_b) + regression(b, of_a), "projection_std": projection_std(of_a)}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the online encoder's flattened map, or its mean."""
        return {"encoder": self.online.read(images)}
