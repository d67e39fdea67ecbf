"""Candidates as unit vectors: what says how alike they are, for retrieval and for clusters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.curate.pool import Pool
from vultus.curate.suspects import Described
from vultus.methods.model import FaceModel, load
from vultus.search.directions import Directed, Directions, Floats, Metric, Rows, fit

CHUNK = 256  # faces that a model reads at once


@dataclass(frozen=True, eq=False)
class Read:
    """The faces of a pool as a model's default feature [N, D], computed when asked for."""

    pool: Pool
    model: FaceModel

    def __len__(self) -> int:
        return len(self.pool)

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> Floats:
        wanted = np.arange(len(self.pool))[rows]
        parts = [
            self.model.embed(self.pool.images(wanted[at : at + CHUNK], self.model.size)).cpu().numpy()
            for at in range(0, len(wanted), CHUNK)
        ]
        return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Space:
    """Directions fitted on a pool; `model` reads the faces, None for HoG descriptors.

    Whitened to find faces like examples. For clusters the plain cosine, which sees pose and light first: those are
    what a balanced sample should be balanced over.
    """

    model: FaceModel | None
    directions: Directions

    @classmethod
    def of(cls, pool: Pool, run: str, metric: Metric, seed: int) -> "Space":
        """run: folder of the run whose model reads the faces; "" for none."""
        model = load(run) if run else None
        return cls(model, fit(_features(pool, model), metric, seed=seed))

    def vectors(self, pool: Pool) -> Floats:
        """[N, d], of this pool or another whose faces are cut alike."""
        return Directed(_features(pool, self.model), self.directions)[:]


def _features(pool: Pool, model: FaceModel | None) -> Rows:
    return Read(pool, model) if model else Described(pool, np.arange(len(pool)))
