"""Photographs with rendered faces in them: a world of six people, drawn once."""

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vultus.faces.record import Record
from vultus.faces.synthetic import generate

SIDE = 120  # pixels of a rendered face


@cache
def rendered(count: int = 8) -> tuple[Record, ...]:
    """Faces that look about straight ahead, with their labels."""
    if find_spec("anny") is None:
        pytest.skip("the package anny (extra 'synthetic') is not installed")
    found = (face for face in generate(4 * count, size=SIDE, seed=7, workers=1) if abs(face.labels["yaw"]) < 25)
    return tuple(face for face, _ in zip(found, range(count), strict=False))


def face(number: int) -> np.ndarray:
    """uint8 [SIDE, SIDE, 3]."""
    return np.asarray(Image.open(io.BytesIO(rendered()[number].image)).convert("RGB"))


def photograph(*numbers: int, width: int = 200, height: int = 160, shrink: int = 1) -> np.ndarray:
    """Rendered faces side by side on a plain ground, uint8 [H, W, 3]; the second and later of half the size."""
    pixels = np.full((height, width, 3), (96, 110, 104), np.uint8)
    left = 6
    for place, number in enumerate(numbers):
        side = SIDE // shrink // (1 if place == 0 else 2)
        small = np.asarray(Image.fromarray(face(number)).resize((side, side), Image.Resampling.BOX))
        top = (height - side) // 2
        pixels[top : top + side, left : left + side] = small
        left += side + 6
    return pixels


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **{"quality": 95, **options})
    return out.getvalue()


def folder_of(root: Path, count: int = 8) -> Path:
    """A folder of photographs: one face each, in two subfolders; and a text that is no picture."""
    for number in range(count):
        file = root / ("a", "b")[number % 2] / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg(photograph(number)))
    (root / "a" / "bad.jpg").write_bytes(b"no picture")
    return root
