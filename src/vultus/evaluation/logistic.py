"""Logistic regression solved to convergence: L-BFGS in coordinates where the problem is nearly round.

Multinomial for classes that exclude each other, or one regression for each of several answers. Features of a
network are strongly correlated, so plain L-BFGS needs hundreds of passes over the data. In the eigenbasis of their
covariance the Hessian is close to diagonal; scaling by its root leaves about ten. The optimum is the same: only the
path to it is shorter. Limits: the covariance's eigenbasis is whole where values or faces are at most 4,096, and a
sample's leading part above, where more passes are needed. Classes come first in every product (K × D, K × N): with few
classes that is three times faster than rows first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional as F

# largest entry of the mean loss's gradient, over the penalty and over the feature's own size where these are above 1;
# scikit-learn: 1e-4
TOLERANCE = 3e-5
WHOLE = 4096  # widest feature whose covariance is factored entirely
EXACT = 2_000_000  # entries up to which everything is float64; rounding averages out over more, or float64 ends it
CHUNK = 512  # rows at once, which stay in cache for the forward and the backward product
PASSES = 3000


class Design:
    """Prepared training features float32 [N, D] with the eigenbasis of their covariance, for any labels and C."""

    def __init__(self, features: NDArray[np.float32], exact: bool = False) -> None:
        """exact: in float64 whatever their number."""
        plain = torch.from_numpy(np.ascontiguousarray(features))
        self.features = plain.double() if exact or plain.numel() <= EXACT else plain
        self.vectors, self.values, self.tail = _spectrum(self.features)
        self.sizes = self.features.square().mean(0).sqrt().clamp(min=1)  # [D]: rounding of a gradient grows with them

    @cached_property
    def exact(self) -> "Design":
        """The same in float64; itself where it is."""
        return self if self.features.dtype == torch.float64 else Design(self.features.numpy(), exact=True)

    def precondition(self, weights: Tensor, penalty: Tensor, curvature: float, power: float) -> Tensor:
        """weights [K, D] · H^power, H = curvature · covariance + penalty [K, 1], the Hessian near even odds."""
        rest = (self.tail * curvature + penalty) ** power
        inner = (self.values * curvature + penalty) ** power - rest
        return torch.addmm(rest * weights, (weights @ self.vectors) * inner, self.vectors.T)


@dataclass(frozen=True)
class Logistic:
    """Solved: weights [K, D], bias [K]; `gradient` is the largest entry left, `passes` the cost."""

    weights: Tensor
    bias: Tensor
    gradient: float
    passes: int
    exclusive: bool = True  # one of K classes; else K answers of their own

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """[M, D] → [M, K]; rows sum to one where the classes are exclusive."""
        read = torch.from_numpy(np.ascontiguousarray(features)).to(self.weights.dtype)
        logits = torch.addmm(self.bias, read, self.weights.T)
        return (logits.softmax(1) if self.exclusive else logits.sigmoid()).float().numpy()


def solve(design: Design, labels: NDArray[Any], classes: int, C: float, start: Logistic | None = None) -> Logistic:
    """argmin of Σ cross-entropy + ‖W‖²/(2C), scikit-learn's objective and its C; the bias is free.

    labels: class numbers [N], or each face's probabilities of the classes [N, K].
    With two classes the softmax has a column for each, so its C is half of scikit-learn's sigmoid's.
    `start` warms up from a neighbouring C.
    Raises ArithmeticError when the gradient does not fall below the tolerance: nothing unconverged is returned.
    """
    known = torch.from_numpy(labels)
    truth = (known if known.ndim == 2 else F.one_hot(known, classes)).double().T.contiguous()
    return _minimised(_Objective(design, truth, torch.full((classes, 1), 1 / (C * len(labels))), True), start)


def solve_each(
    design: Design, present: NDArray[np.bool_], C: NDArray[np.float64], start: Logistic | None = None
) -> Logistic:
    """One regression for each column of `present` [N, K], each with its own C [K], all in the same passes.

    argmin of Σ log-loss + ‖w‖²/(2C) a column: scikit-learn's objective with two classes. Raises as `solve`.
    """
    truth = torch.from_numpy(np.ascontiguousarray(present.T)).double()
    penalty = torch.from_numpy(1 / (C * len(present)))[:, None]
    return _minimised(_Objective(design, truth, penalty, False), start)


def _minimised(objective: "_Objective", start: Logistic | None) -> Logistic:
    point = objective.inside(start)
    for _ in range(3):  # rounding can end a line search early; a fresh start forgets the curvature it spoiled
        found = minimize(
            objective,
            point,
            jac=True,
            method="L-BFGS-B",
            callback=objective.stop,
            options={"maxiter": PASSES, "maxfun": PASSES, "maxcor": 20, "ftol": 0.0, "gtol": 0.0},
        )
        point = found.x
        objective(point)
        reached = Logistic(*objective.outside(point), objective.gradient, objective.passes, objective.exclusive)
        if objective.gradient <= TOLERANCE:
            return reached
    exact = objective.design.exact
    if exact is not objective.design:  # what is left is float32's rounding
        return _minimised(_Objective(exact, objective.truth, objective.penalty, objective.exclusive), reached)
    raise ArithmeticError(
        f"logistic regression did not converge: gradient {objective.gradient:.1e} after {objective.passes} passes "
        f"over {tuple(objective.design.features.shape)} features, wanted {TOLERANCE:g}; "
        "read it with pca= or drop the largest values of C"
    )


class _Objective:
    """Mean loss and its gradient in the preconditioned coordinates u, W = H^−½ u, flat float64 as SciPy asks."""

    def __init__(self, design: Design, truth: Tensor, penalty: Tensor, exclusive: bool) -> None:
        self.design, self.truth, self.exclusive = design, truth, exclusive  # truth: [K, N], 0 to 1
        self.penalty = penalty.to(design.features.dtype)  # [K, 1]
        self.classes = len(truth)
        self.curvature = 1 / self.classes if exclusive else 0.25  # of the loss in its logits near even odds
        self.width = design.features.shape[1]
        self.gradient, self.passes = float("inf"), 0

    def inside(self, start: Logistic | None) -> NDArray[np.float64]:
        if start is None:
            return np.zeros(self.classes * (self.width + 1))
        before = start.weights.to(self.design.features.dtype)
        weights = self.design.precondition(before, self.penalty, self.curvature, 0.5)
        return _flat(weights, start.bias.to(before.dtype) * self.curvature**0.5)

    def outside(self, point: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        table = torch.from_numpy(point).to(self.design.features.dtype).reshape(self.classes, self.width + 1)
        weights = self.design.precondition(table[:, :-1], self.penalty, self.curvature, -0.5)
        return weights, table[:, -1] / self.curvature**0.5

    def stop(self, _: NDArray[np.float64]) -> None:
        if self.gradient <= TOLERANCE:
            raise StopIteration

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        rows, truth = torch.split(self.design.features, CHUNK), torch.split(self.truth, CHUNK, dim=1)
        return zip(rows, truth, strict=True)

    def __call__(self, point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = self.outside(point)
        loss, slope, lift = 0.0, torch.zeros_like(weights), torch.zeros_like(bias)
        for rows, truth in self._chunks():
            # logits in float64: a float32 loss is too coarse for the last line searches
            logits = torch.addmm(bias[:, None], weights, rows.T).double()
            if self.exclusive:
                logs = logits.log_softmax(0)
                loss -= float((logs * truth).sum())
                wrong = logs.exp_().sub_(truth).to(weights.dtype)
            else:
                loss += float((F.softplus(logits) - logits * truth).sum())
                wrong = logits.sigmoid_().sub_(truth).to(weights.dtype)
            slope.addmm_(wrong, rows)
            lift += wrong.sum(1)
        n = self.truth.shape[1]
        slope, lift = slope / n + self.penalty * weights, lift / n
        self.passes += 1
        steepness = self.penalty.clamp(min=1)  # of the weights' gradient near the optimum; the bias is not penalised
        steep = slope.abs() / steepness / self.design.sizes
        self.gradient = max(float(steep.max()), float(lift.abs().max()))
        value = loss / n + 0.5 * float((self.penalty * weights.double().square()).sum())
        inner = self.design.precondition(slope, self.penalty, self.curvature, -0.5)
        return value, _flat(inner, lift / self.curvature**0.5)


def _flat(weights: Tensor, bias: Tensor) -> NDArray[np.float64]:
    out: NDArray[np.float64] = torch.cat([weights, bias[:, None]], dim=1).double().numpy().ravel()
    return out


def _spectrum(features: Tensor) -> tuple[Tensor, Tensor, float]:
    """Eigenvectors [D, k] and eigenvalues [k] of the second moment, and the mean of the eigenvalues left out."""
    n, width = features.shape
    if width <= min(n, WHOLE):
        values, vectors = torch.linalg.eigh(features.T @ features / n)
        return vectors, values.clamp(min=0), 0.0
    sample = features[:: max(1, n // WHOLE)][:WHOLE]
    values, left = torch.linalg.eigh(sample @ sample.T / len(sample))
    whole = len(sample) == n  # else only the leading half of a sample's directions are those of all
    keep = values.argsort(descending=True)[: n if whole else len(sample) // 2]
    keep = keep[values[keep] > (1e-6 if whole else 1e-4) * values.max()]
    values, left = values[keep], left[:, keep]
    vectors = sample.T @ left / (values * len(sample)).sqrt()
    total = float(sample.square().sum()) / len(sample)
    return vectors, values, max(total - float(values.sum()), 0.0) / (width - len(keep))
