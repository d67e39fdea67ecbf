"""Several maps of an encoder read as one feature: what its first layer, its middle and its end make of a face.

The last map holds what training was after; the earlier ones still know what it has thrown away. On real faces both
together read expression, identity and action units better than the last map at the same number of principal values
(benchmarks/LEDGER.md).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.faces.atomic import sha256_of
from vultus.methods.model import FaceModel, Images
from vultus.nets.patches import PatchEncoder

STAGES = "stages"
DICTIONARY_SIDE = 4  # places of the first stage, as the baseline of a patch dictionary has them
MOST_SIDE = 6  # of the others: a map with more places is pooled to so many a side


class Staged:
    """A FaceModel whose one feature, `stages`, is every stage of its encoder: dictionary, middle, end.

    Of the encoder `patches` at 48 px 256 values at each of 4×4, 6×6 and 3×3 places, 15,616. Their scales differ:
    standardise, or whiten, before comparing by cosine. Raises ValueError for an encoder without stages.
    """

    def __init__(self, model: FaceModel) -> None:
        if not has_stages(model):
            raise ValueError(f"{model.name} has no feature 'stages': it needs the encoder patches")
        self.model, self.name, self.size = model, model.name, model.size
        self.sha256 = sha256_of(f"{model.sha256} {STAGES} {DICTIONARY_SIDE} {MOST_SIDE}".encode())
        self.feature_names: tuple[str, ...] = (STAGES,)
        self.default_feature = STAGES

    def features(self, images: Images) -> Mapping[str, Tensor]:
        """`stages`, float32 (B, D); images as the model's own `features` takes them."""
        with _recorded(self.model.method) as maps:
            self.model.features(images)
        return {STAGES: torch.cat([_places(m.float(), first) for first, m in maps], 1).cpu()}

    def embed(self, images: Images) -> Tensor:
        """The feature, float32 (B, D)."""
        return self.features(images)[STAGES]


def has_stages(model: object) -> bool:
    """Whether it is a model with an encoder whose stages can be read."""
    return isinstance(model, FaceModel) and bool(_encoders(model.method))


def _encoders(method: nn.Module) -> list[PatchEncoder]:
    return [module for module in method.modules() if isinstance(module, PatchEncoder)]


def _places(stage: Tensor, first: bool) -> Tensor:
    """A map (B, C, H, W), pooled to the places that are read of it, flattened."""
    return F.adaptive_avg_pool2d(stage, DICTIONARY_SIDE if first else min(MOST_SIDE, stage.shape[-1])).flatten(1)


@contextmanager
def _recorded(method: nn.Module) -> Iterator[list[tuple[bool, Tensor]]]:
    """The maps that patch encoders make meanwhile, and whether each is the first; of momentum copies only what runs."""
    maps: list[tuple[bool, Tensor]] = []

    def keep(first: bool, module: nn.Module, given: object, made: Tensor) -> None:
        maps.append((first, made))

    hooks = [
        stage.register_forward_hook(partial(keep, place == 0))
        for encoder in _encoders(method)
        for place, stage in enumerate(encoder.stages)
    ]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
