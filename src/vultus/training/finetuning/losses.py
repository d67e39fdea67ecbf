"""The formulas of fine-tuning; what is unknown (NaN) teaches nothing.

Labels are soft: shares of classes, or chances of yes, as mix-up, label smoothing and annotators' votes make them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.methods.losses import in_float32
from vultus.nets.heatmaps import planted, soft_argmax


@in_float32
def class_loss(logits: Tensor, soft: Tensor) -> Tensor:
    """Mean over faces of −Σ_k q_k log p_k, p = softmax(logits); logits, soft q: (B, C)."""
    return -(soft * logits.log_softmax(1)).sum(1).mean()


@in_float32
def pairs_loss(logits: Tensor, soft: Tensor) -> Tensor:
    """Mean over known answers of −(1 − q) log p_no − q log p_yes, p = softmax over the pair.

    logits: (B, K, 2), no before yes; soft q: (B, K) chance of yes.
    """
    log = logits.log_softmax(2)
    known = soft.isfinite()
    q = torch.where(known, soft, 0.0)
    each = -((1 - q) * log[..., 0] + q * log[..., 1])
    return (each * known).sum() / known.sum().clamp(min=1)


@in_float32
def binary_loss(logits: Tensor, soft: Tensor) -> Tensor:
    """Mean over known answers of −q log σ(l) − (1 − q) log σ(−l); logits l, soft q: (B, K)."""
    known = soft.isfinite()
    each = F.binary_cross_entropy_with_logits(logits, torch.where(known, soft, 0.0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


@in_float32
def coordinates_loss(heat: Tensor, points: Tensor) -> Tensor:
    """Mean L1 distance, in cells of the heat maps, of soft-argmax(heat) from the known points.

    heat: (B, P, h, h); points: (B, P, 2) in parts of the side.
    """
    known = points.isfinite().all(2, keepdim=True)
    off = (soft_argmax(heat) - torch.where(known, points, 0.5)).abs() * heat.shape[-1]
    return (off * known).sum() / (2 * known.sum()).clamp(min=1)


@in_float32
def heatmap_loss(heat: Tensor, points: Tensor) -> Tensor:
    """Mean over known points of KL(g ‖ softmax(heat)), g a Gaussian of one cell at the point.

    It keeps the mass together, where coordinates alone would be content with any mass of the right mean
    (Nibali et al. 2018, section 3.3). heat: (B, P, h, h); points: (B, P, 2) in parts of the side.
    """
    known = points.isfinite().all(2)
    wanted = planted(torch.where(known[..., None], points, 0.5), heat.shape[-1]).flatten(2)
    each = (torch.xlogy(wanted, wanted) - wanted * heat.flatten(2).log_softmax(2)).sum(2)
    return (each * known).sum() / known.sum().clamp(min=1)
