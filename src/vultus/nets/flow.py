"""Flow fields: a code → where each point of a picture is taken from, and the taking.

A flow is (B, 2, H, W), x before y, in units of points −1…1 (the outer edges of the picture, as in `views`): what is
drawn at p is what the picture shows at p + flow(p). Zero is the identity. Coordinates are float32 whatever the
autocast: bf16 has too few digits for them.
"""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.nets.decoders import up

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
START = 0.05  # of the usual size: what a last layer's weights begin with, so that a flow begins near the identity


class FieldDecoder(nn.Module):
    """Code (B, D) → fields (B, channels, S, S), near zero at the start.

    Linear to a map of 1/16, two doublings, enlarged from a quarter of the side: fields of faces are smooth, and a
    quarter costs a sixteenth. Raises ValueError for a size that is no multiple of 16.
    """

    WIDTHS = (64, 64, 32)

    def __init__(self, values: int, size: int, channels: int) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"a field decoder takes sizes that are multiples of 16, got {size}")
        self.size, self.channels, self.side = size, channels, size // 16
        self.linear = nn.Linear(values, self.WIDTHS[0] * self.side**2)
        self.ups = nn.Sequential(*(up(a, b) for a, b in zip(self.WIDTHS, self.WIDTHS[1:], strict=False)))
        self.out = quiet(nn.Conv2d(self.WIDTHS[-1], 16, 3, 1, 1))  # the rest is cut off: see nets/decoders.py

    def forward(self, code: Tensor) -> Tensor:
        x = self.linear(code.flatten(1)).unflatten(1, (self.WIDTHS[0], self.side, self.side))
        fields = self.bounded(self.out(self.ups(x))[:, : self.channels].float())
        return F.interpolate(fields, size=(self.size, self.size), mode="bilinear", align_corners=False)

    def bounded(self, fields: Tensor) -> Tensor:
        """What is enlarged: the values between −1 and 1."""
        return fields.tanh()


class FlowDecoder(FieldDecoder):
    """Code (B, D) → a flow of at most `reach`, then `extra` fields in −1…1: (B, 2 + extra, S, S)."""

    def __init__(self, values: int, size: int, *, reach: float = 1.0, extra: int = 0) -> None:
        super().__init__(values, size, 2 + extra)
        self.reach = reach

    def bounded(self, fields: Tensor) -> Tensor:
        fields = fields.tanh()
        return torch.cat([self.reach * fields[:, :2], fields[:, 2:]], 1)


def quiet(layer: Layer) -> Layer:
    """The layer with small weights and no bias: what it gives begins near zero and still passes gradients."""
    with torch.no_grad():
        layer.weight.mul_(START)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def points(flow: Tensor) -> Tensor:
    """The middles of the pixels of (B, 2, H, W), x before y: (1, 2, H, W)."""
    height, width = flow.shape[-2:]
    x = (torch.arange(width, device=flow.device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=flow.device) * 2 + 1) / height - 1
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]


def warp(images: Tensor, flow: Tensor, outside: str = "reflection") -> Tensor:
    """Pictures (B, C, H, W) drawn by a flow (B, 2, H, W), bilinear, float32.

    outside: what lies beyond the edge is its mirror image, as in `views`, or with "border" the nearest pixel.
    """
    with torch.autocast(images.device.type, enabled=False):
        flow = flow.float()
        places = (points(flow) + flow).permute(0, 2, 3, 1)
        return F.grid_sample(images.float(), places, mode="bilinear", padding_mode=outside, align_corners=False)


def inverse(flow: Tensor, rounds: int = 2) -> Tensor:
    """The flow that undoes `flow`: warp(warp(x, flow), inverse(flow)) is x, up to interpolation.

        g = −flow
        repeat: g(p) = −flow(p + g(p))

    The fixed point of a flow that changes by less than a point a point; each round divides the error by its slope.
    """
    back = -flow
    for _ in range(rounds):
        back = -warp(flow, back, "border")
    return back


def monotone(logs: Tensor) -> Tensor:
    """The flow whose points keep their order along every row and column, from fields (B, 2, S, S): the deforming
    autoencoder's integral warp (Shu et al. 2018).

        for each row: x of pixel i = Σ_{j < i} e^logs[j] + e^logs[i]/2, in pixels, the row's middle at 0
        for each column: y likewise

    Steps are positive, so nothing folds over; logs of zero are the identity.
    """
    with torch.autocast(logs.device.type, enabled=False):
        steps = logs.float().exp()
        x, y = (_middles(steps[:, k], axis) for k, axis in ((0, -1), (1, -2)))
        return torch.stack([x, y], 1) - points(logs)


def _middles(steps: Tensor, axis: int) -> Tensor:
    """Middles, in −1…1, of intervals of these lengths in pixels laid side by side, all of them centred on 0."""
    ends = steps.cumsum(axis)
    total = ends.narrow(axis, -1, 1)
    return (ends - steps / 2 - total / 2) * (2 / steps.shape[axis])


def placed(flow: Tensor, change: Tensor) -> Tensor:
    """The flow followed by an affine map, p + flow(p) =: q → q + A q + t.

    change: (B, 2, 3), A beside t; zero leaves the flow.
    """
    with torch.autocast(flow.device.type, enabled=False):
        flow, change = flow.float(), change.float()
        q = points(flow) + flow
        moved = torch.einsum("bij,bjhw->bihw", change[:, :, :2], q) + change[:, :, 2, None, None]
        return flow + moved
