"""The kernel read-out: what a linear probe finds in the space of a radial kernel (Williams & Seeger, NIPS 2001).

A face is described by how near it is to some thousand training faces, k(x, e) = exp(−γ |x − e|²), turned so that the
scalar product of two descriptions is their kernel (Nyström's approximation). No label is needed for that; a linear
probe of the description bends in the feature's own space. It tells what a feature holds, a linear one what it holds
plainly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh

Floats = NDArray[np.float32]

COMPONENTS = 512  # principal components that distances are taken of: in more, all faces are equally far
EXEMPLARS = 4000  # training faces that others are compared with
NARROW = 1.0  # γ in units of one over the median squared distance
SMALLEST = 1e-6  # part of the largest eigenvalue below which a direction is rounding
ROWS = 4096  # compared at once


@dataclass(frozen=True)
class KernelMap:
    """exemplars [M, d], gamma, axes [M, r] and mean [r]; see `kernel_map`."""

    exemplars: Floats
    gamma: float
    axes: Floats
    mean: Floats

    def __call__(self, features: Floats) -> Floats:
        """[N, d] → descriptions [N, r], centred on the training faces."""
        out = np.empty((len(features), self.axes.shape[1]), np.float32)
        for at in range(0, len(features), ROWS):
            near = np.exp(-self.gamma * _squared_distances(features[at : at + ROWS], self.exemplars))
            np.matmul(near, self.axes, out=out[at : at + ROWS])
        return np.subtract(out, self.mean, out=out)


def kernel_map(train: Floats, seed: int = 0, most: int = EXEMPLARS) -> tuple[KernelMap, Floats]:
    """The map, of at most `most` exemplars drawn of the training faces [N, d], and their descriptions [N, r].

    Descriptions are scaled to a mean square of one a value, as standardised features are, so that the same penalties
    suit them.
    """
    rng = np.random.default_rng(seed)
    exemplars = train[np.sort(rng.permutation(len(train))[:most])]
    squared = _squared_distances(exemplars, exemplars)
    gamma = NARROW / max(float(np.median(squared[~np.eye(len(squared), dtype=bool)])), 1e-12)
    values, vectors = eigh(np.exp(-gamma * squared), overwrite_a=True, check_finite=False)
    kept = values > SMALLEST * values[-1]
    axes = vectors[:, kept] * np.sqrt(kept.sum() / values[kept])
    plain = KernelMap(exemplars, gamma, axes.astype(np.float32), np.zeros(int(kept.sum()), np.float32))
    described = plain(train)
    mean = described.mean(axis=0, dtype=np.float64).astype(np.float32)
    return KernelMap(exemplars, gamma, plain.axes, mean), np.subtract(described, mean, out=described)


def _squared_distances(a: Floats, b: Floats) -> Floats:
    """[N, d] and [M, d] → [N, M]."""
    out: Floats = torch.cdist(torch.from_numpy(np.ascontiguousarray(a)), torch.from_numpy(b)).square_().numpy()
    return out
