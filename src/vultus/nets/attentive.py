"""The encoder of the PCL paper: convolutions, self-attention, no batch norm."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.1  # LeakyReLU


class SelfAttention(nn.Module):
    """Self-attention over the positions of a map, added with a learned gain that starts at 0 (SAGAN, 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.width = channels // 8
        self.queries = nn.Conv2d(channels, self.width, 1)
        self.keys = nn.Conv2d(channels, self.width, 1)
        self.values = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (m(x).flatten(2).transpose(1, 2) for m in (self.queries, self.keys, self.values))  # (B, HW, ·)
        out = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], scale=1.0)[:, 0]
        return x + self.gain * out.transpose(1, 2).reshape(x.shape)


class PlainResidual(nn.Module):
    """Two 3×3 convolutions and a 1×1 skip without normalisation."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
        )
        self.skip = nn.Conv2d(inputs, outputs, 1, stride)
        self.out = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.body(x) + self.skip(x))
        return out


class AttentiveEncoder(nn.Sequential):
    """PCL's encoder: 7×7/2 stem of 64, attention at 64 and 128 channels, two residual blocks, 1/16 in all.

    64 px give 4×4×128 = 2,048 values. The paper's parts are published, the resolution of each is not:
    here attention stands at 1/4 (64 channels) and 1/8 (128 channels).
    """

    channels = 128
    stride = 16

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 64, 7, 2, 3),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(64, 64, 3, 2, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            SelfAttention(64),
            PlainResidual(64, 128, 2),
            SelfAttention(128),
            PlainResidual(128, 128, 2),
        )
