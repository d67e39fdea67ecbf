"""Glasses as a few thin tubes, fitted to a person's eyes, nose and ears."""

import numpy as np

from vultus.faces.synthetic.raster import Floats, Ints

_SIDES = 4  # of a tube's cross-section
_RING = 24  # points round a lens
_THICKNESS = 0.026  # decimetres from a tube's middle to its corners
_CORNERS = np.stack([np.cos(np.arange(_SIDES) * np.pi / 2), np.sin(np.arange(_SIDES) * np.pi / 2)], 1)


def glasses_vertices(landmarks: Floats) -> Floats:
    """Vertices [G, 3] of glasses for a head with these 68 landmarks [68, 3], in the head's space."""
    right, left = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    apart = left[0] - right[0]
    front = max(float(landmarks[27:29, 2].max()) + 0.02, float(landmarks[36:48, 2].max()) + 0.07)
    turn = np.arange(_RING + 1) * 2 * np.pi / _RING
    cosine, sine = np.cos(turn), np.sin(turn)
    width, height = 0.40 * apart, 0.31 * apart
    across = width * np.sign(cosine) * np.abs(cosine) ** 0.8
    up = height * np.sign(sine) * np.abs(sine) ** 0.8
    lines = []
    for eye in (right, left):
        back = front - 0.25 * (eye[0] + across - (left[0] + right[0]) / 2) ** 2
        lines.append(np.stack([eye[0] + across, eye[1] - 0.03 * apart + up, back], 1))
    inner = (right[0] + width, left[0] - width)
    high = (right[1] + left[1]) / 2 + 0.08 * apart
    lines.append(
        np.array(
            [(inner[0], high, front), ((inner[0] + inner[1]) / 2, high + 0.03, front + 0.02), (inner[1], high, front)]
        )
    )
    for eye, ear, side in ((right, landmarks[0], -1), (left, landmarks[16], 1)):
        hinge = eye[0] + side * width
        start = (hinge, high, front - 0.25 * (hinge - (left[0] + right[0]) / 2) ** 2)
        lines.append(np.array([start, (ear[0] + side * 0.02, high, 1.0), (ear[0] + side * 0.06, high, 0.45)]))
    return np.concatenate([_tube(line) for line in lines]).astype(np.float32)


def glasses_triangles() -> Ints:
    """Triangles [T, 3] over the vertices of `glasses_vertices`."""
    triangles, first = [], 0
    for points in (_RING + 1, _RING + 1, 3, 3, 3):
        ring, side = np.meshgrid(np.arange(points - 1), np.arange(_SIDES), indexing="ij")
        a = first + ring * _SIDES + side
        b = first + ring * _SIDES + (side + 1) % _SIDES
        quads = np.stack([a, b, b + _SIDES, a + _SIDES], -1).reshape(-1, 4)
        triangles += [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
        first += points * _SIDES
    return np.concatenate(triangles).astype(np.intp)


def _tube(line: Floats) -> Floats:
    """A square tube round a line of points [N, 3] → [N * sides, 3]."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    helper = np.where(np.abs(along[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    side = np.cross(helper, along)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(along, side)
    ring = line[:, None] + _THICKNESS * (_CORNERS[:, :1] * side[:, None] + _CORNERS[:, 1:] * up[:, None])
    return np.asarray(ring.reshape(-1, 3), np.float32)
