"""Stages: what a draw makes of an operation, the parameters of every face and how they act on a batch.

A stage is a frozen dataclass whose tensors have one row a face. Boolean tensors say which faces take part; they
stay on the CPU, so that a GPU is never waited for to learn how many do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

S = TypeVar("S")


@dataclass(frozen=True)
class Shared:
    """What all views of a face have in common, on the CPU; None where there is nothing.

    quadrants: (B, 4) uniform numbers whose order is the order in which the face's quadrants are dealt out.
    landmarks: (B, L, 2) x, y in parts of the side; NaN for unknown points.
    paired: (B,) true where the view shows another picture than the other views do.
    """

    quadrants: Tensor | None = None
    landmarks: Tensor | None = None
    paired: Tensor | None = None


def map_tensors(stage: S, change: Callable[[Tensor], Tensor]) -> S:
    """The stage with every tensor changed."""
    values = {f.name: getattr(stage, f.name) for f in fields(stage)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {k: change(v) for k, v in values.items() if isinstance(v, Tensor)}
    return replace(stage, **changed)  # type: ignore[type-var]


def rows(stage: S, start: int, stop: int) -> S:
    """The stage of faces start … stop − 1."""
    return map_tensors(stage, lambda t: t[start:stop])


def to_device(stage: S, device: torch.device | str) -> S:
    """The stage with its numbers on `device`; the masks stay."""
    return map_tensors(stage, lambda t: t if t.dtype == torch.bool else t.to(device, non_blocking=True))


def on_chosen(images: Tensor, on: Tensor, change: Callable[[Tensor, Tensor | slice], Tensor]) -> Tensor:
    """`change(faces, which)` of the faces that are `on`, in place unless it is all of them."""
    count = int(on.sum())
    if count == 0:
        return images
    if count == len(on):
        return change(images, slice(None))
    which = on.nonzero().squeeze(1).to(images.device, non_blocking=True)
    return images.index_copy_(0, which, change(images.index_select(0, which), which))


def between(u: Tensor, low: float, high: float) -> Tensor:
    """Uniform numbers of 0…1 stretched to low…high."""
    return low + (high - low) * u
