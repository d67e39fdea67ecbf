"""Decoders: a feature map → a picture in 0…1.

A convolution with one to three output channels is pathological in bf16 backward on CPUs (a third of a
whole training step in one layer), so neither decoder ends in one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side, bilinear, then a 3×3 convolution with batch norm."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


class PaperDecoder(nn.Module):
    """PCL's decoder: linear to 512, six bilinear doublings with 3×3 convolutions and batch norm, tanh.

    The widths are not published. 1×1 → 64×64; other sizes are resampled at the end.
    """

    WIDTHS = (512, 256, 256, 128, 64, 32, 16)

    def __init__(self, values: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.linear = nn.Linear(values, self.WIDTHS[0])
        self.ups = nn.Sequential(*(up(a, b) for a, b in zip(self.WIDTHS, self.WIDTHS[1:], strict=False)))
        self.out = nn.Conv2d(16, 16, 3, 1, 1)  # three channels are kept: see the module's note

    def forward(self, code: Tensor) -> Tensor:
        x = self.out(self.ups(self.linear(code.flatten(1))[:, :, None, None]))[:, :3]
        if x.shape[-1] != self.size:
            x = F.interpolate(x, size=(self.size, self.size), mode="bilinear", align_corners=False)
        return torch.tanh(x) * 0.5 + 0.5


class FastDecoder(nn.Module):
    """Linear to a map of 1/16, three doublings, a pixel shuffle: works at half resolution, ends in 12 channels."""

    WIDTHS = (128, 64, 32, 32)

    def __init__(self, values: int, size: int) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"the fast decoder takes sizes that are multiples of 16, got {size}")
        self.side = size // 16
        self.linear = nn.Linear(values, self.WIDTHS[0] * self.side**2)
        self.ups = nn.Sequential(*(up(a, b) for a, b in zip(self.WIDTHS, self.WIDTHS[1:], strict=False)))
        self.out = nn.Conv2d(self.WIDTHS[-1], 12, 3, 1, 1)

    def forward(self, code: Tensor) -> Tensor:
        x = self.linear(code.flatten(1)).unflatten(1, (self.WIDTHS[0], self.side, self.side))
        x = F.pixel_shuffle(self.out(self.ups(x)), 2)
        return torch.tanh(x) * 0.5 + 0.5


DECODERS = {"paper": PaperDecoder, "fast": FastDecoder}
