"""Landmarks as the encoder sees them: in the face's box."""

import numpy as np
import numpy.typing as npt

from vultus.faces.mixture import Faces


def landmarks_in_boxes(faces: Faces) -> npt.NDArray[np.float32]:
    """Landmarks [N, L, 2] in parts of the side of the face as it is decoded: cut to its box; NaN where unknown."""
    points = faces.labels("landmarks").astype(np.float32).reshape(len(faces), -1, 2)
    corner, size = faces.boxes[:, None, :2], faces.boxes[:, None, 2:] - faces.boxes[:, None, :2]
    return (points - corner) / size
