"""Encoders by name: a picture → a feature map.

`patches`, `small`, `attentive` (PCL's own) and the transformer `vit` stand in this folder; every other name is a timm
model, convolutional or transformer, made without weights from anywhere.
"""

from typing import Any, Literal

import timm
import torch
from torch import Tensor, nn

from vultus.nets.attentive import AttentiveEncoder
from vultus.nets.patches import PatchEncoder
from vultus.nets.small import SmallEncoder
from vultus.nets.transformer import PatchTransformer

CONVOLUTIONAL: dict[str, type[PatchEncoder] | type[SmallEncoder] | type[AttentiveEncoder]] = {
    "patches": PatchEncoder,
    "small": SmallEncoder,
    "attentive": AttentiveEncoder,
}
OWN = {**CONVOLUTIONAL, "vit": PatchTransformer}


class Encoder(nn.Module):
    """A backbone with its input normalisation: (B, 3, S, S) in 0…1 → map (B, channels, side, side)."""

    def __init__(self, backbone: nn.Module, channels: int, side: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.channels = channels
        self.side = side

    @property
    def values(self) -> int:
        """Length of the flattened map."""
        return self.channels * self.side**2

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.backbone((images - 0.5) / 0.25)
        return out

    def summary(self, images: Tensor, token: Literal["class", "mean"] = "class") -> Tensor:
        """(B, channels), of pictures of any size the backbone takes: class token, or mean of the patches' tokens.

        Without a class token the mean over the map. Works while patches are dropped, too.
        """
        if self._has_class_token():
            tokens: Tensor = self.backbone.tokens((images - 0.5) / 0.25)  # type: ignore[operator]
            return tokens[:, 0] if token == "class" else tokens[:, int(self.backbone.prefix) :].mean(1)  # type: ignore[arg-type]
        out: Tensor = self(images)
        return out.mean((2, 3))

    def read(self, images: Tensor) -> dict[str, Tensor]:
        """All that can be read out, in one pass: `map` flattened, `mean` over its places, `class` token if any."""
        if not self._has_class_token():
            out: Tensor = self(images)
            return {"map": out.flatten(1), "mean": out.mean((2, 3))}
        tokens: Tensor = self.backbone.tokens((images - 0.5) / 0.25)  # type: ignore[operator]
        out = self.backbone.map_of(tokens)  # type: ignore[operator]
        return {"map": out.flatten(1), "mean": out.mean((2, 3)), "class": tokens[:, 0]}

    def _has_class_token(self) -> bool:
        return getattr(self.backbone, "prefix", 0) > 0


class TimmBackbone(nn.Module):
    """Any timm model as a map: tokens and channels-last maps are put into (B, C, h, w).

    drop: part of the patches that a transformer leaves out while it trains; its map has no places then, read `tokens`.
    """

    def __init__(self, name: str, size: int, drop: float = 0.0) -> None:
        super().__init__()
        self.model = _timm_model(name, size, {"patch_drop_rate": drop} if drop else {})
        self.channels = int(self.model.num_features)  # type: ignore[arg-type]
        self.prefix = int(getattr(self.model, "num_prefix_tokens", 0))

    def tokens(self, x: Tensor) -> Tensor:
        """(B, prefix + patches, C) of a transformer, else a map."""
        out: Tensor = self.model.forward_features(x)  # type: ignore[operator]
        return out

    def map_of(self, tokens: Tensor) -> Tensor:
        """(B, C, h, w) of what `tokens` gave."""
        if tokens.ndim == 3:
            patches = tokens[:, self.prefix :]
            side = round(patches.shape[1] ** 0.5)
            return patches.transpose(1, 2).reshape(len(patches), self.channels, side, side)
        return tokens if tokens.shape[1] == self.channels else tokens.permute(0, 3, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.map_of(self.tokens(x))


def _timm_model(name: str, size: int, arguments: dict[str, Any]) -> nn.Module:
    """A model that takes `size` and, where it can, other sizes too."""
    sizes: tuple[dict[str, Any], ...] = ({"img_size": size, "dynamic_img_size": True}, {"img_size": size}, {})
    for sized in sizes:
        try:
            model: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **arguments, **sized)
            return model
        except TypeError as refused:  # convolutional models take any size and refuse the arguments
            error = refused
    raise ValueError(f"encoder {name!r} does not take {', '.join(arguments)}: {error}")


def build_encoder(name: str, size: int, drop: float = 0.0) -> Encoder:
    """The encoder `name` for pictures of `size` pixels a side; drop: see TimmBackbone.

    Raises ValueError when neither vultus nor timm knows the name, when the size does not fit, and when patches are to
    be dropped that the encoder does not have.
    """
    if name in OWN:
        return _own_encoder(name, size, drop)
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.split('_')[0]}*")[:5]
        raise ValueError(
            f"no encoder {name!r}: choose {', '.join(OWN)} or a timm model"
            + (f" such as {', '.join(near)}" if near else " (timm.list_models() names them)")
        )
    backbone = TimmBackbone(name, size, drop)
    with torch.no_grad():
        shape = backbone.eval()(torch.zeros(1, 3, size, size)).shape
    return Encoder(backbone.train(), shape[1], shape[2])


def _own_encoder(name: str, size: int, drop: float) -> Encoder:
    stride, channels = OWN[name].stride, OWN[name].channels
    if drop and name in CONVOLUTIONAL:
        raise ValueError(f"encoder {name!r} has no patches to drop: choose vit or another transformer, or drop 0")
    if size % stride:
        raise ValueError(
            f"encoder {name!r} takes sizes that are multiples of {stride}, got {size}: "
            f"use {max(round(size / stride), 1) * stride}"
        )
    backbone = CONVOLUTIONAL[name]() if name in CONVOLUTIONAL else PatchTransformer(size, drop)
    return Encoder(backbone, channels, size // stride)
