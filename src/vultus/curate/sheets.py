"""Rows of pictures for the page."""

from collections.abc import Sequence

import cv2
import numpy as np

from vultus.curate.detect import Pixels
from vultus.faces.decode import UnreadableImageError, upright
from vultus.report.markup import Markup, element, join, picture

TILE, GAP = 88, 6  # pixels
ACROSS = 12  # tiles of a row


def sheet(pictures: Sequence[bytes], alt: str) -> Markup:
    """Pictures side by side, ACROSS a row, as one image with transparent gaps; long ones keep their shape."""
    rows = -(-len(pictures) // ACROSS)
    across = min(len(pictures), ACROSS)
    canvas = np.zeros((rows * (TILE + GAP) - GAP, across * (TILE + GAP) - GAP, 4), np.uint8)
    for place, data in enumerate(pictures):
        tile = _tile(data)
        top = place // ACROSS * (TILE + GAP) + (TILE - tile.shape[0]) // 2
        left = place % ACROSS * (TILE + GAP) + (TILE - tile.shape[1]) // 2
        canvas[top : top + tile.shape[0], left : left + tile.shape[1], :3] = tile
        canvas[top : top + tile.shape[0], left : left + tile.shape[1], 3] = 255
    return picture(canvas, alt)


def named_rows(rows: Sequence[tuple[str, Sequence[bytes]]], about: str) -> Markup:
    """A sheet under each name; rows without pictures are left out."""
    shown = [(name, pictures) for name, pictures in rows if pictures]
    return join(
        element("div", element("h4", name), sheet(pictures, f"{about}: {name}"), style="margin-bottom: 1rem")
        for name, pictures in shown
    )


def _tile(data: bytes) -> Pixels:
    """[h, w, 3] within TILE × TILE; a grey square for what cannot be shown."""
    try:
        pixels = upright(data)
    except UnreadableImageError:
        return np.full((TILE, TILE, 3), 127, np.uint8)
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    scale = TILE / max(colour.shape[:2])
    width, height = (max(round(side * scale), 1) for side in colour.shape[1::-1])
    return np.asarray(cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
