"""The formulas of self-distillation: what a teacher hands its student as a distribution over prototypes."""

import math

import torch
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
        q = q / total(q.sum(0)).clamp_min(1e-12)
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
    """exp(H(mean p)) / K, the part of the prototypes that the faces use: 1 all alike, 1/K when all share one."""
    return (-mean_entropy_gap(probabilities)).exp()
