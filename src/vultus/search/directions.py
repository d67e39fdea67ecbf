"""Features as unit vectors, whose inner product says how alike two faces are.

Whitened by default: principal components at unit variance, fitted on the faces that are searched. The cosine of plain
features sees their largest directions, pose and light; whitened ones tell people apart far better (docs/decisions.md).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save
from threadpoolctl import threadpool_limits

from vultus.evaluation.preparation import Preparation, prepare, require_finite, require_varying

Floats = NDArray[np.float32]
Metric = Literal["whitened", "cosine"]

WIDTH = 256  # components kept, if the faces are enough
FACES_A_COMPONENT = 2.5  # fewer, and the last components are noise: on 160 to 640 faces this read identity best
FIT = 20_000  # faces at most that whitening is fitted on


class Rows(Protocol):
    """Values [N, D] that may lie on disk or be computed when asked for; an array is one."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> Floats: ...


@dataclass(frozen=True)
class Directions:
    """Features [N, D] → unit vectors [N, d]; a face of nothing but zeros stays one."""

    whitening: Preparation | None

    def __call__(self, features: NDArray[np.floating]) -> Floats:
        """Raises ValueError for values that are not finite."""
        plain = np.asarray(features, np.float32)
        require_finite(plain)
        out = plain.copy() if self.whitening is None else self.whitening(plain)
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return out

    def to_bytes(self) -> bytes:
        """As safetensors."""
        if self.whitening is None or self.whitening.axes is None:
            return bytes(save({}))
        return bytes(save({name: np.ascontiguousarray(getattr(self.whitening, name)) for name in _PARTS}))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Directions":
        """The way back."""
        parts = load(data)
        return cls(Preparation(parts["mean"], parts["scale"], parts["axes"], constant=0) if parts else None)


_PARTS = ("mean", "scale", "axes")


@dataclass(frozen=True)
class Directed:
    """Features [N, D] seen as unit vectors [N, d], computed when they are asked for."""

    features: Rows
    directions: Directions

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> Floats:
        return self.directions(self.features[rows])


def fit(features: Rows, metric: Metric = "whitened", *, width: int = WIDTH, seed: int = 0) -> Directions:
    """Whitening of at most 20,000 of the features [N, D], drawn by seed; at most `width` components are kept.

    Raises ValueError for features that are not finite, or the same for all faces.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(features))[:FIT])
    learn = np.asarray(features[drawn], np.float32)
    require_finite(learn)
    if len(learn) < 2 or metric == "cosine":
        return Directions(None)
    require_varying(learn)
    kept = max(1, min(width, learn.shape[1], int(len(learn) / FACES_A_COMPONENT)))
    with threadpool_limits(1):  # sums split over threads are rounded otherwise, and directions last as long as an index
        return Directions(prepare(learn, kept, whiten=1.0, seed=seed))
