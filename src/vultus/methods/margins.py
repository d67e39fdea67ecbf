"""The formulas of learning from labels; a label that is unknown leaves its face, or its column, out."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.faces.record import PRESENT
from vultus.methods.losses import in_float32
from vultus.nets.collective import total, world_size

LIMIT = 1 - 1e-6  # of a cosine: the slope of the arc cosine at ±1 has no end


@in_float32
def cosines(codes: Tensor, classes: Tensor) -> Tensor:
    """cos θ between embeddings (B, E) and class directions (C, E): (B, C)."""
    return F.normalize(codes, dim=1) @ F.normalize(classes, dim=1).T


@in_float32
def arcface(cosines: Tensor, target: Tensor, margin: float) -> Tensor:
    """ArcFace (Deng et al. 2019, eq. 3): cos(θ + m) in place of cos θ for each face's own class.

    cosines: (B, C); target: (B,), −1 for unknown. Beyond θ = π − m, where cos(θ + m) would rise again, the cosine
    falls on as cos θ − m sin m.
    """

    def own(theta: Tensor, cos: Tensor) -> Tensor:
        return torch.where(theta < math.pi - margin, (theta + margin).cos(), cos - margin * math.sin(margin))

    return _with_own(cosines, target, own)


@in_float32
def sphereface(cosines: Tensor, target: Tensor, margin: float) -> Tensor:
    """SphereFace (Liu et al. 2017, eq. 7): ψ(θ) = (−1)ᵏ cos(mθ) − 2k for θ in [kπ/m, (k+1)π/m], own class only.

    cosines: (B, C); target: (B,), −1 for unknown; margin m ≥ 1, need not be whole. Embeddings are of length 1 here, as
    in the later variants of the method, and the caller scales.
    """

    def own(theta: Tensor, _: Tensor) -> Tensor:
        k = (margin * theta / math.pi).floor()
        sign = 1 - 2 * (k % 2)
        return sign * (margin * theta).cos() - 2 * k

    return _with_own(cosines, target, own)


def _with_own(cosines: Tensor, target: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    rows = (target >= 0).nonzero().squeeze(1)
    columns = target[rows]
    chosen = cosines[rows, columns].clamp(-LIMIT, LIMIT)
    return cosines.index_put((rows, columns), change(chosen.acos(), chosen))


@in_float32
def class_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of logits (B, C) over the faces whose class (B,) is not −1; 0 where there is none."""
    each = F.cross_entropy(logits, target, ignore_index=-1, reduction="none")
    return _mean_of_known(each, target >= 0)


@in_float32
def binary_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy of logits (B, K) against target ≥ PRESENT where the target (B, K) is not NaN."""
    each = F.binary_cross_entropy_with_logits(logits, (target >= PRESENT).float(), reduction="none")
    return _mean_of_known(each, target.isfinite())


@in_float32
def regression_loss(values: Tensor, target: Tensor) -> Tensor:
    """Mean Huber loss (quadratic to 1, then linear) of values (B, K) where the target (B, K) is not NaN."""
    known = target.isfinite()
    each = F.smooth_l1_loss(values, torch.where(known, target, values.detach()), reduction="none")
    return _mean_of_known(each, known)


def _mean_of_known(each: Tensor, known: Tensor) -> Tensor:
    """Σ each·known / the number known, such that its mean over the processes is that of all their faces.

    A process may know more labels than another: dividing by its own number would weigh its faces less. Gradients are
    averaged over the processes, hence the factor.
    """
    count = total(known.sum().float()).clamp(min=1)
    return (each * known).sum() * world_size() / count
