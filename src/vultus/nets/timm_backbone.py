"""Models of timm as encoders."""

from typing import Any

import timm
from torch import Tensor, nn

from vultus.nets.encoders import OWN


class TimmBackbone(nn.Module):
    """Any timm model as a map: tokens and channels-last maps are put into (B, C, h, w).

    drop: part of the patches that a transformer leaves out while it trains; its map has no places then, read `tokens`.
    Raises ValueError for a name that timm does not know, and for a model that has no patches to drop.
    """

    def __init__(self, name: str, size: int, drop: float = 0.0) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = timm.list_models(f"*{name.split('_')[0]}*")[:5]
            raise ValueError(
                f"no encoder {name!r}: choose {', '.join(OWN)} or a timm model"
                + (f" such as {', '.join(near)}" if near else " (timm.list_models() names them)")
            )
        self.model = _timm_model(name, size, {"patch_drop_rate": drop} if drop else {})
        self.channels = int(self.model.num_features)  # type: ignore[arg-type]
        self.prefix = int(getattr(self.model, "num_prefix_tokens", 0))
        own = getattr(self.model, "cls_token", None) is not None  # of models that do not say it
        self.has_class = self.prefix > 0 and bool(getattr(self.model, "has_class_token", own))
        patch = getattr(getattr(self.model, "patch_embed", None), "patch_size", 0) or 0
        self.patch = int(patch[0] if isinstance(patch, tuple) else patch)  # its side in pixels; 0: there are none

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
