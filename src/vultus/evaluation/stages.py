"""Several maps of an encoder read as one feature: what its first layer, its middle and its end make of a face.

The last map holds what training was after; the earlier ones still know what it has thrown away. On real faces both
together read expression, identity and action units better than the last map at the same number of principal values
(benchmarks/LEDGER.md).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.faces.atomic import sha256_of
from vultus.methods.model import FaceModel, Images
from vultus.nets.patches import PatchEncoder

STAGES = "stages"


class Staged:
    """A FaceModel whose one feature, `stages`, is every stage of its encoder pooled to the last map's places.

    Of the encoder `patches` at 48 px 3 × 2,304 values: dictionary, middle, end. Their sizes differ: whiten, or
    standardise, before comparing by cosine. Raises ValueError for an encoder without stages.
    """

    def __init__(self, model: FaceModel) -> None:
        if not has_stages(model):
            raise ValueError(f"{model.name} has no feature 'stages': it needs the encoder patches")
        self.model, self.name, self.size = model, model.name, model.size
        self.sha256 = sha256_of(f"{model.sha256} {STAGES}".encode())
        self.feature_names: tuple[str, ...] = (STAGES,)
        self.default_feature = STAGES

    def features(self, images: Images) -> Mapping[str, Tensor]:
        """`stages`, float32 (B, D); images as the model's own `features` takes them."""
        with _recorded(self.model.method) as maps:
            self.model.features(images)
        side = min(m.shape[-1] for m in maps)
        pooled = [F.adaptive_avg_pool2d(m.float(), side).flatten(1).cpu() for m in maps]
        return {STAGES: torch.cat(pooled, 1)}

    def embed(self, images: Images) -> Tensor:
        """The feature, float32 (B, D)."""
        return self.features(images)[STAGES]


def has_stages(model: object) -> bool:
    """Whether it is a model with an encoder whose stages can be read."""
    return isinstance(model, FaceModel) and bool(_encoders(model.method))


def _encoders(method: nn.Module) -> list[PatchEncoder]:
    return [module for module in method.modules() if isinstance(module, PatchEncoder)]


@contextmanager
def _recorded(method: nn.Module) -> Iterator[list[Tensor]]:
    """The maps that patch encoders make meanwhile; of copies, as of momentum, only that which runs."""
    maps: list[Tensor] = []
    hooks = [
        stage.register_forward_hook(lambda module, given, made: maps.append(made))
        for encoder in _encoders(method)
        for stage in encoder.stages
    ]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
