"""A view as data, its random parameters, and the pictures it makes.

`draw` takes every random number of every face from one table of uniform numbers, a row a face, on the CPU: row r
depends on the generator's seed and r alone, not on the batch around it nor on the device. `render` is then a
function without chance. A face is interpolated once and coloured once, however many operations a view lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from vultus.views.colour import Colour, Grey, Jitter
from vultus.views.geometry import Affine, Crop, Flip, Placement, QuadrantCrop, shrinkage
from vultus.views.noise import Noise, Noisy
from vultus.views.photometry import Blur, Blurred, Edged, Erase, Erased, Sobel, Solarise, Solarised
from vultus.views.sampling import plan
from vultus.views.stages import Shared, map_tensors, rows, to_device
from vultus.views.warp import Bumps, LocalWarp

Geometry = Crop | QuadrantCrop | Flip | Affine | LocalWarp
Photometry = Jitter | Grey | Blur | Sobel | Solarise | Noise | Erase
Retouch = Colour | Blurred | Edged | Solarised | Noisy | Erased

CACHE = (
    2**18
)  # floats a thread works on at a time on a CPU (1 MB), so that what an operation writes is near for the next


@dataclass(frozen=True)
class View:
    """A view of a face, square of `size` pixels; operations act in the order in which they are listed.

    part: only the first of the pictures handed over, so large a part of them; copies: views of each face, standing
    together (row = face · copies + copy), each with random numbers of its own; partner: another picture of the same
    person is shown where the set knows one, else the face itself.
    """

    size: int
    geometry: tuple[Geometry, ...] = ()
    photometry: tuple[Photometry, ...] = ()
    part: float = 1.0
    copies: int = 1
    partner: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"View: size is a side in pixels, at least 1, got {self.size}")
        if not 0 < self.part <= 1 or self.copies < 1:
            raise ValueError(f"View: 0 < part ≤ 1 and copies ≥ 1, got part={self.part}, copies={self.copies}")
        for name, kind in (("geometry", Geometry), ("photometry", Photometry)):
            for operation in getattr(self, name):
                if not isinstance(operation, kind):
                    known = ", ".join(k.__name__ for k in kind.__args__)
                    raise ValueError(f"View: {name} takes {known}; got {operation!r}")

    @property
    def to_show(self) -> View:
        """The same of every face, once: however few or many a training step would take."""
        return replace(self, part=1.0, copies=1)

    def count(self, batch: int) -> int:
        """How many of `batch` pictures the view shows: at least two if there are two, for batch norms and pairs."""
        return min(max(round(self.part * batch), 2), batch)


@dataclass(frozen=True)
class Draw:
    """The random parameters of a view's rows; neighbouring matrices are multiplied out.

    shrink: (rows, 2), parts of the picture seen along x and y; stays on the CPU.
    """

    geometry: tuple[Placement | Bumps, ...]
    photometry: tuple[Retouch, ...]
    shrink: Tensor

    def __len__(self) -> int:
        return len(self.shrink)

    def rows(self, start: int, stop: int) -> Draw:
        """Rows start … stop − 1."""
        geometry = tuple(rows(s, start, stop) for s in self.geometry)
        return Draw(geometry, tuple(rows(s, start, stop) for s in self.photometry), self.shrink[start:stop])

    def to(self, device: torch.device | str) -> Draw:
        """The same draw for rendering on `device`."""
        geometry = tuple(to_device(s, device) for s in self.geometry)
        return replace(self, geometry=geometry, photometry=tuple(to_device(s, device) for s in self.photometry))


def draw(
    view: View,
    batch: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
    *,
    first: int = 0,
    shared: Shared | None = None,
) -> Draw:
    """The random parameters of `batch` pictures, which are rows first … first + batch − 1 of a larger batch.

    `generator` lives on the CPU; `shared` has a row a picture, see Shared. A generator in the same state gives row r
    the same parameters, whatever `first` and `batch` are.
    """
    start, n = first * view.copies, view.count(batch) * view.copies
    operations = (*view.geometry, *view.photometry)
    edges = list(accumulate((o.uniforms for o in operations), initial=0))
    table = torch.rand(start + n, edges[-1], generator=generator)[start:]
    common = map_tensors(shared or Shared(), lambda t: t[: view.count(batch)].repeat_interleave(view.copies, 0))
    parts = [table[:, a:b] for a, b in pairwise(edges)]
    cut = len(view.geometry)
    with torch.autocast("cpu", enabled=False):  # matrices are multiplied here; bf16 has too few digits for coordinates
        geometry = _merge_placements([o.draw(u, common) for o, u in zip(view.geometry, parts[:cut], strict=True)], n)
        photometry = _merge_colours([o.draw(u, common) for o, u in zip(view.photometry, parts[cut:], strict=True)])
        return Draw(geometry, photometry, _shrink(geometry)).to(device)


@torch.no_grad()
def render(images: Tensor, view: View, draw: Draw) -> Tensor:
    """Views (rows, 3, size, size), float32 in 0…1, of pictures (B, 3, H, W), uint8 or float in 0…1."""
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape[2:]:
        raise ValueError(f"render: pictures are (B, 3, H, W), got {tuple(images.shape)}; repeat grey three times")
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ValueError(f"render: pictures are uint8 or float in 0…1, got {images.dtype}")
    n = view.count(len(images)) * view.copies
    if len(draw) != n:
        raise ValueError(f"render: {len(images)} pictures make {n} rows of this view, the draw has {len(draw)}")
    with torch.autocast(images.device.type, enabled=False):
        return _rendered(images, view, draw.to(images.device), n)


def _rendered(images: Tensor, view: View, draw: Draw, n: int) -> Tensor:
    sampling = plan((images.shape[2], images.shape[3]), view.size, draw.geometry, draw.shrink)
    out = torch.empty(n, 3, view.size, view.size, device=images.device)
    for start, stop in _chunks(n, images[0].numel() if n else 1, images.device):
        out[start:stop] = rows(sampling, start, stop)(_pictures(images, view.copies, start, stop))
    scale = 1 / 255 if images.dtype == torch.uint8 else 1.0
    photometry, scaled = _with_scale(draw.photometry, scale)
    for start, stop in _chunks(n, out[0].numel() if n else 1, images.device):
        faces = out[start:stop]
        if not scaled:
            faces = faces.mul_(scale) if scale < 1 else faces.clamp_(0, 1)
        for retouch in photometry:
            faces = rows(retouch, start, stop)(faces)
        out[start:stop] = faces
    return out


def _with_scale(photometry: tuple[Retouch, ...], scale: float) -> tuple[tuple[Retouch, ...], bool]:
    """The photometry for pictures that are still to be scaled to 0…1, and whether its first colour does that too."""
    if scale < 1 and photometry and isinstance(photometry[0], Colour):
        return (photometry[0].scaled(scale), *photometry[1:]), True
    return photometry, False


def _chunks(n: int, values: int, device: torch.device) -> Iterator[tuple[int, int]]:
    """Rows start, stop that a CPU's cache holds as floats; all of them on a GPU."""
    step = max(1, CACHE // values * torch.get_num_threads()) if device.type == "cpu" else max(n, 1)
    return ((start, min(start + step, n)) for start in range(0, n, step))


def _pictures(images: Tensor, copies: int, start: int, stop: int) -> Tensor:
    if copies == 1:
        return images[start:stop]
    return images[torch.arange(start, stop, device=images.device) // copies]


def _merge_placements(stages: list[Placement | Bumps], n: int) -> tuple[Placement | Bumps, ...]:
    """Neighbouring placements multiplied out; there always is a first one."""
    merged: list[Placement | Bumps] = [Placement(torch.eye(3).repeat(n, 1, 1))]
    for stage in stages:
        last = merged[-1]
        if isinstance(last, Placement) and isinstance(stage, Placement):
            merged[-1] = last.then(stage)
        else:
            merged.append(stage)
    return tuple(merged)


def _merge_colours(stages: list[Retouch]) -> tuple[Retouch, ...]:
    merged: list[Retouch] = []
    for stage in stages:
        last = merged[-1] if merged else None
        if isinstance(last, Colour) and isinstance(stage, Colour):
            merged[-1] = last.then(stage)
        else:
            merged.append(stage)
    return tuple(merged)


def _shrink(stages: tuple[Placement | Bumps, ...]) -> Tensor:
    return shrinkage(reduce(torch.matmul, (s.matrix for s in stages if isinstance(s, Placement))))
