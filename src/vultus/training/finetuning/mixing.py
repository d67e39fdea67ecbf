"""Mix-up (Zhang et al., ICLR 2018): between two faces, the picture and the label are mixed alike."""

import numpy as np
import torch
from torch import Tensor


def mix(images: Tensor, soft: Tensor, alpha: float, seed: int) -> tuple[Tensor, Tensor]:
    """λ·x + (1 − λ)·x′ and λ·q + (1 − λ)·q′ for each face x and another x′ of the batch, λ ~ Beta(α, α) for each.

    images: (B, 3, S, S); soft labels q: (B, K), NaN where either is unknown.
    """
    rng = np.random.default_rng(seed)
    own = torch.from_numpy(rng.beta(alpha, alpha, len(images)).astype(np.float32)).to(images.device)
    other = torch.from_numpy(rng.permutation(len(images))).to(images.device)
    of_images, of_labels = own[:, None, None, None], own[:, None]
    return (
        of_images * images + (1 - of_images) * images[other],
        of_labels * soft + (1 - of_labels) * soft[other],
    )
