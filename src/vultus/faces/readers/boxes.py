"""The box of a face in a picture that shows more than the face."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from vultus.faces.decode import Box, check_box

Floats = npt.NDArray[np.float64]


def side_of(path: Path) -> Floats:
    """Width and height [2] of a picture in pixels, from its header. Raises OSError or ValueError for no picture."""
    try:
        with Image.open(path) as image:
            return np.array(image.size, np.float64)
    except Image.DecompressionBombError as error:
        raise ValueError(f"decompression bomb: {error}") from error


def box_about(points: Floats, side: Floats, margin: float) -> Box:
    """A square about points ([P, 2], pixels), in fractions of the picture whose width and height are `side` [2].

    On every side stays a margin, a part of the points' larger extent: 0.6 leads from eyes, nose and mouth to
    forehead and chin, 0.2 frames points that run along the jaw. Raises ValueError for points far outside the
    picture, or not finite.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) * (0.5 + margin)
    left, top = ((low + high) / 2 - half) / side
    right, bottom = ((low + high) / 2 + half) / side
    box = (float(left), float(top), float(right), float(bottom))
    check_box(box)
    return box


def marked(points: Floats, side: Floats, margin: float) -> tuple[tuple[float, ...], Box]:
    """The label `landmarks` with NaN where a point is unknown, and the box about the known ones.

    Raises ValueError where fewer than two points are known, or the box is none.
    """
    known = points[np.isfinite(points).all(axis=1)]
    if len(known) < 2:
        raise ValueError(f"two known landmarks or more needed, found {len(known)} of {len(points)}")
    return fractions(points, side), box_about(known, side, margin)


def fractions(points: Floats, side: Floats) -> tuple[float, ...]:
    """Points ([P, 2], pixels) as the label `landmarks`: x0, y0, x1, y1, … as fractions of the picture."""
    return tuple((points / side).ravel().tolist())
