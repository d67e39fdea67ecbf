"""How good a face's picture is: parts that can be seen and thresholded, and one number made of them.

Light and sharpness are read off the ArcFace square at 64 pixels in grey, whatever template the crop has: a threshold
means the same for every template, and a face of fewer pixels is as blurred as it looks when it is enlarged.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.curate.align import ARCFACE_SIDE, Doubles, Fit, corners, crop
from vultus.curate.config import CurateConfig
from vultus.curate.detect import Found, Pixels

SIDE = 64  # of the square that is judged
DARK, BRIGHT = 8, 247  # grey values from which on a pixel shows nothing
# eyes, nose and the middle of the mouth of a mean head: x right, y up, z to the camera, in distances of the eyes. The
# mouth's corners are taken together, since a smile draws them apart. Heights and depths are those that fit best to
# rendered heads of known pose.
HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, -0.48, 0.54], [0, -0.9, 0.04]])
_SOLVER = np.linalg.pinv(HEAD - HEAD.mean(axis=0)).T  # [4, 3]


@dataclass(frozen=True)
class Judgement:
    """The parts, each with its own unit, and the quality, 0 to 1."""

    score: float  # of the detector, 0 to 1; falls for covered and for doubtful faces
    size: float  # side of the ArcFace square, brows to chin, in the photograph, pixels
    sharpness: float  # how much of the face's contrast lies in fine detail; about 0.45 in focus, 0.1 out of it
    brightness: float  # mean grey, 0 to 1
    contrast: float  # standard deviation of the grey, 0 to 1
    clipped: float  # part of the face that is black or white, 0 to 1
    outside: float  # part of the ArcFace square that lies outside of the photograph, 0 to 1
    residual: float  # distance of the points to the template's after the fit, in distances of the eyes
    yaw: float  # degrees, positive: the nose to the picture's right
    pitch: float  # degrees, positive: the nose up; five points tell it roughly
    roll: float  # degrees, positive: clockwise
    quality: float  # 0 to 1


def judge(pixels: Pixels, found: Found, fitted: Fit) -> Judgement:
    """Judge a face of a photograph, uint8 [H, W, 3] with red first, as `upright` reads it, or [H, W]."""
    square = fitted.matrix * (SIDE / ARCFACE_SIDE)
    face = crop(pixels, square, SIDE)
    grey = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8) if face.ndim == 3 else face
    yaw, pitch, roll = pose(found.points)
    parts = {
        "score": found.score,
        "size": fitted.side,
        "sharpness": sharpness(grey),
        "brightness": float(grey.mean()) / 255,
        "contrast": float(grey.std()) / 255,
        "clipped": float(((grey <= DARK) | (grey >= BRIGHT)).mean()),
        "outside": outside(square, pixels.shape[0], pixels.shape[1]),
        "residual": fitted.residual,
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
    }
    return Judgement(**parts, quality=_quality(parts))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Standard deviation of the Laplacian against that of the grey itself: blur lowers it, light does not."""
    fine = cv2.Laplacian(grey, cv2.CV_32F, ksize=1)
    return float(fine.std()) / max(float(grey.std()), 1.0)


def outside(square: Doubles, height: int, width: int) -> float:
    """Which part of the judged square lies outside of a photograph of height × width."""
    found = corners(square, SIDE).astype(np.float32)
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shared, _ = cv2.intersectConvexConvex(found, picture)
    return float(np.clip(1 - shared / cv2.contourArea(found), 0, 1))


def pose(points: NDArray[np.floating]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of five points [5, 2].

    Weak perspective: the linear map from the mean head to the points by least squares, then the nearest rotation
    (DeMenthon and Davis, IJCV 1995, without the iterations). The head is turned by yaw first, then pitch, then roll.
    """
    four = np.concatenate([points[:3], points[3:].mean(axis=0, keepdims=True)]).astype(np.float64) * (1, -1)
    left, _, right = np.linalg.svd((four - four.mean(axis=0)).T @ _SOLVER, full_matrices=False)
    across, up = left @ right
    towards = np.cross(across, up)
    angles = (
        np.arctan2(-towards[0], towards[2]),
        np.arcsin(np.clip(-towards[1], -1, 1)),
        np.arctan2(across[1], up[1]),
    )
    yaw, pitch, roll = (float(np.degrees(angle)) for angle in angles)
    return yaw, pitch, roll


def fault_of(judged: Judgement, config: CurateConfig) -> str:
    """The first threshold that a face misses, in few words; "" where it misses none."""
    missed: dict[str, bool] = {
        "too small": judged.size < config.min_size,
        "cut off by the border": judged.outside > config.max_outside,
        "blurred": judged.sharpness < config.min_sharpness,
        "too dark": judged.brightness < config.min_brightness,
        "too bright": judged.brightness > config.max_brightness,
        "too little contrast": judged.contrast < config.min_contrast,
        "turned away": abs(judged.yaw) > config.max_yaw or abs(judged.pitch) > config.max_pitch,
        "low quality": judged.quality < config.min_quality,
    }
    return next((reason for reason, yes in missed.items() if yes), "")


# reason → the part that decided it, for sorting and showing
DECIDED_BY = {
    "too small": "size",
    "cut off by the border": "outside",
    "blurred": "sharpness",
    "too dark": "brightness",
    "too bright": "brightness",
    "too little contrast": "contrast",
    "turned away": "yaw",
    "low quality": "quality",
}


def _quality(parts: dict[str, float]) -> float:
    """Geometric mean of six grades: one that is bad cannot be made up for by the others."""
    light = min(_ramp(parts["brightness"], 0.05, 0.25), _ramp(1 - parts["brightness"], 0.05, 0.2))
    grades = (
        _ramp(parts["score"], 0.5, 0.9),
        _ramp(float(np.log2(max(parts["size"], 1))), 4, 6.5),  # 16 to 90 pixels
        _ramp(parts["sharpness"], 0.08, 0.4),
        light * _ramp(parts["contrast"], 0.03, 0.15) * (1 - parts["clipped"]),
        1 - _ramp(parts["outside"], 0, 0.5),
        max(float(np.cos(np.radians(parts["yaw"])) * np.cos(np.radians(parts["pitch"]))), 0.0),
    )
    return float(np.prod(grades) ** (1 / len(grades)))


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
