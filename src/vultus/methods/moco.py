"""MoCo (He et al. 2020; v2 and v3 by Chen et al. 2020, 2021): contrast with the keys of a momentum encoder.

v2 remembers the keys of past faces in a queue and takes them for negatives, so their number does not hang on the batch;
v3 goes without a queue, predicts, and takes the keys of the other faces of the batch, both ways. Not here: batch norms
whose keys are shuffled over the devices; of several processes they share their statistics.

Otherwise than in the papers: the projector's middle has a batch norm, where v2's has none; v3's projector has two
layers like v2's, not three; and by default the map is not pooled before it, as theirs is: pool="mean".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vultus.methods.byol import Branch
from vultus.methods.losses import cross_nce, nce
from vultus.nets.collective import gather
from vultus.nets.encoders import Pool
from vultus.nets.heads import mlp
from vultus.nets.memory import Queue
from vultus.nets.momentum import Momentum
from vultus.views import View
from vultus.views.presets import simclr


@dataclass(frozen=True)
class MoCoConfig:
    """Settings of MoCo."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    pool: Pool = "map"  # what the projector is given and the feature is: the flattened map, or its mean over the places
    version: Literal["v2", "v3"] = "v2"  # v2: a queue of negatives; v3: a predictor and the batch
    temperature: float = 0.2  # τ of InfoNCE
    hidden: int = 512  # width of the projector's and predictor's middle
    projection: int = 128  # width of the space in which views are compared
    momentum: float = 0.99  # m of the key encoder at the start
    momentum_end: float = 0.99  # and at the end
    queue: int = 4096  # keys remembered by v2
    crop: float = 0.6  # smallest part of the face's area that a crop may keep


class MoCo(nn.Module):
    """A query of one view finds the key of the other among other faces' keys."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"contrast": 1.0}

    def __init__(self, config: MoCoConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.query = Branch(config.encoder, size, config.hidden, config.projection, config.pool)
        self.key = Momentum(self.query, config.momentum, config.momentum_end)
        if config.version == "v3":
            self.predictor = mlp(config.projection, config.hidden, config.projection)
        else:
            self.queue = Queue(config.queue, config.projection)

    def views(self) -> dict[str, View]:
        """Two draws of one recipe."""
        return dict.fromkeys("ab", simclr(self.size, crop=self.config.crop))

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`contrast`: InfoNCE; v2 one way against the queue, v3 both ways against the batch."""
        if self.config.version == "v3":
            both = torch.cat([views["a"], views["b"]])
            a, b = self.predictor(self.query(both)).chunk(2)
            of_a, of_b = self.key(both).chunk(2)
            tau = self.config.temperature
            return {"contrast": cross_nce(a, of_b, tau) + cross_nce(b, of_a, tau)}
        query, key = self.query(views["a"]), self.key(views["b"])
        loss = nce(query, key, self.queue.rows, self.config.temperature)
        self.queue.push(gather(nn.functional.normalize(key.float(), dim=1)))
        return {"contrast": loss}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the query encoder's flattened map, or its mean."""
        return {"encoder": self.query.read(images)}
