"""A dictionary of face patches (Coates & Ng, ICML 2011): the strong baseline that needs half a minute and no labels.

A face is the soft-thresholded responses of learned atoms (`nets/atoms.py`), averaged over a grid: 2 × atoms × grid²
values. It knows texture and its rough place, nothing of geometry beyond the grid.
"""

import hashlib
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from vultus.evaluation.descriptors import Descriptor, Faces, Values, grey
from vultus.nets.atoms import THRESHOLD, Atoms, activations, learn_atoms

BATCH = 8  # faces encoded at once: their response maps stay in cache, three times faster than 64


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
        threshold: float = THRESHOLD,
        seed: int = 0,
    ) -> None:
        self.atoms, self.size, self.patch, self.grid = atoms, size, patch, grid
        self.threshold, self.seed = threshold, seed
        self.learned: Atoms | None = None

    def fit(self, images: Faces, patches: int = 100_000, rounds: int = 15) -> "PatchDictionary":
        """Learn the atoms from faces uint8 [N, 3, S, S]; `patches` are drawn at random places."""
        faces = torch.from_numpy(grey(images, self.size))
        self.learned = learn_atoms(faces, self.atoms, self.patch, seed=self.seed, patches=patches, rounds=rounds)
        return self

    @property
    def sha256(self) -> str:
        """Hash of the fitted dictionary and its settings."""
        digest = hashlib.sha256(repr((self.size, self.patch, self.grid, self.threshold)).encode())
        if self.learned:
            digest.update(self.learned.filters.numpy().tobytes() + self.learned.offset.numpy().tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def features(self, images: Faces) -> dict[str, Values]:
        """{"dictionary": float32 [N, 2·atoms·grid²]}, order (sign, atom, row, column).

        Raises ValueError before `fit`.
        """
        if self.learned is None:
            raise ValueError("the dictionary is empty: call fit with training faces before features")
        atoms = self.learned
        return {self.name: torch.cat([self._encode(part.float(), atoms) for part in _faces(images, self.size)]).numpy()}

    def _encode(self, faces: Tensor, atoms: Atoms) -> Tensor:
        found = activations(faces, atoms.filters, atoms.offset, self.threshold)
        return F.adaptive_avg_pool2d(found, self.grid).flatten(1)


def _faces(images: Faces, size: int) -> tuple[Tensor, ...]:
    return torch.split(torch.from_numpy(grey(images, size)), BATCH)
