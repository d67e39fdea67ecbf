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
    """Directions fitted on a pool; `run`: folder of the run that reads the faces, "" for HoG descriptors.

    Whitened to find faces like examples. For clusters the plain cosine, which sees pose and light first: those are
    what a balanced sample should be balanced over.
    """

    run: str
    directions: Directions

    @classmethod
    def of(cls, pool: Pool, run: str, metric: Metric, seed: int) -> "Space":
        return cls(run, fit(_features(pool, run), metric, seed=seed))

    def vectors(self, pool: Pool) -> Floats:
        """[N, d], of this pool or another whose faces are cut alike."""
        return Directed(_features(pool, self.run), self.directions)[:]


def _features(pool: Pool, run: str) -> Rows:
    return Read(pool, load(run)) if run else Described(pool, np.arange(len(pool)))
