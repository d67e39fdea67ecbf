"""A face turned upright, moved and scaled to a template by its five points, with one interpolation.

A template is a square seen from the ArcFace square of 112 pixels, whose mean points are published (Guo and Deng,
InsightFace; from Liu et al., SphereFace, CVPR 2017): its centre and its side, in that square's pixels. `loose` shows
1.6 times as much on each side. `ffhq` is the square that the rule of FFHQ (Karras, Laine and Aila, CVPR 2019) puts
round the mean points. `box` does not turn the face: it is the square round the detector's box.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.curate.detect import Found, Pixels
from vultus.faces.record import Label

Doubles = NDArray[np.float64]

ARCFACE_SIDE = 112.0
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


class Template(NamedTuple):
    """A square in the pixels of the ArcFace square."""

    x: float  # of its centre
    y: float
    side: float


def _ffhq() -> Template:
    """FFHQ's rule: eye to eye, plus mouth to eyes turned by 90°, is the direction; 2 and 1.8 times the half side."""
    eyes, mouth = ARCFACE[:2].mean(axis=0), ARCFACE[3:].mean(axis=0)
    down = mouth - eyes
    half = max(2.0 * np.linalg.norm(ARCFACE[1] - ARCFACE[0]), 1.8 * np.linalg.norm(down))
    x, y = eyes + 0.1 * down
    return Template(float(x), float(y), float(2 * half))


TEMPLATES = {
    "arcface": Template(56.0, 56.0, ARCFACE_SIDE),
    "loose": Template(56.0, 56.0, 1.6 * ARCFACE_SIDE),
    "ffhq": _ffhq(),
}
BOX = "box"
TURNED = ("roll",)  # labels that turning a face upright makes wrong


@dataclass(frozen=True)
class Fit:
    """Where the ArcFace square lies in a photograph."""

    matrix: Doubles  # [2, 3]: photograph → ArcFace square, pixels
    residual: float  # root mean square distance of the points to the template's, in parts of the eyes' distance

    @property
    def side(self) -> float:
        """Of the ArcFace square, in the photograph's pixels."""
        return ARCFACE_SIDE / float(np.hypot(*self.matrix[:, 0]))

    @property
    def roll(self) -> float:
        """How far the face is turned clockwise in the photograph, degrees."""
        return float(np.degrees(np.arctan2(self.matrix[0, 1], self.matrix[0, 0])))


def fit(points: NDArray[np.floating]) -> Fit:
    """The similarity [2, 3] that brings five points [5, 2] nearest to the template's.

    Least squares in closed form (Umeyama, PAMI 1991), without reflection. Raises ValueError for points that coincide.
    """
    source = np.asarray(points, np.float64)
    from_mean, to_mean = source.mean(axis=0), ARCFACE.mean(axis=0)
    x, y = source - from_mean, ARCFACE - to_mean
    spread = float((x**2).sum())
    if not spread > 1e-6:
        raise ValueError("the five points of a face coincide")
    left, sizes, right = np.linalg.svd(y.T @ x)
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * sign) @ right
    scaled = turn * float((sizes * sign).sum()) / spread
    moved = source @ scaled.T + (to_mean - scaled @ from_mean)
    eyes = float(np.linalg.norm(ARCFACE[1] - ARCFACE[0]))
    residual = float(np.sqrt(((moved - ARCFACE) ** 2).sum(axis=1).mean())) / eyes
    return Fit(np.column_stack([scaled, to_mean - scaled @ from_mean]), residual)


def placed(found: Found, fitted: Fit, template: str, size: int, margin: float) -> Doubles:
    """[2, 3]: photograph → crop of `size` pixels a side; `margin` is added on every side, in parts of the side."""
    if template == BOX:
        left, top, right, bottom = found.box
        side = max(right - left, bottom - top) * (1 + 2 * margin)
        scale = size / max(side, 1e-6)
        x, y = (left + right) / 2, (top + bottom) / 2
        return np.array([[scale, 0, size / 2 - scale * x], [0, scale, size / 2 - scale * y]])
    x, y, side = TEMPLATES[template]
    scale = size / (side * (1 + 2 * margin))
    matrix = fitted.matrix * scale
    matrix[:, 2] += size / 2 - scale * np.array([x, y])
    return matrix


def crop(pixels: Pixels, matrix: Doubles, size: int) -> Pixels:
    """The crop [size, size(, C)] of a photograph [H, W(, C)]; what lies outside repeats the photograph's edge.

    Cubic interpolation, once. A face that shrinks is smoothed before: averaged over whole pixels, where it shrinks by
    2 or more, then by a Gaussian of the width that the rest of the shrinking asks for.
    """
    part, matrix = _near(pixels, matrix, size)
    shrinks = 1 / float(np.hypot(*matrix[:, 0]))
    whole = int(shrinks)
    if whole >= 2 and min(part.shape[:2]) >= whole:
        height, width = (side // whole for side in part.shape[:2])
        part = np.asarray(
            cv2.resize(part[: height * whole, : width * whole], (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = matrix @ np.diag([whole, whole, 1.0])
        shrinks /= whole
    if shrinks > 1.05:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.5 * np.sqrt(shrinks**2 - 1)), np.uint8)
    centred = matrix.copy()  # OpenCV counts from the middle of the first pixel, we from its edge
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.asarray(
        cv2.warpAffine(part, centred, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def moved(points: NDArray[np.floating], matrix: Doubles) -> Doubles:
    """Points [..., 2] through a [2, 3] matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def carried(
    labels: Mapping[str, Label], matrix: Doubles, width: int, height: int, size: int, turned: bool = True
) -> dict[str, Label]:
    """Labels of a photograph [height, width] as labels of its crop of `size` pixels.

    Landmarks move along; what turning the face upright makes wrong is left out if it is `turned`.
    """
    kept = {name: label for name, label in labels.items() if not (turned and name in TURNED)}
    landmarks = kept.get("landmarks")
    if isinstance(landmarks, tuple) and len(landmarks) % 2 == 0:
        at = np.array(landmarks).reshape(-1, 2) * (width, height)
        kept["landmarks"] = tuple(map(float, (moved(at, matrix) / size).ravel()))
    return kept


def corners(matrix: Doubles, size: float) -> Doubles:
    """[4, 2]: where the corners of a crop lie in the photograph, in order round it."""
    square = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float64)
    return np.asarray(np.linalg.solve(matrix[:, :2], (square - matrix[:, 2]).T).T)


def _near(pixels: Pixels, matrix: Doubles, size: int) -> tuple[Pixels, Doubles]:
    """The part of the photograph that a crop is made of, with some pixels round it, and the matrix from there."""
    height, width = pixels.shape[:2]
    found = corners(matrix, size)
    room = 4 + 4 / float(np.hypot(*matrix[:, 0]))
    left, top = np.clip(np.floor(found.min(axis=0) - room), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(found.max(axis=0) + room), (left + 1, top + 1), (width, height)).astype(int)
    here = matrix.copy()
    here[:, 2] += matrix[:, :2] @ (left, top)
    return pixels[top:bottom, left:right], here
