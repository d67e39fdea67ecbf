"""One face with the pose of another: what the decoder draws, against the picture that is true.

Errors are L1, the mean absolute difference a pixel and channel of pictures in 0…1. Only beside trivial answers do they
mean something, since background and blur count too:

    D(F_f(A), F_p(B))    the answer asked for
    D(F_f(A), F_p(A))    nothing swapped: where this is as good, F_p moved nothing
    D(F_f(T), F_p(T))    the truth drawn from itself: what the decoder loses, below which no answer comes
    A, B, mean face      pictures given without drawing: the right face, the right pose, neither
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.evaluate import Features
from vultus.evaluation.invariance import directions
from vultus.evaluation.rendered import Triples
from vultus.methods.model import to_batch

BATCH = 128
SWAPPED, UNSWAPPED, ITSELF, FLIPPED = "D(F_f(A), F_p(B))", "D(F_f(A), F_p(A))", "D(F_f(T), F_p(T))", "D(F_f, F_p̂)"


class Swapper(Protocol):
    """A method whose decoder draws a face from a face feature and a pose feature."""

    size: int

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`face` and `pose` among them, (B, D), of pictures (B, 3, S, S) in 0…1."""

    def decode(self, face: Tensor, pose: Tensor) -> Tensor:
        """Pictures (B, 3, S, S)."""


@dataclass(frozen=True)
class Answer:
    """The mean over triples with its 95 % bootstrap interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Swap:
    """What became of `n` triples.

    errors: against the truth; flipped: against the mirrored face, whose pose feature was given; both empty for a method
    without such a decoder. follows_pose: of each feature, the share of triples in which the truth lies nearer to B,
    with whom it shares the pose alone, than to A, with whom it shares all else. 1: the feature holds pose only; 0: pose
    is the least it holds.
    """

    n: int
    errors: tuple[Answer, ...]
    flipped: tuple[Answer, ...]
    follows_pose: tuple[Answer, ...]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Swap":
        """The inverse of dataclasses.asdict."""
        lists = {name: tuple(Answer(**one) for one in values[name]) for name in ("errors", "flipped", "follows_pose")}
        return cls(values["n"], **lists)


def swaps(method: Any) -> TypeGuard[Swapper]:
    """Whether the method can draw a face with another's pose."""
    return hasattr(method, "decode") and getattr(method.config, "reconstruct", True)


def drawn(method: Swapper, triples: Triples) -> dict[str, NDArray[np.float32]]:
    """What the decoder draws for triples, [N, 3, S, S] in 0…1 by name, in float32 arithmetic."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for at in range(0, len(triples.a), BATCH):
        a, b, truth = (to_batch(side[at : at + BATCH], method.size) for side in (triples.a, triples.b, triples.truth))
        with torch.inference_mode():
            own, other, true, mirrored = (method.features(images) for images in (a, b, truth, a.flip(-1)))
            pairs = {
                SWAPPED: (own["face"], other["pose"]),
                UNSWAPPED: (own["face"], own["pose"]),
                ITSELF: (true["face"], true["pose"]),
                FLIPPED: (own["face"], mirrored["pose"]),
            }
            for name, (face, pose) in pairs.items():
                parts.setdefault(name, []).append(method.decode(face, pose).float().numpy())
    return {name: np.concatenate(made) for name, made in parts.items()}


def swap_errors(method: Swapper, triples: Triples, seed: int = 0) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    """`errors` and `flipped` of Swap. Pictures of another side than the method's are resampled."""
    a, b, truth = (to_batch(side, method.size).numpy() for side in (triples.a, triples.b, triples.truth))
    mean = np.concatenate([a, b]).mean(axis=0, dtype=np.float64).astype(np.float32)
    made = drawn(method, triples)
    given = {"A": a, "B": b, "mean face": mean}
    errors = {name: made[name] for name in (SWAPPED, UNSWAPPED, ITSELF)} | given
    mirror = a[..., ::-1]
    flipped = {FLIPPED: made[FLIPPED], UNSWAPPED: made[UNSWAPPED], "A": a, "mean face": mean}
    return (
        tuple(_answer(name, _l1(picture, truth), seed) for name, picture in errors.items()),
        tuple(_answer(name, _l1(picture, mirror), seed) for name, picture in flipped.items()),
    )


def follows_pose(a: Features, b: Features, truth: Features, centre: Features, seed: int = 0) -> tuple[Answer, ...]:
    """Of each feature, how often the truth is nearer to B than to A by cosine; `centre` [1, D] is taken off first.

    a, b, truth: name → [N, D]; equally near counts half.
    """
    found = []
    for name in truth:
        first, other, true = (directions(features[name], centre[name]) for features in (a, b, truth))
        nearer = np.einsum("nd,nd->n", true, other - first)
        found.append(_answer(name, (np.sign(nearer) + 1) / 2, seed))
    return tuple(found)


def _l1(pictures: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """[N]"""
    each: NDArray[np.float64] = np.abs(pictures - truth).mean(axis=(1, 2, 3), dtype=np.float64)
    return each


def _answer(name: str, each: NDArray[np.floating], seed: int) -> Answer:
    low, high = mean_interval(each, seed)
    return Answer(name, float(each.mean()), low, high)
