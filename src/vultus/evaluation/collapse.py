"""Is a representation collapsing? Two numbers that fall before any accuracy does."""

import numpy as np
from numpy.typing import NDArray


def collapse(features: NDArray[np.floating]) -> tuple[float, float]:
    """(feature std, effective rank) of features [N, D].

    Feature std: mean over dimensions of the deviation of L2-normalised features, times √D; about 1 where they
    fill the sphere evenly, 0 where all faces fall on one point (Chen & He, SimSiam, 2021).
    Effective rank: exp of the entropy of the centred features' singular values over their sum (Roy & Vetterli,
    2007); from 1 (a line, or a point) to min(N − 1, D).
    Raises ValueError for features that are not a finite [N ≥ 2, D].
    """
    if features.ndim != 2 or len(features) < 2 or not np.isfinite(features).all():
        raise ValueError(f"expected finite features [N, D] of two faces or more, got shape {features.shape}")
    wide = features.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = wide / np.maximum(length, np.finfo(np.float64).tiny)
    std = float(unit.std(axis=0).mean() * np.sqrt(wide.shape[1]))
    centred = wide - wide.mean(axis=0)
    if np.abs(centred).max() <= 1e-6 * np.abs(wide).max():  # what is left is rounding, not variety
        return std, 1.0
    values = np.linalg.svd(centred, compute_uv=False)
    share = values / values.sum()
    share = share[share > 0]
    return std, float(np.exp(-(share * np.log(share)).sum()))
