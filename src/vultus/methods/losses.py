"""The formulas the methods share: pure functions, computed in float32 whatever the autocast.

Each docstring is the slow loop; the tests compute that loop and compare.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vultus.nets.collective import gather, rank, total


def in_float32(formula: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Run a formula outside autocast on float32 copies: exponentials of similarities need the digits."""

    @wraps(formula)
    def wrapped(*args: Any, **kwargs: Any) -> Tensor:
        device = next(a.device.type for a in args if isinstance(a, Tensor))
        cast = [a.float() if isinstance(a, Tensor) and a.is_floating_point() else a for a in args]
        with torch.autocast(device, enabled=False):
            return formula(*cast, **kwargs)

    return wrapped


@in_float32
def info_nce(a: Tensor, b: Tensor, temperature: float, mix: float = 0.0) -> Tensor:
    """InfoNCE over the 2N views of N faces, symmetric (SimCLR eq. 1; PCL's l_f, averaged over views).

        for each view i with its partner j:
            loss += −log( exp(sim(i, j)/τ) / Σ_{z ≠ i} exp(sim(i, z)/τ) )
        return loss / 2N

    a, b: (n, D), row k of both shows face k. With `mix` > 0 every negative is replaced by a convex mix
    λ·z + (1 − λ)·z′ of two other faces' views, λ ~ Beta(mix, mix), as in PCL's code; mixes are not
    normalised again, so harder ones score no higher than their parents.
    The faces of all processes serve as negatives.
    """
    n = a.shape[0]
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    mine = torch.cat([a, b])  # (2n, D)
    every_a, every_b = gather(a), gather(b)
    keys = torch.cat([every_a, every_b])  # (2N, D)
    faces = torch.arange(every_a.shape[0], device=a.device).repeat(2)
    own = torch.arange(n, device=a.device).repeat(2) + rank() * n
    positive = (a * b).sum(1).repeat(2) / temperature  # (2n,)
    same = own[:, None] == faces[None, :]
    if mix > 0:
        partner = torch.randperm(len(keys), device=a.device)
        weight = _beta(mix, (len(keys), 1), a)
        keys = weight * keys + (1 - weight) * keys[partner]
        same = same | (own[:, None] == faces[partner][None, :])
    negatives = (mine @ keys.T / temperature).masked_fill(same, float("-inf"))  # (2n, 2N)
    return (torch.cat([positive[:, None], negatives], 1).logsumexp(1) - positive).mean()


@in_float32
def nce(anchor: Tensor, positive: Tensor, negatives: Tensor, temperature: float, *, closed: bool = True) -> Tensor:
    """One positive against listed negatives: PCL's l_p against flipped faces, MoCo's eq. 1 against a queue.

        for each face i:
            s = exp(sim(anchor[i], positive[i])/τ)
            loss += −log( s / ( Σ_m exp(sim(anchor[i], negatives[i][m])/τ) + s if closed ) )
        return loss / N

    anchor, positive: (N, D); negatives: (N, M, D), each face's own, or (M, D), shared by all.
    `closed` puts the positive into the denominator, as MoCo and PCL's code do and PCL's paper does not.
    """
    anchor, positive = F.normalize(anchor, dim=1), F.normalize(positive, dim=1)
    negatives = F.normalize(negatives, dim=-1)
    equation = "nd,nmd->nm" if negatives.ndim == 3 else "nd,md->nm"
    far = torch.einsum(equation, anchor, negatives) / temperature
    near = (anchor * positive).sum(1, keepdim=True) / temperature
    return ((torch.cat([near, far], 1) if closed else far).logsumexp(1) - near[:, 0]).mean()


@in_float32
def mix_rows(rows: Tensor, alpha: float) -> Tensor:
    """Every row replaced by λ·row + (1 − λ)·another row, λ ~ Beta(alpha, alpha); alpha 0 leaves them.

    rows: (M, D), or (N, M, D), where partners come from the same face's M.
    """
    if alpha == 0 or rows.shape[-2] < 2:
        return rows
    partner = torch.randperm(rows.shape[-2], device=rows.device)
    weight = _beta(alpha, (*rows.shape[:-1], 1), rows)
    return weight * rows + (1 - weight) * rows.index_select(-2, partner)


def _beta(alpha: float, shape: tuple[int, ...], like: Tensor) -> Tensor:
    a = torch.full(shape, alpha, device=like.device)
    return torch.distributions.Beta(a, a).sample()


@in_float32
def l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of two batches of pictures of the same shape."""
    return (prediction - target).abs().mean()


@in_float32
def orthogonality_dot(face: Tensor, pose: Tensor) -> Tensor:
    """PCL's L_orth as the paper states it: the mean over faces of ⟨F_f, F_p⟩², on unit vectors.

    face, pose: (N, …), flattened. Unit vectors, because the raw product vanishes by shrinking either.
    """
    face, pose = F.normalize(face.flatten(1), dim=1), F.normalize(pose.flatten(1), dim=1)
    return (face * pose).sum(1).square().mean()


@in_float32
def orthogonality_correlation(face: Tensor, pose: Tensor) -> Tensor:
    """L_orth as PCL's code has it: the mean squared entry of the cross-correlation F_fᵀ F_p.

        centre both over the batch; divide each row by its own norm, detached
        return Σ_kl ( Σ_i face[i, k] · pose[i, l] )² / D²

    face, pose: (N, …), flattened to D values. The D×D matrix is never made:
    ‖FᵀP‖² = Σ_ij (F Fᵀ)_ij (P Pᵀ)_ij needs two N×N Gram matrices. Faces of all processes count.
    """
    grams = []
    for x in (face.flatten(1), pose.flatten(1)):
        count = total(x.new_tensor(float(len(x))))
        x = x - total(x.sum(0)) / count
        x = gather(x / x.detach().norm(dim=1, keepdim=True).clamp_min(1e-6))
        grams.append(x @ x.T)
    return (grams[0] * grams[1]).sum() / (face[0].numel() * pose[0].numel())


@in_float32
def cross_nce(query: Tensor, keys: Tensor, temperature: float, extra: Tensor | None = None) -> Tensor:
    """InfoNCE of queries against the keys of all faces, the own one positive (MoCo v3, algorithm 1, without its 2τ).

        for each face i:
            s = exp(sim(query[i], keys[i])/τ)
            loss += −log( s / ( Σ_j exp(sim(query[i], keys[j])/τ) + Σ_m exp(sim(query[i], extra[i][m])/τ) ) )
        return loss / N

    query, keys: (n, D), keys without gradient; the keys of all processes count. extra: (n, M, D), each face's own
    further negatives.
    """
    query = F.normalize(query, dim=1)
    logits = query @ gather(F.normalize(keys, dim=1)).T / temperature
    if extra is not None:
        own = torch.einsum("nd,nmd->nm", query, F.normalize(extra, dim=-1)) / temperature
        logits = torch.cat([logits, own], 1)
    return F.cross_entropy(logits, torch.arange(len(query), device=query.device) + rank() * len(query))


@in_float32
def regression(prediction: Tensor, target: Tensor) -> Tensor:
    """BYOL (Grill et al. 2020, eq. 2): the squared distance of unit vectors, mean over faces of 2 − 2 cos."""
    return (2 - 2 * F.cosine_similarity(prediction, target, dim=1)).mean()


@in_float32
def away_from_warped(
    prediction: Tensor, target: Tensor, warped: Tensor, form: str, margin: float, temperature: float
) -> Tensor:
    """ContraWarping's negative: a face's prediction p keeps away from z⁻, the target of the face locally warped.

    With s⁺ = cos(p, z⁺) and s⁻ = cos(p, z⁻), mean over faces of
        hinge      max(0, s⁻ − margin)
        triplet    max(0, s⁻ − s⁺ + margin)
        logistic   log(1 + exp((s⁻ − s⁺)/τ))
        infonce    −log exp(s⁺/τ) / ( Σ_j exp(cos(p, z_j⁺)/τ) + exp(s⁻/τ) ), z_j⁺ of every face
    prediction, target, warped: (N, D). The paper states the negative, not the form.
    """
    if form == "infonce":
        return cross_nce(prediction, target, temperature, warped[:, None])
    near = F.cosine_similarity(prediction, target, dim=1)
    far = F.cosine_similarity(prediction, warped, dim=1)
    match form:
        case "hinge":
            return (far - margin).clamp(min=0).mean()
        case "triplet":
            return (far - near + margin).clamp(min=0).mean()
        case "logistic":
            return F.softplus((far - near) / temperature).mean()
    raise ValueError(f"no form {form!r}: there are hinge, triplet, logistic, infonce")
