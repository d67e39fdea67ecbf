"""Ambient occlusion: how much of the sky every point of the resting head sees, computed once for all faces."""

import numpy as np

from vultus.faces.synthetic.raster import Floats, Ints, rasterise

_DIRECTIONS = 64
_SIZE = 320  # pixels of a depth map
_BIAS = 0.03  # decimetres a point may lie behind the surface seen and still count as seen


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Unit normals [V, 3], each the sum of its triangles' area vectors."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], area)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-12), np.float32)


def ambient_occlusion(vertices: Floats, triangles: Ints) -> Floats:
    """The cosine-weighted share of directions [V] from which each vertex is seen; 1 = nothing in the way."""
    normals = vertex_normals(vertices, triangles)
    centre = (vertices.min(0) + vertices.max(0)) / 2
    scale = _SIZE / (2.1 * np.linalg.norm(vertices - centre, axis=1).max())
    seen, total = np.zeros(len(vertices)), np.full(len(vertices), 1e-9)
    for direction in _sphere(_DIRECTIONS):
        view = (vertices - centre) @ _facing(direction).T
        screen = np.stack([view[:, 0] * scale + _SIZE / 2, _SIZE / 2 - view[:, 1] * scale, view[:, 2]], 1)
        screen = screen.astype(np.float32)
        fragments = rasterise(screen, triangles, _SIZE)
        depth = np.full(_SIZE * _SIZE, -np.inf)
        depth[fragments.pixel] = fragments.interpolate(screen[:, 2:])[:, 0]
        column, row = np.clip(screen[:, :2].astype(int), 0, _SIZE - 1).T
        cosine = np.clip(normals @ direction, 0, None)
        seen += cosine * (screen[:, 2] >= depth[row * _SIZE + column] - _BIAS)
        total += cosine
    share: Floats = (seen / total).astype(np.float32)
    return share


def _sphere(count: int) -> Floats:
    """Evenly spread unit vectors [count, 3] (Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    height, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1).astype(np.float32)


def _facing(direction: Floats) -> Floats:
    """The rotation [3, 3] that turns `direction` towards the viewer (+z)."""
    side = np.cross([0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0], direction)
    side /= np.linalg.norm(side)
    return np.stack([side, np.cross(direction, side), direction]).astype(np.float32)
