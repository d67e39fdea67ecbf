"""Encoders by name: a picture → a feature map.

`patches`, `small`, `attentive` (PCL's own) and the transformer `vit` stand in this folder; every other name is a timm
model, convolutional or transformer, made without weights from anywhere.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from vultus.nets.attentive import AttentiveEncoder
from vultus.nets.patches import PatchEncoder
from vultus.nets.small import SmallEncoder

CONVOLUTIONAL: dict[str, type[PatchEncoder] | type[SmallEncoder] | type[AttentiveEncoder]] = {
    "patches": PatchEncoder,
    "small": SmallEncoder,
    "attentive": AttentiveEncoder,
}
OWN = (*CONVOLUTIONAL, "vit")
Pool = Literal["map", "mean"]


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

    def width(self, pool: Pool) -> int:
        """Length of what `pooled` gives."""
        return self.values if pool == "map" else self.channels

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.backbone((images - 0.5) / 0.25)
        return out

    def summary(self, images: Tensor, token: Literal["class", "mean"] = "class") -> Tensor:
        """(B, channels), of pictures of any size the backbone takes: class token, or mean of the patches' tokens.

        Without a class token the mean, of a convolution's map over its places. Works while patches are dropped, too.
        """
        if not hasattr(self.backbone, "tokens"):
            out: Tensor = self(images)
            return out.mean((2, 3))
        tokens: Tensor = self.backbone.tokens((images - 0.5) / 0.25)  # type: ignore[operator]
        if tokens.ndim == 4:  # timm's convolutions
            out = self.backbone.map_of(tokens)  # type: ignore[operator]
            return out.mean((2, 3))
        if token == "class" and self.has_class:
            return tokens[:, 0]
        return tokens[:, int(self.backbone.prefix) :].mean(1)  # type: ignore[arg-type]

    def pooled(self, images: Tensor, pool: Pool) -> Tensor:
        """(B, width): the map flattened, or its mean over the places, without a transformer's other tokens."""
        return self(images).flatten(1) if pool == "map" else self.summary(images, "mean")

    def read(self, images: Tensor) -> dict[str, Tensor]:
        """All that can be read out, in one pass: `map` flattened, `mean` over its places, `class` token if any."""
        if not self.has_class:
            out: Tensor = self(images)
            return {"map": out.flatten(1), "mean": out.mean((2, 3))}
        tokens: Tensor = self.backbone.tokens((images - 0.5) / 0.25)  # type: ignore[operator]
        out = self.backbone.map_of(tokens)  # type: ignore[operator]
        return {"map": out.flatten(1), "mean": out.mean((2, 3)), "class": tokens[:, 0]}

    @property
    def has_class(self) -> bool:
        """Whether there is a class token."""
        return bool(getattr(self.backbone, "has_class", False))  # tokens before the patches may all be registers


def build_encoder(name: str, size: int, drop: float = 0.0) -> Encoder:
    """The encoder `name` for pictures of `size` pixels a side; drop: see TimmBackbone.

    Raises ValueError when neither vultus nor timm knows the name, when the size does not fit, and when patches are to
    be dropped that the encoder does not have.
    """
    if name in CONVOLUTIONAL:
        if drop:
            raise ValueError(f"encoder {name!r} has no patches to drop: choose vit or another transformer, or drop 0")
        kind = CONVOLUTIONAL[name]
        return Encoder(kind(), kind.channels, _side(name, size, kind.stride))
    # timm takes seconds to load: only those wait for it who need it
    if name == "vit":
        from vultus.nets.transformer import PatchTransformer

        side = _side(name, size, PatchTransformer.stride)
        return Encoder(PatchTransformer(size, drop), PatchTransformer.channels, side)
    from vultus.nets.timm_backbone import TimmBackbone

    backbone = TimmBackbone(name, size, drop)
    try:
        with torch.no_grad():
            shape = backbone.eval()(torch.zeros(1, 3, size, size)).shape
    except (AssertionError, RuntimeError) as refused:
        stride = backbone.patch
        hint = f"use {max(round(size / stride), 1) * stride}" if stride else "choose another size"
        raise ValueError(f"encoder {name!r} cannot read pictures of {size} px ({refused}): {hint}") from refused
    return Encoder(backbone.train(), shape[1], shape[2])


@torch.no_grad()
def refusal(encoder: Encoder, size: int) -> str:
    """Why `encoder` cannot describe pictures of `size` pixels, which may differ from its own; "" where it can."""
    training = {module: module.training for module in encoder.modules()}
    try:
        encoder.eval().summary(torch.zeros(1, 3, size, size))
    except (AssertionError, RuntimeError) as refused:
        return str(refused)
    finally:
        for module, was in training.items():
            module.training = was
    return ""


def drop_nothing(model: nn.Module) -> None:
    """Let the transformers of `model` see every patch from now on, also while they train."""
    from timm.layers.patch_dropout import PatchDropout

    for module in model.modules():
        if isinstance(module, PatchDropout):
            module.prob = 0.0


def _side(name: str, size: int, stride: int) -> int:
    """Of the map of pictures of `size` pixels."""
    if size % stride:
        raise ValueError(
            f"encoder {name!r} takes sizes that are multiples of {stride}, got {size}: "
            f"use {max(round(size / stride), 1) * stride}"
        )
    return size // stride
