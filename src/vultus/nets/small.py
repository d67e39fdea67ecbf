"""A small residual encoder that two cores can train in minutes."""

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with batch norm and a skip, as in ResNet-18 (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.out = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.body(x) + self.skip(x))
        return out


class SmallEncoder(nn.Sequential):
    """3×3/2 stem, then residual blocks of 32, 64, 128 and 256 channels; strides to 1/16.

    48 px give 3×3×256 = 2,304 values, 64 px give 4×4×256 = 4,096. A third of ResNet-18's layers
    and an eighth of its weights, since at these sizes epochs are worth more than depth.
    """

    channels = 256
    stride = 16

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            ResidualBlock(32, 32, 1),
            ResidualBlock(32, 64, 2),
            ResidualBlock(64, 128, 2),
            ResidualBlock(128, 256, 2),
        )
