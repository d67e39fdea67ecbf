"""Weighted nearest neighbours by cosine: a read-out that learns nothing (Wu et al. 2018).

It rewards copies: a test face that also stands in the training part, exactly or nearly, is found and its label
copied. On FER2013, where a fifth of the test faces have such a twin, HoG reads 59.7 % this way, 51.4 % on the
faces without one, and 45.2 % by logistic regression. Compare kNN figures with kNN figures only.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

NEIGHBOURS = (5, 20, 80)  # candidates, chosen on validation faces
TEMPERATURE = 0.07
CHUNK = 512  # test faces compared at once

Floats = NDArray[np.float32]


def votes(train: Floats, targets: NDArray[np.floating], test: Floats, ks: tuple[int, ...]) -> dict[int, Floats]:
    """For each k the mean [M, T] of the targets [N, T] of the k training faces nearest to each test face.

    Weights are exp(cosine / 0.07). One-hot targets give class votes, angles give angles. k is capped at N.
    """
    cosine, nearest = closest(train, test, min(max(ks), len(train)))
    weights = np.exp((cosine - 1) / TEMPERATURE)
    out = {}
    for k in ks:
        top = weights[:, :k] / weights[:, :k].sum(axis=1, keepdims=True)
        out[k] = np.einsum("mk,mkt->mt", top, targets[nearest[:, :k]]).astype(np.float32)
    return out


def closest(train: Floats, test: Floats, k: int) -> tuple[Floats, NDArray[np.int64]]:
    """Cosines [M, k], falling, and rows [M, k] of the k training faces nearest to each test face; zeros are at 0."""
    unit, asked = (normalize(torch.from_numpy(np.ascontiguousarray(v, np.float32))) for v in (train, test))
    found = [(part @ unit.T).topk(k) for part in torch.split(asked, CHUNK)]
    cosine, rows = (torch.cat([one[i] for one in found]).numpy() for i in (0, 1))
    return cosine, rows
