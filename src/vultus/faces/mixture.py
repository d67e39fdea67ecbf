"""Several face sets learned from together, each with its weight: real faces and rendered ones, say."""

import hashlib
import json
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.faces.chain import Chain
from vultus.faces.faceset import FaceSet
from vultus.faces.record import TOLD_BY


class Mixture(Chain):
    """Face sets one after the other with the share that each has of what is seen.

    It has every label that one of its sets has; faces of the others do not know it ('' or NaN). The same identity or
    video in two sets is two. weights: [parts], in sum 1.
    """

    def __init__(self, parts: Sequence[FaceSet], weights: Sequence[float]) -> None:
        super().__init__(parts)
        if len(self.parts) < 2 or len(self.parts) != len(weights):
            raise ValueError(f"a mixture has two sets or more and a weight for each, got {len(parts)}, {len(weights)}")
        bad = [weight for weight in weights if not (math.isfinite(weight) and weight > 0)]
        if bad:
            raise ValueError(f"the weights of a mixture are finite numbers above 0, got {bad[0]:g}; leave the set out")
        hashes = [part.content_hash for part in self.parts]
        if len(set(hashes)) < len(hashes):
            raise ValueError("a mixture names the same set twice; name it once, with the sum of the weights")
        whole = math.fsum(weights)
        self.weights = tuple(weight / whole for weight in weights)
        self.columns = tuple(sorted({column for part in self.parts for column in part.columns}))
        self.content_hash = hashlib.sha256(json.dumps([hashes, self.weights]).encode()).hexdigest()
        self.card = SimpleNamespace(name=" + ".join(part.card.name for part in self.parts))

    def labels(self, column: str) -> NDArray[Any]:
        """[N] str ('' = unknown), or float32 [N] or [N, k] (NaN = unknown).

        Raises KeyError for a label that no set has, ValueError for one that is of different kinds.
        """
        known = {number: part.labels(column) for number, part in enumerate(self.parts) if column in part.columns}
        if not known:
            raise KeyError(f"{self.card.name} have no label {column!r}; they have: {', '.join(self.columns) or 'none'}")
        shapes = {(values.dtype.kind == "U", values.shape[1:]) for values in known.values()}
        if len(shapes) > 1:
            kinds = ", ".join(f"{_kind(values)} in {self.parts[number].card.name}" for number, values in known.items())
            raise ValueError(f"label {column!r} cannot be mixed: it is {kinds}")
        if column in TOLD_BY:
            known = {number: _prefixed(values, number) for number, values in known.items()}
        text, width = shapes.pop()
        gaps = {
            number: np.full(len(part), "") if text else np.full((len(part), *width), np.nan, np.float32)
            for number, part in enumerate(self.parts)
        }
        return np.concatenate([(gaps | known)[number] for number in range(len(self.parts))])

    def sample(self, most: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
        """As FaceSet's: at most `most` faces, of each set its share: uint8 RGB [B, 3, size, size]."""
        ends = np.rint(np.cumsum([0.0, *self.weights]) * most).astype(int)
        shares = np.diff(ends).tolist()
        return np.concatenate([p.sample(n, size, seed) for p, n in zip(self.parts, shares, strict=True)])


Faces = FaceSet | Mixture  # what a run learns from


def _prefixed(values: NDArray[Any], number: int) -> NDArray[Any]:
    return np.array([f"{number}/{value}" if value else "" for value in values.tolist()], np.str_)


def _kind(values: NDArray[Any]) -> str:
    if values.dtype.kind == "U":
        return "text"
    return f"{values.shape[1]} numbers" if values.ndim == 2 else "a number"
