"""What the methods that draw faces share: their pairs of views and their formulas, in float32 whatever the autocast.

Each docstring of a formula is the slow loop; the tests compute that loop and compare.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.methods.losses import in_float32
from vultus.nets.collective import total
from vultus.views import Affine, Jitter, LocalWarp, View

WHITE = (0.95047, 1.0, 1.08883)  # X, Y, Z of daylight D65
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
AB = 64.0  # of Lab's a and b, what becomes half the range of a picture; skin and lips stay below it


def pair(size: int, turn: float, local: float, jitter: float, always: bool = False) -> dict[str, View]:
    """Views `source` and `target` for methods that learn from two frames of a person.

    Both are mild: whole faces, turned by up to `turn` degrees, shifted and zoomed a little. The target is the face's
    partner, recoloured by up to `jitter`. Where a set knows no other picture of the person, some parts of the target
    are moved by `local` of the side, for nothing else would tell the two expressions apart; always: of another picture
    too.
    """
    whole = Affine((-turn, turn))
    changed = (Jitter(jitter, jitter, 0.0, 0.0, p=0.8),)
    return {
        "source": View(size, (whole,)),
        "target": View(size, (whole, LocalWarp(magnitude=local, alone=not always)), changed, partner=True),
    }


@in_float32
def total_variation(fields: Tensor) -> Tensor:
    """How steep fields (B, C, H, W) are, in units a point: for a flow, how much it stretches and shears.

        for each channel and each pair of neighbours along x: sum_x += |difference|, likewise y
        return ( sum_x / pairs along x · W/2 ) + ( sum_y / pairs along y · H/2 )

    W/2 and H/2 pixels are a point: so it does not depend on the size of the pictures.
    """
    x, y = (fields.diff(dim=axis).abs().mean() * (fields.shape[axis] / 2) for axis in (3, 2))
    return x + y


@in_float32
def magnitude(flow: Tensor) -> Tensor:
    """Mean of |flow| over faces, coordinates and pixels, in points."""
    return flow.abs().mean()


@in_float32
def squared(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two tensors of the same shape."""
    return (prediction - target).square().mean()


@in_float32
def asymmetry(images: Tensor) -> Tensor:
    """Mean absolute difference of pictures (B, C, H, W) and their mirror images."""
    return (images - images.flip(-1)).abs().mean()


@in_float32
def blend(flows: Tensor, scores: Tensor) -> Tensor:
    """One flow of K: at each pixel Σ_k softmax_k(scores) · flow_k. flows: (B, K, 2, H, W); scores: (B, K, H, W)."""
    return torch.einsum("bkchw,bkhw->bchw", flows, scores.softmax(1))


@in_float32
def batch_mean(rows: Tensor) -> Tensor:
    """Mean (1, …) of rows (B, …) over the faces of all processes."""
    count = total(rows.new_tensor(float(len(rows))))
    return total(rows.sum(0, keepdim=True)) / count


@in_float32
def bias(flows: Tensor) -> Tensor:
    """Mean square, over coordinates and pixels, of what the flows (B, 2, H, W) of the batch have in common.

    mean = Σ_i flows[i] / B, over the faces of all processes
    return Σ mean² / (2·H·W)
    """
    return batch_mean(flows).square().mean()


@torch.no_grad()
def lab(images: Tensor) -> Tensor:
    """CIE L*a*b* (D65) of sRGB pictures (B, 3, H, W) in 0…1: L in 0…100, a and b about −110…110."""
    with torch.autocast(images.device.type, enabled=False):
        x = images.float()
        linear = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055).clamp_min(0) ** 2.4)
        xyz = torch.einsum("bchw,dc->bdhw", linear, x.new_tensor(TO_XYZ) / x.new_tensor(WHITE)[:, None])
        root = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-6) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
        f, g, h = root.unbind(1)
        return torch.stack([116 * g - 16, 500 * (f - g), 200 * (g - h)], 1)


def lightness_and_colour(images: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, H, W) → L three times and (a, b, a), both as pictures in 0…1, 0.5 where there is no colour.

    Colours stronger than ±64 of a or b are cut; a stands twice, so that the luminance of the second picture, which is
    all that the encoder `patches` sees of it, weighs both about alike.
    """
    light, a, b = lab(images).unbind(1)
    coloured = 0.5 + torch.stack([a, b, a], 1) / (2 * AB)
    return (light / 100)[:, None].expand(-1, 3, -1, -1), coloured.clamp(0, 1)


@torch.no_grad()
def coarse_and_fine(images: Tensor, pixels: int) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, S, S) → means of squares of so many `pixels`, enlarged, and what they lack (0.5: nothing).

    Both as pictures in 0…1; a residual beyond ±0.5 is cut.
    """
    with torch.autocast(images.device.type, enabled=False):
        x = images.float()
        coarse = F.interpolate(F.avg_pool2d(x, pixels), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return coarse, (x - coarse + 0.5).clamp(0, 1)
