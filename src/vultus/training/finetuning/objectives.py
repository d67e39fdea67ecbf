"""What a head is taught: how it ends, its losses, what it says, and how its label looks after an augmentation.

Targets (B, …) are class numbers or shares of classes, 0 and 1 of yes/no answers, numbers, or points in parts of the
side; NaN is unknown. `mirror` says what a mirrored face's label is, see mirrors.py; () where faces must not be flipped.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vultus.methods.margins import regression_loss
from vultus.nets.heatmaps import HeatmapHead, soft_argmax
from vultus.training.finetuning import losses
from vultus.views import Draw
from vultus.views.geometry import Placement


@dataclass(frozen=True)
class Classes:
    """One of several classes."""

    names: tuple[str, ...]
    mirror: tuple[int, ...] = ()  # the class that each turns into
    mixes: ClassVar[bool] = True

    def head(self, encoder: nn.Module, width: int, size: int) -> nn.Module:
        return nn.Linear(width, len(self.names))

    def seen(self, target: Tensor, draw: Draw) -> Tensor:
        if target.ndim == 2:
            return _turned(target, draw, self.mirror)
        order = torch.tensor(self.mirror or range(len(self.names)))
        return torch.where(flipped(draw), order[target], target)

    def soft(self, target: Tensor, smoothing: float) -> Tensor:
        """Shares (B, C), of which `smoothing` is spread over all classes."""
        shares = target.float() if target.ndim == 2 else nn.functional.one_hot(target, len(self.names)).float()
        return (1 - smoothing) * shares + smoothing / len(self.names)

    def losses(self, raw: Tensor, soft: Tensor) -> dict[str, Tensor]:
        return {"label": losses.class_loss(raw, soft)}

    def said(self, raw: Tensor) -> Tensor:
        """Probabilities (B, C)."""
        return raw.float().softmax(1)


@dataclass(frozen=True)
class YesNo:
    """Attributes, each decided by a classifier of its own with two outputs, Linear(D, 2)."""

    names: tuple[str, ...]
    mirror: tuple[int, ...] = ()  # the attribute that each turns into
    mixes: ClassVar[bool] = True

    def head(self, encoder: nn.Module, width: int, size: int) -> nn.Module:
        return nn.Sequential(nn.Linear(width, 2 * len(self.names)), nn.Unflatten(1, (len(self.names), 2)))

    def seen(self, target: Tensor, draw: Draw) -> Tensor:
        return _turned(target, draw, self.mirror)

    def soft(self, target: Tensor, smoothing: float) -> Tensor:
        """Chances of yes (B, K)."""
        return (1 - smoothing) * target + smoothing / 2

    def losses(self, raw: Tensor, soft: Tensor) -> dict[str, Tensor]:
        return {"label": losses.pairs_loss(raw, soft)}

    def said(self, raw: Tensor) -> Tensor:
        """Probabilities of yes (B, K)."""
        return raw.float().softmax(2)[..., 1]


@dataclass(frozen=True)
class Units(YesNo):
    """Action units: several labels of one face, a logistic output each."""

    def head(self, encoder: nn.Module, width: int, size: int) -> nn.Module:
        return nn.Linear(width, len(self.names))

    def losses(self, raw: Tensor, soft: Tensor) -> dict[str, Tensor]:
        return {"label": losses.binary_loss(raw, soft)}

    def said(self, raw: Tensor) -> Tensor:
        """Probabilities of being there (B, K)."""
        return raw.float().sigmoid()


@dataclass(frozen=True)
class Numbers:
    """Numbers such as angles or years, learned in units of their spread over the training faces."""

    names: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    mirror: tuple[float, ...] = ()  # the factor of each number
    mixes: ClassVar[bool] = False

    def head(self, encoder: nn.Module, width: int, size: int) -> nn.Module:
        return nn.Linear(width, len(self.names))

    def seen(self, target: Tensor, draw: Draw) -> Tensor:
        factors = torch.tensor(self.mirror or (1.0,) * len(self.names))
        return torch.where(flipped(draw)[:, None], target * factors, target)

    def soft(self, target: Tensor, smoothing: float) -> Tensor:
        centre, spread = (torch.tensor(v, device=target.device) for v in (self.centre, self.spread))
        return (target - centre) / spread

    def losses(self, raw: Tensor, soft: Tensor) -> dict[str, Tensor]:
        return {"label": regression_loss(raw, soft)}

    def said(self, raw: Tensor) -> Tensor:
        """Values (B, K) in the label's own units."""
        centre, spread = (torch.tensor(v, device=raw.device) for v in (self.centre, self.spread))
        return raw.float() * spread + centre


@dataclass(frozen=True)
class Points:
    """Landmarks, each the place of a heat map's mass."""

    count: int
    mirror: tuple[int, ...] = ()  # the place that each point takes
    mixes: ClassVar[bool] = False

    def head(self, encoder: nn.Module, width: int, size: int) -> nn.Module:
        return HeatmapHead(int(encoder.channels), int(encoder.side), size, self.count)  # type: ignore[arg-type]

    def seen(self, target: Tensor, draw: Draw) -> Tensor:
        """The points where the view shows them; those it does not show are unknown."""
        x = torch.nn.functional.pad(2 * target - 1, (0, 1), value=1.0)  # (B, P, 3) homogeneous, in −1…1
        shown = (x @ torch.linalg.inv(_matrix(draw)).transpose(1, 2))[..., :2] / 2 + 0.5
        inside = ((shown >= 0) & (shown <= 1)).all(2, keepdim=True)
        return _turned(torch.where(inside, shown, torch.nan), draw, self.mirror)

    def soft(self, target: Tensor, smoothing: float) -> Tensor:
        return target

    def losses(self, raw: Tensor, soft: Tensor) -> dict[str, Tensor]:
        return {"coordinates": losses.coordinates_loss(raw, soft), "heat": losses.heatmap_loss(raw, soft)}

    def said(self, raw: Tensor) -> Tensor:
        """Points (B, P, 2), x and y in parts of the side."""
        return soft_argmax(raw)


Objective = Classes | YesNo | Units | Numbers | Points
KINDS: dict[str, type[Objective]] = {
    "classes": Classes,
    "yes/no": YesNo,
    "units": Units,
    "numbers": Numbers,
    "points": Points,
}


def to_json(objective: Objective) -> dict[str, Any]:
    """The objective as `from_json` reads it."""
    return {"kind": next(k for k, v in KINDS.items() if type(objective) is v)} | asdict(objective)


def from_json(values: dict[str, Any]) -> Objective:
    """The objective of a `config.json`."""
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k != "kind"}
    return KINDS[values["kind"]](**plain)


def flipped(draw: Draw) -> Tensor:
    """Which faces a draw shows mirrored, (B,) bool."""
    turned: Tensor = torch.linalg.det(_matrix(draw)) < 0
    return turned


def _matrix(draw: Draw) -> Tensor:
    """View → picture (B, 3, 3), of views whose geometry is crops and flips alone."""
    (placement,) = draw.geometry
    assert isinstance(placement, Placement)
    return placement.matrix


def _turned(target: Tensor, draw: Draw, mirror: tuple[int, ...]) -> Tensor:
    """Columns (B, K, …) in the order of their mirror images, where the face is flipped."""
    if not mirror:
        return target
    which = flipped(draw).view(-1, *[1] * (target.ndim - 1))
    return torch.where(which, target[:, list(mirror)], target)
