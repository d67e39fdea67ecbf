"""Encoders by name: a picture → a feature map.

`patches`, `small` and `attentive` (PCL's own) stand in this folder; `vit` is a small transformer for small faces; every
other name is a timm model, convolutional or transformer, made without weights from anywhere.
"""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from vultus.nets.attentive import AttentiveEncoder
from vultus.nets.patches import PatchEncoder
from vultus.nets.small import SmallEncoder

OWN: dict[str, type[PatchEncoder] | type[SmallEncoder] | type[AttentiveEncoder]] = {
    "patches": PatchEncoder,
    "small": SmallEncoder,
    "attentive": AttentiveEncoder,
}
SHORT = {"vit": ("vit_tiny_patch16_224", {"patch_size": 8, "depth": 6})}  # patches of 8 px: 48 px give 36 of 192 values


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

    def summary(self, images: Tensor) -> Tensor:
        """(B, channels), of pictures of any size the backbone takes: class token, else the mean over the map."""
        if isinstance(self.backbone, TimmBackbone) and self.backbone.prefix > 0:
            return self.backbone.tokens((images - 0.5) / 0.25)[:, 0]
        out: Tensor = self(images)
        return out.mean((2, 3))

    def read(self, images: Tensor) -> dict[str, Tensor]:
        """All that can be read out, in one pass: `map` flattened, `mean` over its places, `class` token if any."""
        x = (images - 0.5) / 0.25
        if isinstance(self.backbone, TimmBackbone) and self.backbone.prefix > 0:
            tokens = self.backbone.tokens(x)
            patches = tokens[:, self.backbone.prefix :]
            # channel first, as a convolutional map is flattened
            return {"map": patches.transpose(1, 2).flatten(1), "mean": patches.mean(1), "class": tokens[:, 0]}
        out: Tensor = self.backbone(x)
        return {"map": out.flatten(1), "mean": out.mean((2, 3))}


class TimmBackbone(nn.Module):
    """Any timm model as a map: tokens and channels-last maps are put into (B, C, h, w).

    drop: part of the patches that a transformer leaves out while it trains; its map has no places then, read `tokens`.
    """

    def __init__(self, name: str, size: int, drop: float = 0.0) -> None:
        super().__init__()
        name, arguments = SHORT.get(name, (name, {}))
        self.model = _timm_model(name, size, {**arguments, **({"patch_drop_rate": drop} if drop else {})})
        self.channels = int(self.model.num_features)  # type: ignore[arg-type]
        self.prefix = int(getattr(self.model, "num_prefix_tokens", 0))

    def tokens(self, x: Tensor) -> Tensor:
        """(B, prefix + patches, C) of a transformer."""
        out: Tensor = self.model.forward_features(x)  # type: ignore[operator]
        return out

    def forward(self, x: Tensor) -> Tensor:
        out = self.tokens(x)
        if out.ndim == 3:
            patches = out[:, self.prefix :]
            side = round(patches.shape[1] ** 0.5)
            return patches.transpose(1, 2).reshape(len(out), -1, side, side)
        return out if out.shape[1] == self.channels else out.permute(0, 3, 1, 2)


def _timm_model(name: str, size: int, arguments: dict[str, Any]) -> nn.Module:
    """A model that takes `size` and, where it can, other sizes too."""
    plain: dict[str, Any] = {"pretrained": False, "num_classes": 0, **arguments}
    sizes: tuple[dict[str, Any], ...] = ({"img_size": size, "dynamic_img_size": True}, {"img_size": size}, {})
    for sized in sizes:
        try:
            model: nn.Module = timm.create_model(name, **plain, **sized)
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
    if name not in SHORT and not timm.is_model(name):
        near = timm.list_models(f"*{name.split('_')[0]}*")[:5]
        raise ValueError(
            f"no encoder {name!r}: choose {', '.join((*OWN, *SHORT))} or a timm model"
            + (f" such as {', '.join(near)}" if near else " (timm.list_models() names them)")
        )
    backbone = TimmBackbone(name, size, drop)
    with torch.no_grad():
        shape = backbone.eval()(torch.zeros(1, 3, size, size)).shape
    return Encoder(backbone.train(), shape[1], shape[2])


def _own_encoder(name: str, size: int, drop: float) -> Encoder:
    if drop:
        raise ValueError(f"encoder {name!r} has no patches to drop: choose vit or another transformer, or drop 0")
    stride = OWN[name].stride
    if size % stride:
        raise ValueError(
            f"encoder {name!r} takes sizes that are multiples of {stride}, got {size}: "
            f"use {max(round(size / stride), 1) * stride}"
        )
    return Encoder(OWN[name](), OWN[name].channels, size // stride)
