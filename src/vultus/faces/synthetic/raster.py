"""A z-buffer in numpy: many small triangles at once, no loop over triangles or pixels.

Every front-facing triangle lists the pixel centres of its bounding box, all lists are laid end to end, and three
edge functions decide the whole list together. That is quick for meshes whose triangles cover a few pixels, which is
what a face is; a triangle that fills the picture costs its whole bounding box.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]  # numpy gathers fastest by these

EDGE_SLACK = 1e-5  # of the triangle's area: neighbours overlap on their common edge instead of leaving a crack


@dataclass(frozen=True)
class Fragments:
    """What is seen: the nearest triangle at every covered pixel."""

    pixel: Ints  # [P] index into the flattened picture, each at most once, ascending
    triangle: Ints  # [P] row of the mesh's triangle list
    corners: Ints  # [P, 3] vertices
    weights: Floats  # [P, 3] barycentric, sum 1

    def interpolate(self, values: Floats) -> Floats:
        """Vertex values [V, C] at every covered pixel [P, C]."""
        mixed: Floats = np.take(values, self.corners[:, 0], axis=0) * self.weights[:, :1]
        for k in (1, 2):
            mixed += np.take(values, self.corners[:, k], axis=0) * self.weights[:, k : k + 1]
        return mixed


def rasterise(screen: Floats, triangles: Ints, size: int) -> Fragments:
    """The nearest front-facing triangle at every pixel centre of a square picture.

    `screen` [V, 3]: x to the right and y down in pixels (pixel (0, 0) has its centre at 0.5, 0.5), z towards the
    viewer. `triangles` [F, 3] wind anticlockwise as seen from outside; those that wind the other way are not drawn.
    """
    x, y, z = (np.ascontiguousarray(screen[:, k], np.float32) for k in range(3))
    a, b, c = (np.ascontiguousarray(triangles[:, k]) for k in range(3))
    xa, xb, xc, ya, yb, yc = x[a], x[b], x[c], y[a], y[b], y[c]
    front = np.flatnonzero((yb - ya) * (xc - xa) - (xb - xa) * (yc - ya) > 1e-9)
    left, right = _pixel_span(xa[front], xb[front], xc[front], size)
    top, bottom = _pixel_span(ya[front], yb[front], yc[front], size)
    drawn = np.flatnonzero((right >= left) & (bottom >= top))
    left, right, top, bottom, front = (v[drawn] for v in (left, right, top, bottom, front))
    a, b, c = a[front], b[front], c[front]
    planes = _weight_planes(x, y, (a, b, c), left, top)
    owner, row, column, wa, wb = _covered(planes, right - left + 1, bottom - top + 1)
    pixel = (top[owner] + row) * size + left[owner] + column
    za, zb, zc = z[a], z[b], z[c]
    depth = zc[owner] + (za - zc)[owner] * wa + (zb - zc)[owner] * wb
    winner = _nearest(pixel, depth, size * size)
    owner, wa, wb = owner[winner], wa[winner], wb[winner]
    corners = np.stack([a[owner], b[owner], c[owner]], axis=1)
    weights = np.stack([wa, wb, 1 - wa - wb], axis=1)
    return Fragments(pixel[winner], front[owner], corners, weights)


def _pixel_span(a: Floats, b: Floats, c: Floats, size: int) -> tuple[Ints, Ints]:
    """First and last pixel whose centre lies between the least and the greatest of three coordinates."""
    first = np.ceil(np.minimum(np.minimum(a, b), c) - np.float32(0.5))
    last = np.floor(np.maximum(np.maximum(a, b), c) - np.float32(0.5))
    return np.clip(first, 0, size).astype(np.intp), np.clip(last, -1, size - 1).astype(np.intp)


def _weight_planes(x: Floats, y: Floats, corners: tuple[Ints, Ints, Ints], left: Ints, top: Ints) -> Floats:
    """The weights of corners a and b as planes [T, 6]: a's change per column, per row and value at (left, top), b's."""
    a, b, c = corners
    xbc, ybc, xca, yca = x[b] - x[c], y[b] - y[c], x[c] - x[a], y[c] - y[a]
    twice_area = yca * xbc - xca * ybc
    a_column, a_row = ybc / twice_area, -xbc / twice_area
    b_column, b_row = yca / twice_area, -xca / twice_area
    dx, dy = left.astype(np.float32) + 0.5 - x[c], top.astype(np.float32) + 0.5 - y[c]
    a_start, b_start = a_column * dx + a_row * dy, b_column * dx + b_row * dy
    return np.stack([a_column, a_row, a_start, b_column, b_row, b_start], axis=1)


def _covered(planes: Floats, width: Ints, height: Ints) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """All box pixels inside their triangle: its row of `planes`, row and column in its box, weights of a and b."""
    counts = width * height
    owner = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(step.astype(np.int32), np.repeat(width.astype(np.int32), counts))
    down, along = row.astype(np.float32), column.astype(np.float32)
    plane = np.take(planes, owner, axis=0)
    wa, wb = (plane[:, k] * along + plane[:, k + 1] * down + plane[:, k + 2] for k in (0, 3))
    inside = np.flatnonzero((wa >= -EDGE_SLACK) & (wb >= -EDGE_SLACK) & (wa + wb <= 1 + EDGE_SLACK))
    return owner[inside], row[inside], column[inside], wa[inside], wb[inside]


def _nearest(pixel: Ints, depth: Floats, pixels: int) -> Ints:
    """For every pixel that occurs, in ascending order, the position of its greatest depth.

    Each round writes all challengers at once, of which one a pixel stays; few pixels have more than two or three.
    """
    winner = np.full(pixels, -1, dtype=np.intp)
    winner[pixel] = np.arange(len(pixel))
    challenger = np.flatnonzero(depth > depth[winner[pixel]])
    while len(challenger):
        winner[pixel[challenger]] = challenger
        challenger = challenger[depth[challenger] > depth[winner[pixel[challenger]]]]
    return winner[winner >= 0]
