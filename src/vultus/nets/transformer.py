"""A transformer whose patches are embedded by a patch dictionary.

Plain transformers learn slowly from few faces; here the tokens already hold what a dictionary sees (`nets/patches.py`),
and the blocks add to them. A fixed embedding of patches also steadies self-supervised training (Chen et al. 2021,
MoCo v3, section 4.3).
"""

import torch
import torch.nn.functional as F
from timm.layers.patch_dropout import PatchDropout
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from vultus.nets.patches import PatchStem


class PatchTransformer(nn.Module):
    """128 atoms pooled to 1/8, a class token, four pre-norm blocks of width 256.

    48 px give 36 tokens, read out as a map of 3×3×256 = 2,304 values (a mean of 2×2 tokens each), as wide as that of
    the convolutional encoders. Places are learned for a grid of `size` pixels and interpolated for smaller pictures.
    drop: part of the tokens that a training step leaves out; the map has no places then, read `tokens`.
    """

    channels = 256
    stride = 16
    prefix = 1  # tokens before the patches
    has_class = True  # the first of them

    def __init__(self, size: int, drop: float = 0.0, depth: int = 4) -> None:
        super().__init__()
        width, side = self.channels, size // 8
        self.stem = PatchStem(width // 2)
        self.scale = nn.BatchNorm2d(width, affine=False)
        self.first = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.places = nn.Parameter(0.02 * torch.randn(1, width, side, side))
        self.drop = PatchDropout(drop, num_prefix_tokens=1)
        self.blocks = nn.Sequential(*(Block(width, num_heads=4, mlp_ratio=2.0, qkv_bias=True) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        """(B, 1 + patches, 256) of normalised pictures (B, 3, S, S): the class token, then the patches row by row."""
        for block in self.blocks:
            # on CPUs the backward pass of torch's fused attention takes half of a step for sequences this short
            block.attn.fused_attn = x.device.type != "cpu"  # type: ignore[union-attr]
        seen = self.scale(F.avg_pool2d(self.stem(x), 2))
        places: Tensor = self.places
        if places.shape[-2:] != seen.shape[-2:]:
            places = F.interpolate(places, size=seen.shape[-2:], mode="bilinear", align_corners=False)
        patches = (seen + places).flatten(2).transpose(1, 2)
        tokens = self.drop(torch.cat([self.first.expand(len(x), -1, -1).to(patches.dtype), patches], 1))
        out: Tensor = self.norm(self.blocks(tokens))
        return out

    def map_of(self, tokens: Tensor) -> Tensor:
        """The map of `tokens`, none of which was dropped."""
        patches = tokens[:, self.prefix :]
        side = round(patches.shape[1] ** 0.5)
        return F.avg_pool2d(patches.transpose(1, 2).reshape(len(patches), self.channels, side, side), 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.map_of(self.tokens(x))
