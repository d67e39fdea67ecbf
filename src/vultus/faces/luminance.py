"""Faces in grey."""

import cv2
import numpy as np
import numpy.typing as npt


def luminance(images: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """uint8 [N, 3, S, S] → luminance uint8 [N, size, size], resized by area where the size differs.

    Raises ValueError for anything but uint8 pictures with the channels second.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"expected uint8 faces of shape [N, 3, S, S], got {images.dtype} of shape {images.shape}: "
            "take them from FaceSet.images"
        )
    out = np.empty((len(images), size, size), np.uint8)
    for i, face in enumerate(images):
        flat = cv2.cvtColor(np.ascontiguousarray(face.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
        shrinks = flat.shape[0] > size
        if flat.shape != (size, size):
            flat = cv2.resize(flat, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        out[i] = flat
    return out
