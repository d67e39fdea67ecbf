"""Supervised references: the same encoder taught by labels, which bounds what learning without them can reach.

Cross-entropy for classes, ArcFace (CVPR 2019) and SphereFace (CVPR 2017) margins for identities, binary cross-entropy
for action units, regression for head pose, age and other numbers. Faces whose label is unknown teach nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.methods import margins
from vultus.nets.encoders import build_encoder
from vultus.views import View
from vultus.views.presets import simclr

SYMMETRIC = ("expression", "identity", "gender", "ethnicity")  # text labels that a mirror leaves as they are
LabelLoss = Literal["auto", "cross-entropy", "arcface", "sphereface", "multi-label", "regression"]


@dataclass(frozen=True)
class SupervisedConfig:
    """Settings of the supervised references."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    target: str = "expression"  # the label learned: a column of the set, or action_units, head_pose
    loss: LabelLoss = "auto"  # auto: arcface for identity, else what the label's kind asks for
    embedding: int = 256  # width of the layer before the outputs
    margin: float = 0.0  # ArcFace's in radians, SphereFace's factor; 0: 0.5 and 1.7
    scale: float = 30.0  # of the cosines that margins act on
    crop: float = 0.6  # smallest part of the face's area that a crop may keep
    outputs: tuple[str, ...] = ()  # classes or columns; filled in from the set
    centre: tuple[float, ...] = ()  # means of the columns that are regressed; filled in from the set
    spread: tuple[float, ...] = ()  # and their standard deviations


class Supervised(nn.Module):
    """One random crop of each face, an embedding, and the outputs that the label asks for."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"label": 1.0}

    def __init__(self, config: SupervisedConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.encoder = build_encoder(config.encoder, size)
        self.unit = config.loss in ("arcface", "sphereface")
        self.embed = nn.Sequential(
            nn.Linear(self.encoder.values, config.embedding),
            nn.BatchNorm1d(config.embedding),
            # margins are of angles: a rectifier would leave no two faces more than 90° apart
            nn.Identity() if self.unit else nn.ReLU(inplace=True),
        )
        self.outputs = nn.Linear(config.embedding, max(len(config.outputs), 1))  # one: not yet told of a set
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("centre", torch.tensor(config.centre))
        self.register_buffer("spread", torch.tensor(config.spread))

    def views(self) -> dict[str, View]:
        """A crop, of numbers the whole face; flipped where that leaves the label as it is: a pose would turn around."""
        c = self.config
        view = simclr(self.size, crop=c.crop, flip=c.target in SYMMETRIC or c.loss == "multi-label")
        return {"face": view if c.loss != "regression" else View(self.size, (), view.photometry)}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`label`: the loss that the label's kind asks for, over the faces that have it."""
        codes = self.embed(self.encoder(views["face"]).flatten(1))
        return {"label": self.loss(codes, views["label"])}

    def loss(self, codes: Tensor, target: Tensor) -> Tensor:
        """Of embeddings (B, E) and class numbers (B,), −1 for unknown, or values (B, K), NaN for unknown."""
        c = self.config
        match c.loss:
            case "arcface":
                cosines = margins.cosines(codes, self.outputs.weight)
                return margins.class_loss(margins.arcface(cosines, target, c.margin or 0.5) * c.scale, target)
            case "sphereface":
                cosines = margins.cosines(codes, self.outputs.weight)
                return margins.class_loss(margins.sphereface(cosines, target, c.margin or 1.7) * c.scale, target)
            case "multi-label":
                return margins.binary_loss(self.outputs(codes), target)
            case "regression":
                return margins.regression_loss(self.outputs(codes), (target - self.centre) / self.spread)
        return margins.class_loss(self.outputs(codes), target)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the flattened map; `embedding`: the layer before the outputs, of length 1 under a margin."""
        shared = self.encoder(images).flatten(1)
        embedding = self.embed(shared)
        return {"encoder": shared, "embedding": F.normalize(embedding, dim=1) if self.unit else embedding}
