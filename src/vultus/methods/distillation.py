"""The formulas of self-distillation: what a teacher hands its student as a distribution over prototypes."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.methods.losses import in_float32
from vultus.nets.collective import total


@in_float32
def cross_entropy(target: Tensor, logits: Tensor) -> Tensor:
    """−Σ_k target_k log softmax(logits)_k, mean over faces. target, logits: (B, K)."""
    return -(target * logits.log_softmax(1)).sum(1).mean()


@in_float32
def sharpened(probabilities: Tensor, temperature: float) -> Tensor:
    """Each row p ← p^(1/T) / Σ p^(1/T) (MSN, Assran et al. 2022, sect. 3). probabilities: (B, K)."""
    return (probabilities.clamp_min(1e-12).log() / temperature).softmax(1)


@in_float32
def sinkhorn(probabilities: Tensor, rounds: int) -> Tensor:
    """Rows made to use every prototype equally (Sinkhorn-Knopp, as in SwAV): (B, K), rows sum to 1.

    repeat `rounds` times:
        divide each column by its sum over the faces of all processes
        divide each row by its sum
    """
    q = probabilities
    for _ in range(rounds):
        q = q / total(q.sum(0)).clamp_min(torch.finfo(q.dtype).tiny)  # a prototype that few are like is lifted, too
        q = q / q.sum(1, keepdim=True)
    return q


@in_float32
def mean_entropy_gap(probabilities: Tensor) -> Tensor:
    """log K − H(mean over faces of p): 0 where all prototypes are used alike, log K where all faces share one.

    Minimising it is MSN's mean-entropy maximisation. probabilities: (B, K); faces of all processes count.
    """
    count = total(probabilities.new_tensor(float(len(probabilities))))
    mean = total(probabilities.sum(0)) / count
    return math.log(probabilities.shape[1]) + (mean * mean.clamp_min(1e-12).log()).sum()


@torch.no_grad()
def sharpness(probabilities: Tensor) -> Tensor:
    """1 − the mean entropy of a face's own distribution in units of log K: 0 uniform, 1 one prototype each."""
    p = probabilities.float()
    return 1 + (p * p.clamp_min(1e-12).log()).sum(1).mean() / math.log(p.shape[1])


@torch.no_grad()
def prototypes_used(probabilities: Tensor) -> Tensor:
    """How many prototypes the faces use, exp(H(mean p)), of those that N faces could: 0 one, 1 min(K, N) or more."""
    most = total(probabilities.new_tensor(float(len(probabilities)))).clamp(max=probabilities.shape[1])
    in_use = (-mean_entropy_gap(probabilities)).exp() * probabilities.shape[1]
    return ((in_use - 1) / (most - 1).clamp_min(1)).clamp(0, 1)


@torch.no_grad()
def projection_std(projections: Tensor) -> Tensor:
    """√D × mean deviation of L2-normalised projections (B, D): 1 spread over the sphere, 0 a point (SimSiam, 2021)."""
    unit = F.normalize(projections.float(), dim=1)
    count = total(unit.new_tensor(float(len(unit))))
    mean = total(unit.sum(0)) / count
    variance = total((unit - mean).square().sum(0)) / count
    return variance.sqrt().mean() * math.sqrt(projections.shape[1])


def signs(described: Tensor) -> dict[str, Tensor]:
    """What tells both kinds of collapse by the teacher's descriptions (B, K): `prototypes_used` and `sharpness`."""
    return {"prototypes_used": prototypes_used(described), "sharpness": sharpness(described)}
