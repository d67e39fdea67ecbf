"""Where things are on the resting MakeHuman head (mesh hm08; x to the subject's left, y up, z forwards, decimetres).

Landmarks are given as points of the frontal view: a ray along z from each onto the resting skin finds the triangle
that carries it from then on, whatever the shape, the expression or the pose.
"""

import numpy as np
import numpy.typing as npt

NECK_CUT = 4.9  # the mesh ends below this height
SHOULDER_CUT = 2.4  # and this far from the middle
TEETH_SETBACK = 0.06  # keeps them behind the lips of any mouth
EYE_CENTRE = (0.3078, 7.2842, 1.2453)  # the subject's left eye
EYE_RADIUS = 0.138

# the subject's left half, iBUG numbers of the 68; the right half mirrors them
_LEFT_HALF: dict[int, tuple[float, float]] = {
    16: (0.70, 7.27), 15: (0.69, 7.05), 14: (0.655, 6.84), 13: (0.592, 6.66), 12: (0.50, 6.495),
    11: (0.395, 6.355), 10: (0.275, 6.26), 9: (0.14, 6.20),
    22: (0.12, 7.455), 23: (0.21, 7.49), 24: (0.31, 7.505), 25: (0.41, 7.495), 26: (0.51, 7.445),
    34: (0.065, 6.83), 35: (0.13, 6.85),
    42: (0.175, 7.272), 43: (0.25, 7.325), 44: (0.37, 7.337), 45: (0.447, 7.29), 46: (0.37, 7.237), 47: (0.25, 7.240),
    52: (0.08, 6.698), 53: (0.165, 6.668), 54: (0.268, 6.612), 55: (0.17, 6.53), 56: (0.085, 6.505),
    63: (0.10, 6.627), 64: (0.25, 6.614), 65: (0.10, 6.59),
}  # fmt: skip
_MIDLINE: dict[int, tuple[float, float]] = {
    8: (0, 6.185), 27: (0, 7.30), 28: (0, 7.19), 29: (0, 7.08), 30: (0, 6.96), 33: (0, 6.815),
    51: (0, 6.682), 57: (0, 6.50), 62: (0, 6.627), 66: (0, 6.587),
}  # fmt: skip
# left-half number → its mirror image
MIRROR: dict[int, int] = {
    **{16 - k: k for k in range(8)}, **{26 - k: 17 + k for k in range(5)}, 34: 32, 35: 31,
    42: 39, 43: 38, 44: 37, 45: 36, 46: 41, 47: 40, 52: 50, 53: 49, 54: 48, 55: 59, 56: 58, 63: 61, 64: 60, 65: 67,
}  # fmt: skip

BROW_CURVE = np.array([_LEFT_HALF[k] for k in range(22, 27)])  # [5, 2] from the nose outwards


def landmark_rays() -> npt.NDArray[np.float64]:
    """The frontal points [68, 2] of the landmarks, iBUG order."""
    rays = np.zeros((68, 2))
    for number, point in {**_MIDLINE, **_LEFT_HALF}.items():
        rays[number] = point
    for left, right in MIRROR.items():
        rays[right] = (-_LEFT_HALF[left][0], _LEFT_HALF[left][1])
    return rays


def cast(rays: npt.NDArray[np.float64], vertices: npt.NDArray[np.float64], triangles: npt.NDArray[np.int64]) -> tuple[
    npt.NDArray[np.int64], npt.NDArray[np.float64]
]:  # fmt: skip
    """The foremost triangle under each frontal point: its corners [L, 3] and their weights [L, 3]."""
    corner = vertices[triangles]
    a, b, c = corner[:, 0, :2], corner[:, 1, :2], corner[:, 2, :2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    found, weights = [], []
    for x, y in rays:
        wa = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / np.where(area > 1e-9, area, np.inf)
        wb = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / np.where(area > 1e-9, area, np.inf)
        w = np.stack([wa, wb, 1 - wa - wb], axis=1)
        hit = np.flatnonzero((w >= 0).all(1) & (area > 1e-9))
        if not len(hit):
            raise ValueError(f"no skin under the frontal point ({x}, {y}): is this MakeHuman's hm08 mesh?")
        best = hit[np.argmax((w[hit] * corner[hit, :, 2]).sum(1))]
        found.append(triangles[best])
        weights.append(w[best])
    return np.array(found), np.array(weights)
