"""Encoders by name: a picture → a feature map.

`patches`, `small` and `attentive` (PCL's own) stand in this folder; every other name is a timm model, convolutional
or transformer, made without weights from anywhere.
"""

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


class TimmBackbone(nn.Module):
    """Any timm model as a map: tokens and channels-last maps are put into (B, C, h, w)."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__()
        try:
            self.model = timm.create_model(name, pretrained=False, num_classes=0, img_size=size)
        except TypeError:  # convolutional models take any size and refuse the argument
            self.model = timm.create_model(name, pretrained=False, num_classes=0)
        self.channels = int(self.model.num_features)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.model.forward_features(x)  # type: ignore[operator]
        if out.ndim == 3:
            tokens = out[:, int(self.model.num_prefix_tokens) :]  # type: ignore[arg-type]
            side = round(tokens.shape[1] ** 0.5)
            return tokens.transpose(1, 2).reshape(len(out), -1, side, side)
        return out if out.shape[1] == self.channels else out.permute(0, 3, 1, 2)


def build_encoder(name: str, size: int) -> Encoder:
    """The encoder `name` for pictures of `size` pixels a side.

    Raises ValueError when neither vultus nor timm knows the name, or when the size does not fit.
    """
    if name in OWN:
        backbone: nn.Module = OWN[name]()
        if size % OWN[name].stride:
            raise ValueError(
                f"encoder {name!r} takes sizes that are multiples of {OWN[name].stride}, got {size}: "
                f"use {max(round(size / 16), 1) * 16}"
            )
        return Encoder(backbone, OWN[name].channels, size // OWN[name].stride)
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.split('_')[0]}*")[:5]
        raise ValueError(
            f"no encoder {name!r}: choose {', '.join(OWN)} or a timm model"
            + (f" such as {', '.join(near)}" if near else " (timm.list_models() names them)")
        )
    backbone = TimmBackbone(name, size)
    with torch.no_grad():
        shape = backbone.eval()(torch.zeros(1, 3, size, size)).shape
    return Encoder(backbone.train(), shape[1], shape[2])
