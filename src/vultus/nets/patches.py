"""An encoder that begins as a patch dictionary and learns from there.

Its first layer is not trained but read off unlabelled faces before the first step (`nets/atoms.py`); the blocks behind
it add to a plain pooling of it. So its first feature already holds that of a dictionary, and a run of minutes is spent
on what a dictionary lacks. No gradient enters the costly full-resolution maps.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.nets.atoms import LUMINANCE, activations, learn_atoms

SIDE = 6  # of a patch, pixels
CHUNK = 8  # pictures whose responses stay in a CPU's cache


class PatchStem(nn.Module):
    """Normalised pictures (B, 3, S, S) → pooled responses of `atoms` atoms (B, 2·atoms, S/4, S/4), without gradient.

    Before `learn` the atoms are random directions: an untrained layer like any other.
    """

    filters: Tensor
    offset: Tensor

    def __init__(self, atoms: int) -> None:
        super().__init__()
        self.register_buffer("filters", torch.randn(atoms, SIDE**2) / SIDE)
        self.register_buffer("offset", torch.zeros(atoms))

    def learn(self, images: Tensor) -> None:
        """Take the atoms of unlabelled faces uint8 (N, 3, S, S); the same faces give the same atoms."""
        found = learn_atoms(_grey(images.float()), len(self.filters), SIDE)
        self.filters.copy_(found.filters)
        self.offset.copy_(found.offset)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # bf16 has too few digits for the contrast of a patch
            # 0.25 and 0.5 undo the encoder's normalisation: contrast is measured in grey values 0…255
            grey = F.pad(_grey((x.float() * 0.25 + 0.5) * 255)[:, None], (3, 2, 3, 2), mode="replicate")[:, 0]
        chunk = CHUNK if x.device.type == "cpu" else len(x)
        parts = [F.avg_pool2d(activations(part, self.filters, self.offset), 4) for part in torch.split(grey, chunk)]
        return torch.cat(parts).contiguous(memory_format=torch.channels_last)


def _grey(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) → luminance (B, H, W)."""
    return torch.einsum("bchw,c->bhw", pictures, pictures.new_tensor(LUMINANCE))


class PoolingBlock(nn.Module):
    """Halves a map: average pooling (He et al. 2019, shortcut D) and a residual of two 3×3 convolutions.

    The residual starts at full strength: begun at nothing (Goyal et al. 2017) it stayed small in runs of minutes, see
    docs/decisions.md. There is no activation after the sum.
    """

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, middle, 3, 2, 1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + F.avg_pool2d(x, 2)
        return out


class ResidualBlock(nn.Module):
    """Adds two 3×3 convolutions to a map, activations before them (He et al. 2016); the residual starts at 0.3."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        nn.init.constant_(last.weight, 0.3)
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, middle, 3, 1, 1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, channels, 3, 1, 1, bias=False),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


class PatchEncoder(nn.Sequential):
    """128 atoms pooled to 1/4, then blocks to 1/16: 48 px give 3×3×256 = 2,304 values, 64 px 4×4×256 = 4,096."""

    channels = 256
    stride = 16

    def __init__(self) -> None:
        super().__init__(
            PatchStem(self.channels // 2),
            nn.BatchNorm2d(self.channels, affine=False),  # nothing to train here: no gradient comes this far
            PoolingBlock(self.channels, 128),
            ResidualBlock(self.channels, 128),
            ResidualBlock(self.channels, 128),
            PoolingBlock(self.channels, 128),
            ResidualBlock(self.channels, 128),
        )

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The layers whose maps are worth reading: the dictionary's responses, the middle, the end."""
        return self[1], self[4], self[6]


def patch_stems(model: nn.Module) -> list[PatchStem]:
    """Every patch stem of `model`."""
    return [module for module in model.modules() if isinstance(module, PatchStem)]


def learn_patches(model: nn.Module, images: Tensor) -> bool:
    """Let every patch stem of `model` learn its atoms from faces uint8 (N, 3, S, S); whether there is one.

    The same faces give the same atoms, so that a stem learns and others of its kind, as of a momentum copy, take over.
    """
    stems = patch_stems(model)
    taught: dict[torch.Size, PatchStem] = {}
    for stem in stems:
        kind = stem.filters.shape
        if kind in taught:
            stem.load_state_dict(taught[kind].state_dict())
        else:
            stem.learn(images)
            taught[kind] = stem
    return bool(stems)
