"""What a learned feature must beat: raw pixels, LBP and HoG, in the shape of a model so that they share its tables."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.feature import local_binary_pattern

from vultus.faces.luminance import luminance

Faces = np.ndarray | torch.Tensor  # uint8 [N, 3, S, S]
Values = NDArray[np.float32]


class Descriptor:
    """The attributes every descriptor shares; its settings are its identity."""

    name: ClassVar[str]

    @property
    def sha256(self) -> str:
        """Hash of the descriptor and its settings: the cache key, as a model's weights hash is."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def default_feature(self) -> str:
        return self.name


@dataclass(frozen=True)
class Pixels(Descriptor):
    """Grey values of the face, each face at zero mean and unit deviation: size² values."""

    name: ClassVar[str] = "pixels"
    size: int = 48
    standardise: bool = True

    def features(self, images: Faces) -> dict[str, Values]:
        flat = grey(images, self.size).reshape(len(images), -1).astype(np.float32)
        flat /= 255
        if self.standardise:
            flat -= flat.mean(1, keepdims=True)
            flat /= flat.std(1, keepdims=True) + 1e-3
        return {self.name: flat}


@dataclass(frozen=True)
class Lbp(Descriptor):
    """Uniform local binary patterns (8 neighbours, radius 1), a histogram of 59 codes a cell; (size / cell)² × 59."""

    name: ClassVar[str] = "lbp"
    size: int = 48
    cell: int = 8

    def features(self, images: Faces) -> dict[str, Values]:
        return {self.name: np.stack([self._histograms(face) for face in grey(images, self.size)])}

    def _histograms(self, face: NDArray[np.uint8]) -> Values:
        codes = local_binary_pattern(  # type: ignore[no-untyped-call]
            face, P=8, R=1, method="nri_uniform"
        ).astype(np.int64)
        cells = self.size // self.cell
        row = np.minimum(np.arange(self.size) // self.cell, cells - 1)
        place = (row[:, None] * cells + row[None, :]) * 59
        counts = np.bincount((place + codes).ravel(), minlength=cells * cells * 59)
        return (counts / self.cell**2).astype(np.float32)


@dataclass(frozen=True)
class Hog(Descriptor):
    """Histograms of oriented gradients: 8-pixel cells, 2 × 2 blocks, 9 orientations; 900 values at 48 pixels."""

    name: ClassVar[str] = "hog"
    size: int = 48
    cell: int = 8

    def features(self, images: Faces) -> dict[str, Values]:
        side, block = (self.size, self.size), (2 * self.cell, 2 * self.cell)
        cell = (self.cell, self.cell)
        descriptor = cv2.HOGDescriptor(side, block, cell, cell, 9)
        found = [np.ravel(descriptor.compute(face)) for face in grey(images, self.size)]
        return {self.name: np.asarray(found, dtype=np.float32)}


def grey(images: Faces, size: int) -> NDArray[np.uint8]:
    """As `luminance`, of arrays and tensors."""
    return luminance(images.numpy() if isinstance(images, torch.Tensor) else images, size)
