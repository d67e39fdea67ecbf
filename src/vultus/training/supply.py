"""What a step is made of: faces, and of what the set knows of them as much as the method asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vultus.faces.companions import Companions
from vultus.faces.landmarks import landmarks_in_boxes
from vultus.faces.loader import stream
from vultus.faces.mixture import Faces, Mixture
from vultus.nets.collective import rank, world_size
from vultus.training.config import RunConfig
from vultus.training.seeding import PARTNERS, mixed, schedule, seed_of
from vultus.training.targets import targets_of
from vultus.views import LocalWarp, View

Rows = npt.NDArray[np.integer]
Waiting = deque[tuple[Rows, Rows | None]]  # rows of faces and of their partners


@dataclass(frozen=True)
class Batch:
    """The faces of a step, or of a part of it.

    images, partners: uint8 (b, 3, S, S), row k of both shows the same person; landmarks: (b, L, 2) x, y in parts of
    the side, NaN for unknown; targets: (b,) class numbers or (b, K) values; paired: (b,) whether the partner is another
    picture. None: not asked for, or not known.
    """

    images: Tensor
    partners: Tensor | None = None
    landmarks: Tensor | None = None
    targets: Tensor | None = None
    paired: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def parts(self, count: int) -> list[Batch]:
        """The batch in `count` equal parts."""
        fields = (self.images, self.partners, self.landmarks, self.targets, self.paired)
        cut = [f.chunk(count) if f is not None else [None] * count for f in fields]
        return [Batch(*part) for part in zip(*cut, strict=True)]


@dataclass(frozen=True)
class Supply:
    """Faces as a method sees them: decoded at `load` pixels, with what is known of each face, [N, …]."""

    faces: Faces
    load: int
    companions: Companions | None = None
    landmarks: npt.NDArray[np.float32] | None = None
    targets: npt.NDArray[Any] | None = None

    def batches(self, config: RunConfig, start: int, until: int) -> Iterator[Batch]:
        """This process's part of the batches of steps start … until − 1."""
        waiting: Waiting = deque()
        for images in stream(self.faces, self._rows(config, start, until, waiting), self.load):
            rows, others = waiting.popleft()
            marks, targets = (None if v is None else torch.from_numpy(v[rows]) for v in (self.landmarks, self.targets))
            if others is None:
                yield Batch(images, None, marks, targets)
            else:
                paired = torch.from_numpy(others != rows)
                yield Batch(images[: len(rows)], images[len(rows) :], marks, targets, paired)

    def _rows(self, config: RunConfig, start: int, until: int, waiting: Waiting) -> Iterator[Rows]:
        """The rows to decode, partners behind the faces; the faces' rows and the partners' are noted in `waiting`."""
        local = config.batch // world_size()
        mine = slice(rank() * local, (rank() + 1) * local)
        for step, rows in enumerate(_order(self.faces, config, start, until), start):
            if self.companions is None:
                waiting.append((rows[mine], None))
                yield rows[mine]
                continue
            partners = self.companions.draw(rows, np.random.default_rng(seed_of(config.seed, PARTNERS, step)))
            waiting.append((rows[mine], partners[mine]))
            yield np.concatenate([rows[mine], partners[mine]])


def supply(config: RunConfig, faces: Faces, load: int, views: Mapping[str, View]) -> Supply:
    """What `views` and the method of `config` ask of the faces."""
    asks = any(view.partner for view in views.values()) and config.pairs == "auto"
    return Supply(
        faces,
        load,
        companions=Companions.of(faces) if asks else None,
        landmarks=landmarks_in_boxes(faces) if _at_landmarks(views) and "landmarks" in faces.columns else None,
        targets=targets_of(config.method, faces),
    )


def _order(faces: Faces, config: RunConfig, start: int, until: int) -> Iterator[Rows]:
    """The rows of the whole batches of steps start … until − 1."""
    if isinstance(faces, Mixture):
        sizes = [len(part) for part in faces.parts]
        return mixed(sizes, faces.weights, config.batch, until, config.seed, start)
    return schedule(len(faces), config.batch, until, config.seed, start)


def _at_landmarks(views: Mapping[str, View]) -> bool:
    return any(isinstance(o, LocalWarp) and o.at_landmarks for view in views.values() for o in view.geometry)


def described_pairs(supply: Supply, views: Mapping[str, View]) -> str:
    """What stands for two frames of a face: "" for a method that asks for no pairs."""
    if not any(view.partner for view in views.values()):
        return ""
    if supply.companions is None:
        return "a face and its augmentation"
    who = "a person or a video" if "video" in supply.faces.columns else "a person"
    return f"two pictures of {who} ({supply.companions.share:.0%} of the faces), else a face and its augmentation"


def described_warps(supply: Supply, views: Mapping[str, View]) -> str:
    """Where local warps stand that were asked to stand at landmarks: "" where no view asks."""
    if not _at_landmarks(views):
        return ""
    marks = supply.landmarks
    share = 0.0 if marks is None else float(np.isfinite(marks).all(axis=-1).any(axis=-1).mean())
    if not share:
        return "places of a usual face alone: no face of the set has landmarks"
    return f"landmarks ({share:.0%} of the faces), else places of a usual face"
