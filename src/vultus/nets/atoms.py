"""Atoms of face patches (Coates & Ng, ICML 2011): filters learned from unlabelled faces in seconds, without gradients.

Grey patches are contrast-normalised and ZCA-whitened, clustered by spherical k-means into atoms; a place of a face is
described by the atoms' two-sided soft-thresholded responses to the patch around it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CONTRAST = 10.0  # added to a patch's variance (grey values 0…255): keeps flat skin from becoming noise
WHITENING = 0.1  # added to the eigenvalues before their root, for patches of unit contrast
THRESHOLD = 0.5  # of the soft threshold, in units of a whitened patch's response
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Atoms:
    """Contrast-normalised patch p [P] → responses `filters @ p − offset` [K]: whitening is folded in."""

    filters: Tensor  # [K, P]
    offset: Tensor  # [K]


def learn_atoms(
    faces: Tensor, count: int, side: int, *, seed: int = 0, patches: int = 100_000, rounds: int = 15
) -> Atoms:
    """`count` atoms of side × side pixels from grey faces [N, S, S], 0…255; `patches` are drawn at random places.

    Raises ValueError with fewer patches than atoms.
    """
    generator = torch.Generator().manual_seed(seed)
    normal = contrast_normalise(draw_patches(faces, side, patches, generator).float())
    mean, whitening = normal.mean(0), zca(normal)
    centroids = spherical_kmeans((normal - mean) @ whitening, count, rounds, generator)
    filters = centroids @ whitening
    return Atoms(filters, filters @ mean)


def activations(faces: Tensor, filters: Tensor, offset: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Grey faces [B, H, W], 0…255 → [B, 2K, H − P + 1, W − P + 1]: how far each response is over, then under, ±t.

    One matrix product of patches with both signs of the filters, the threshold in its offset: on CPUs a convolution
    with a single input channel and a subtraction into half a tensor are several times slower.
    """
    side = round(filters.shape[1] ** 0.5)
    windows = faces.unfold(1, side, 1).unfold(2, side, 1)  # [B, H′, W′, P, P]
    both = F.linear(
        contrast_normalise(windows.flatten(3)), torch.cat([filters, -filters]), torch.cat([-offset, offset]) - threshold
    )
    return both.relu_().permute(0, 3, 1, 2)  # channels last in memory


def draw_patches(faces: Tensor, side: int, count: int, generator: torch.Generator) -> Tensor:
    """Random patches of faces [N, S, S] → [count, side²]."""
    n, height, width = faces.shape
    which = torch.randint(n, (count, 1, 1), generator=generator)
    top = torch.randint(height - side + 1, (count, 1, 1), generator=generator)
    left = torch.randint(width - side + 1, (count, 1, 1), generator=generator)
    step = torch.arange(side)
    return faces[which, top + step[:, None], left + step[None, :]].reshape(count, -1)


def contrast_normalise(patches: Tensor) -> Tensor:
    """Each patch […, P] of grey values 0…255: less its mean, over the root of its variance + 10."""
    centred = patches - patches.mean(-1, keepdim=True)
    variance = centred.square().sum(-1, keepdim=True) / (patches.shape[-1] - 1)
    return centred.mul_((variance + CONTRAST).rsqrt_())


def zca(patches: Tensor, epsilon: float = WHITENING) -> Tensor:
    """Symmetric whitening matrix [P, P] of patches [N, P]: V (Λ + ε)^−½ Vᵀ of their covariance."""
    values, vectors = torch.linalg.eigh(patches.T.cov())
    scale = (values.clamp(min=0) + epsilon).rsqrt()
    return torch.mm(vectors * scale, vectors.T)


def spherical_kmeans(points: Tensor, atoms: int, rounds: int, generator: torch.Generator) -> Tensor:
    """Unit atoms [K, P] for points [N, P]: each point goes, signed, to the atom of largest |response|.

    An atom that wins no point is drawn anew from the points, so none stays dead.
    Raises ValueError with fewer points than atoms.
    """
    if len(points) < atoms:
        raise ValueError(f"{len(points)} patches cannot make {atoms} atoms: draw more patches or ask for fewer")
    chosen = torch.randperm(len(points), generator=generator)[:atoms]
    centroids = F.normalize(points[chosen])
    for _ in range(rounds):
        sums, wins = torch.zeros_like(centroids), torch.zeros(atoms)
        for part in torch.split(points, 16_384):
            response = part @ centroids.T
            winner = response.abs().argmax(1)
            amount = response.gather(1, winner[:, None])
            sums.index_add_(0, winner, amount * part)
            wins += torch.bincount(winner, minlength=atoms)
        dead = (wins == 0).nonzero()[:, 0]
        fresh = torch.randint(len(points), (len(dead),), generator=generator)
        sums[dead] = points[fresh]
        centroids = F.normalize(sums)
    return centroids
