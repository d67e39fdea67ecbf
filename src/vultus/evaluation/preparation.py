"""What happens to features before a read-out, fitted on training faces only: standardisation, and PCA if asked."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

Floats = NDArray[np.float32]
_kept: dict[Any, "PCA"] = {}  # one fit: a tenth of a second to recognise what takes several seconds to fit


@dataclass(frozen=True)
class Preparation:
    """Fitted: (features − mean) / scale, then the projection on `axes` [D, d] where there are some.

    `constant` values of the feature do not vary over the training faces and become 0.
    """

    mean: Floats
    scale: Floats
    axes: Floats | None
    constant: int

    @property
    def width(self) -> int:
        """Values that are left of a face's."""
        return len(self.mean) if self.axes is None else self.axes.shape[1]

    def __call__(self, features: Floats) -> Floats:
        """[N, D] → float32 [N, D or d]. Raises ValueError for values that are not finite."""
        out = np.subtract(features, self.mean, dtype=np.float32)
        out *= self.scale
        require_finite(out)
        return out if self.axes is None else out @ self.axes


def prepare(
    train: Floats, pca: int | None = None, *, whiten: float = 0.0, standardise: bool = True, seed: int = 0
) -> Preparation:
    """Fit on training features [N, D].

    pca: dimension kept at most, None for all: N faces have no more than N − 1 components, nor D values more than D.
    whiten: principal components over their standard deviations to this power; 1: at unit variance. standardise:
    False leaves values their variances, as principal components have them, and only centres them.
    Raises ValueError for features that are not finite, and where no component can be fitted.
    """
    require_finite(train)
    mean = train.mean(axis=0, dtype=np.float64)
    std = train.std(axis=0, dtype=np.float64)
    still = _still(mean, std)
    scale = np.where(still, 0.0, 1 / np.where(still | (not standardise), 1.0, std)).astype(np.float32)
    plain = Preparation(mean.astype(np.float32), scale, None, int(still.sum()))
    if pca is None:
        return plain
    most = min(len(train) - 1, train.shape[1])
    if min(pca, most) < 1:
        raise ValueError(f"pca={pca} asked of {len(train)} training faces: expected 1 or more, of two faces or more")
    fitted = _components(plain(train), min(pca, most), seed)
    axes = fitted.components_.T
    if whiten:
        variance = fitted.explained_variance_
        axes = axes / np.maximum(variance, 1e-6 * variance.max() + 1e-30) ** (whiten / 2)
    return Preparation(plain.mean, scale, axes.astype(np.float32), plain.constant)


def _components(train: Floats, pca: int, seed: int) -> "PCA":
    """Fitted on standardised features [N, D]. The last fit is kept: tasks of one set ask for the same in turn."""
    key = (hashlib.blake2b(np.ascontiguousarray(train).data).digest(), train.shape, pca, seed)
    if key not in _kept:
        from sklearn.decomposition import PCA  # seconds to load

        _kept.clear()
        _kept[key] = PCA(pca, random_state=seed).fit(train)
    return _kept[key]


def require_varying(features: Floats) -> None:
    """Raise ValueError where every value of features [N, D] is the same for all faces."""
    if _still(features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)).all():
        raise ValueError(
            f"the {features.shape[1]} values of the feature are the same for all {len(features)} faces: nothing to "
            "compare them by; the encoder has collapsed"
        )


def _still(mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values vary no more than float32 rounds a constant."""
    still: NDArray[np.bool_] = std <= 1e-5 * np.abs(mean) + 1e-12
    return still


def require_finite(features: NDArray[np.floating]) -> None:
    """Raise ValueError with counts where features [N, D] hold NaN or infinite values."""
    good = np.isfinite(features)
    if not good.all():
        faces = int((~good.all(axis=1)).sum())
        raise ValueError(
            f"{int((~good).sum())} values in {faces} of {len(features)} faces are NaN or infinite: "
            "the encoder has diverged, or its cache was written by one that had"
        )
