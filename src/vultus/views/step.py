"""All views of a training step."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from vultus.views.stages import Shared
from vultus.views.view import View, draw, render


def render_views(
    images: Tensor,
    views: Mapping[str, View],
    *,
    seed: int,
    batch: int | None = None,
    first: int = 0,
    landmarks: Tensor | None = None,
    partners: Tensor | None = None,
    paired: Tensor | None = None,
) -> dict[str, Tensor]:
    """Every view of pictures (B, 3, H, W) by name, float32 (B, 3, size, size) in 0…1, on the pictures' device.

    The pictures are rows first … first + B − 1 of the step's `batch` (None: these are all): a face's views depend on
    `seed`, the view's name and the face's row alone, however the batch is cut between processes.
    landmarks: (B, L, 2) x, y in parts of the side, on the CPU, NaN for unknown; local warps may centre on them.
    partners: (B, 3, H, W), of each face another picture of the same person, for the views that show it.
    paired: (B,) on the CPU, false where the partner is the face itself; None: of no face.
    """
    n = len(images)
    if first < 0 or (batch is not None and first + n > batch):
        raise ValueError(f"render_views: rows {first} … {first + n - 1} do not lie in a batch of {batch}")
    if landmarks is not None and (landmarks.ndim != 3 or len(landmarks) != n or landmarks.shape[2] != 2):
        raise ValueError(f"render_views: landmarks are (B={n}, L, 2), got {tuple(landmarks.shape)}")
    if partners is not None and len(partners) != n:
        raise ValueError(f"render_views: a partner for each of {n} pictures is needed, got {len(partners)}")
    # one deal of the quadrants for all views, so that a pair of crops never meets in one
    quadrants = torch.rand(first + n, 4, generator=_generator(seed, "quadrants"))[first:]
    same = Shared(quadrants, landmarks)
    other = Shared(quadrants, landmarks, torch.ones(n, dtype=torch.bool) if paired is None else paired)
    out = {}
    for name, view in views.items():
        shows = partners if view.partner else None
        shared = same if shows is None else other
        drawn = draw(view, n, _generator(seed, f"view {name}"), first=first, shared=shared)
        out[name] = render(images if shows is None else shows, view, drawn)
    return out


def _generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator; its seed is hashed to 32 bits, for the Mersenne twister of torch reads no more of it."""
    digest = hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest))
