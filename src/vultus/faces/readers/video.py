"""Frames of a video as pictures."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

QUALITY = 95  # of the JPEG: above it the file grows and the face does not


def frames(path: Path, every: int = 1) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Frames 1, 1 + every, 1 + 2 every, … with their numbers: uint8 [H, W, 3] in OpenCV's order, blue first.

    Raises ValueError where OpenCV cannot open the video.
    """
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise ValueError("OpenCV cannot open it: no video, or a codec it lacks")
        number = 0
        while capture.grab():  # decodes no pixels, so that frames left out cost little
            number += 1
            if (number - 1) % every:
                continue
            read, pixels = capture.retrieve()
            if read:
                yield number, np.asarray(pixels, np.uint8)
    finally:
        capture.release()


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A frame [H, W, 3], blue first, as JPEG."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def check_every(every: int) -> None:
    """Raise ValueError unless `every` is a distance between frames."""
    if every < 1:
        raise ValueError(f"every is the distance between two frames kept, 1 (all) or more; got {every}")
