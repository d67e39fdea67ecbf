"""Face sets one after the other, as far as their pictures go."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.faces.faceset import FaceSet


class Chain:
    """The faces of several sets, rows in that order; what their labels come to is a subclass's affair."""

    def __init__(self, parts: Sequence[FaceSet]) -> None:
        self.parts = tuple(parts)
        self.starts = np.cumsum([0, *map(len, self.parts)])  # [parts + 1]: the first row of each, and the end

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def names(self) -> NDArray[np.str_]:
        """[N] str; two sets may use the same name."""
        return np.concatenate([part.names for part in self.parts])

    @property
    def boxes(self) -> NDArray[np.float32]:
        """[N, 4] left, top, right, bottom of the faces in parts of their pictures."""
        return np.concatenate([part.boxes for part in self.parts])

    def image_bytes(self, index: int) -> bytes:
        """The picture's bytes, as its source had them."""
        part = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self.parts[part].image_bytes(index - int(self.starts[part]))

    def images(self, indices: Sequence[int] | NDArray[Any], size: int) -> NDArray[np.uint8]:
        """As FaceSet's: uint8 RGB [B, 3, size, size]."""
        rows = np.asarray(indices)
        out = np.empty((len(rows), 3, size, size), np.uint8)
        owner = np.searchsorted(self.starts, rows, side="right") - 1
        for number, part in enumerate(self.parts):
            mine = owner == number
            out[mine] = part.images(rows[mine] - self.starts[number], size)
        return out
