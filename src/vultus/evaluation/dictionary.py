"""A dictionary of face patches (Coates & Ng, ICML 2011): the strong baseline that needs half a minute and no labels.

Grey patches are contrast-normalised and ZCA-whitened, clustered by spherical k-means into atoms; a face is the
atoms' two-sided soft-thresholded responses, averaged over a grid: 2 × atoms × grid² values.
It knows texture and its rough place, nothing of geometry beyond the grid.
"""

import hashlib
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from vultus.evaluation.baselines import Descriptor, Faces, Values, grey

CONTRAST = 10.0  # added to a patch's variance (grey values 0…255): keeps flat skin from becoming noise
BATCH = 8  # faces encoded at once: their response maps stay in cache, three times faster than 64
WHITENING = 0.1  # added to the eigenvalues before their root, for patches of unit contrast


class PatchDictionary(Descriptor):
    """Fit on unlabelled training faces, then read like a model.

    atoms: 72 give 2,304 values on a 4 × 4 grid, 400 give 12,800. threshold: of the soft threshold, in units of
    a whitened patch's response.
    """

    name: ClassVar[str] = "dictionary"

    def __init__(
        self,
        atoms: int = 72,
        *,
        size: int = 48,
        patch: int = 6,
        grid: int = 4,
        threshold: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.atoms, self.size, self.patch, self.grid = atoms, size, patch, grid
        self.threshold, self.seed = threshold, seed
        self.mean = torch.empty(0)  # [P] of the contrast-normalised patches
        self.whitening = torch.empty(0)  # [P, P]
        self.centroids = torch.empty(0)  # [K, P], unit length, in the whitened space

    def fit(self, images: Faces, patches: int = 100_000, rounds: int = 15) -> "PatchDictionary":
        """Learn whitening and atoms from faces uint8 [N, 3, S, S]; `patches` are drawn at random places."""
        generator = torch.Generator().manual_seed(self.seed)
        drawn = draw_patches(torch.from_numpy(grey(images, self.size)).float(), self.patch, patches, generator)
        normal = contrast_normalise(drawn)
        self.mean = normal.mean(0)
        self.whitening = zca(normal)
        white = (normal - self.mean) @ self.whitening
        self.centroids = spherical_kmeans(white, self.atoms, rounds, generator)
        return self

    @property
    def sha256(self) -> str:
        """Hash of the fitted dictionary and its settings."""
        digest = hashlib.sha256(repr((self.size, self.patch, self.grid, self.threshold)).encode())
        for part in (self.mean, self.whitening, self.centroids):
            digest.update(part.numpy().tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def features(self, images: Faces) -> dict[str, Values]:
        """{"dictionary": float32 [N, 2·atoms·grid²]}, order (sign, atom, row, column).

        Raises ValueError before `fit`.
        """
        if not len(self.centroids):
            raise ValueError("the dictionary is empty: call fit with training faces before features")
        faces = torch.from_numpy(grey(images, self.size))
        parts = [self._encode(part.float()) for part in torch.split(faces, BATCH)]
        return {self.name: torch.cat(parts).numpy()}

    def _encode(self, faces: Tensor) -> Tensor:
        """Grey 0…255 [B, S, S] → [B, 2·K·G²].

        Contrast normalisation and whitening fold into the filters:
        ⟨d, W((p − m)/s − μ)⟩ = ⟨Wd − mean(Wd), p⟩/s − ⟨Wd, μ⟩.
        """
        side = self.patch
        filters = self.centroids @ self.whitening
        offset = filters @ self.mean
        kernel = (filters - filters.mean(1, keepdim=True)).reshape(-1, 1, side, side)
        picture = faces[:, None]
        centred = picture - picture.mean((2, 3), keepdim=True)  # the variance below loses fewer digits
        mean = F.avg_pool2d(centred, side, 1)
        variance = (F.avg_pool2d(centred.square(), side, 1) - mean.square()).clamp(min=0)
        unbiased = variance * side**2 / (side**2 - 1)
        response = F.conv2d(centred, kernel) / (unbiased + CONTRAST).sqrt() - offset[:, None, None]
        over = F.adaptive_avg_pool2d(response.sub_(self.threshold).relu(), self.grid)
        under = F.adaptive_avg_pool2d(response.add_(2 * self.threshold).neg_().relu_(), self.grid)
        return torch.cat([over, under], dim=1).flatten(1)


def draw_patches(faces: Tensor, side: int, count: int, generator: torch.Generator) -> Tensor:
    """Random patches of faces [N, S, S] → [count, side²]."""
    n, height, width = faces.shape
    which = torch.randint(n, (count, 1, 1), generator=generator)
    top = torch.randint(height - side + 1, (count, 1, 1), generator=generator)
    left = torch.randint(width - side + 1, (count, 1, 1), generator=generator)
    step = torch.arange(side)
    return faces[which, top + step[:, None], left + step[None, :]].reshape(count, -1)


def contrast_normalise(patches: Tensor) -> Tensor:
    """Each patch [P] of grey values 0…255: less its mean, over the root of its variance + 10."""
    centred = patches - patches.mean(1, keepdim=True)
    return centred / (patches.var(1, keepdim=True) + CONTRAST).sqrt()


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
