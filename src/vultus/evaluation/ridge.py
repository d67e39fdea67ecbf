"""Ridge regression in closed form, several outputs at once, for a whole path of penalties."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve as solve_linear

Floats = NDArray[np.float32]


def path(features: Floats, targets: NDArray[np.floating], alphas: Sequence[float]) -> Iterator[Floats]:
    """Weights float32 [D, T] for each alpha: argmin ‖XW − Y‖² + alpha ‖W‖², scikit-learn's objective.

    features [N, D] and targets [N, T] are centred already (no intercept). The Gram matrix is formed once, of
    the smaller side, in float64: the small penalties would drown in float32's rounding.
    """
    wide = features.shape[1] > len(features)
    gram = _gram(features if not wide else features.T)
    right = targets.astype(np.float64) if wide else features.T.astype(np.float64) @ targets.astype(np.float64)
    for alpha in alphas:
        system = gram.copy()
        system[np.diag_indices_from(system)] += alpha
        found = solve_linear(system, right, assume_a="pos", overwrite_a=True, check_finite=False)
        yield (features.T.astype(np.float64) @ found if wide else found).astype(np.float32)


def _gram(tall: Floats, rows: int = 4096) -> NDArray[np.float64]:
    """XᵀX in float64 without a float64 copy of X."""
    total = np.zeros((tall.shape[1], tall.shape[1]))
    for at in range(0, len(tall), rows):
        part = tall[at : at + rows].astype(np.float64)
        total += part.T @ part
    return total
