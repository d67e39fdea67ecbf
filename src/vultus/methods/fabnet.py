"""FAb-Net: a facial attribute embedding from video (Wiles, Koepke & Zisserman, BMVC 2018, arXiv 1808.06882).

A source and a target frame of one person are embedded by the same encoder. From both embeddings a decoder makes a flow
field that draws the target out of the source's pixels alone; so the embeddings must say where everything is, pose and
expression, and need not say who it is:

    L = | target − warp(source, flow(e_source, e_target)) |₁

Here both directions are drawn from the same two codes, target from source and source from target: the decoder is cheap
beside the encoder. Not here: the paper's several sources with attention, and its curriculum of ever harder pairs.

Stills: where a set knows no second picture of a person, the target is the same face moved, with some parts displaced
(`local`) and slightly recoloured. Poses and expressions of one person are then never seen together. A second picture
that is known is moved as a whole and recoloured, and keeps its shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.drawing import pair
from vultus.methods.mover import Mover
from vultus.nets.encoders import build_encoder
from vultus.views import View


@dataclass(frozen=True)
class FAbNetConfig:
    """Settings of FAb-Net."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    embedding: int = 256  # width of the embedding that a flow is decoded from
    reach: float = 1.0  # longest flow, in halves of the side
    turn: float = 10.0  # both views are turned by up to so many degrees
    local: float = 0.04  # how far parts of a target that is the face itself are displaced, in parts of the side
    jitter: float = 0.1  # strength of the target's recolouring


class FAbNet(nn.Module):
    """L1 of each frame and what a flow draws of it from the other; the feature is the encoder's flattened map."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"reconstruction": 1.0}

    def __init__(self, config: FAbNetConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.encoder = build_encoder(config.encoder, size)
        self.mover = Mover(self.encoder.values, config.embedding, size, config.reach)

    def views(self) -> dict[str, View]:
        """`source` and `target`."""
        c = self.config
        return pair(self.size, c.turn, c.local, c.jitter)

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`reconstruction`: L1, the mean of both directions."""
        frames = torch.cat([views["source"], views["target"]])
        return {"reconstruction": self.mover.missed(frames, self.mover.code(self.encoder(frames)))}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`, the flattened map, and `embedding`, the narrow code the paper reads."""
        found = self.encoder(images).flatten(1)
        return {"encoder": found, "embedding": self.mover.code(found)}

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """Each face moved to where its mirror image and the next face are; pictures (B, 3, S, S) by name."""
        return self.mover.pictures(images, self.encoder)
