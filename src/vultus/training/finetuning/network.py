"""The network that is fine-tuned: a method's encoder and a head."""

from copy import deepcopy
from typing import Any, Literal

from torch import Tensor, nn

from vultus.methods.encoder_of import encoder_of
from vultus.nets.heatmaps import HeatmapHead
from vultus.training.finetuning.objectives import Objective

Pool = Literal["map", "mean"]


class Network(nn.Module):
    """Pictures (B, 3, S, S) in 0…1 → what the head gives, raw; a heat-map head reads the map, every other one a vector.

    method: whose encoder is copied.
    """

    def __init__(self, method: nn.Module, objective: Objective, size: int, pool: Pool) -> None:
        super().__init__()
        self.encoder = deepcopy(encoder_of(method)).requires_grad_(True)
        self.pool = pool
        self.head = objective.head(self.encoder, self.width, size)

    @property
    def width(self) -> int:
        """Values that a head of vectors reads."""
        of: Any = self.encoder
        return int(of.values if self.pool == "map" else of.channels)

    def forward(self, images: Tensor) -> Tensor:
        seen: Tensor = self.encoder(images)
        if not isinstance(self.head, HeatmapHead):
            seen = seen.flatten(1) if self.pool == "map" else seen.mean((2, 3))
        out: Tensor = self.head(seen)
        return out
