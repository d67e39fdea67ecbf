"""A method's views of a few rendered faces as one picture: a column a face, a row a view."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from vultus.faces import decode
from vultus.faces.record import Record
from vultus.report.colours import INK
from vultus.views import View, render_views
from vultus.views.presets import original

Pixels = NDArray[np.uint8]
PEOPLE = 5  # columns
RENDERED = 40  # faces of these people; two of each are shown
SEED = 0
GAP = 6  # pixels between tiles
LETTERS = 14  # pixels, height of the labels
ENLARGED = 2  # every pixel of a view is shown as so many squared
PAPER = "#ffffff"


@dataclass(frozen=True, eq=False)
class Shown:
    """One face of each person, another of the same person, and the first one's landmarks in parts of the side."""

    images: Tensor  # uint8 (B, 3, S, S)
    partners: Tensor  # uint8 (B, 3, S, S)
    landmarks: Tensor  # (B, L, 2)


def rendered_faces(size: int) -> Shown:
    """Two synthetic faces of `size` pixels of each of five people, the same in every call."""
    from vultus.faces.synthetic import generate

    people: dict[object, list[Record]] = {}
    for record in generate(RENDERED, size=size, seed=SEED, identities=PEOPLE):
        people.setdefault(record.labels["identity"], []).append(record)
    first, second = ([faces[i] for faces in people.values()] for i in (0, 1))
    points = np.array([record.labels["landmarks"] for record in first], np.float32).reshape(len(first), -1, 2)
    return Shown(_decoded(first, size), _decoded(second, size), torch.from_numpy(points))


def _decoded(records: list[Record], size: int) -> Tensor:
    pixels = np.empty((len(records), 3, size, size), np.uint8)
    for out, record in zip(pixels, records, strict=True):
        decode.face(record.image, record.box, size, out)
    return torch.from_numpy(pixels)


def view_rows(views: Mapping[str, View], faces: Shown, size: int) -> dict[str, Pixels]:
    """The faces at `size` pixels and each view of them as in training, [B, 3, S, S] by name.

    Where a view shows partners, these stand as a row of their own below the faces.
    """
    rows = {"the face": original(size)}
    if any(view.partner for view in views.values()):
        rows["its partner"] = replace(original(size), partner=True)
    rows |= {name: view.to_show for name, view in views.items()}
    seen = render_views(faces.images, rows, seed=SEED, landmarks=faces.landmarks, partners=faces.partners)
    return {name: (images.clamp(0, 1) * 255).round().byte().numpy() for name, images in seen.items()}


def sheet(rows: Mapping[str, Pixels]) -> Image.Image:
    """Rows [B, 3, S, S] one below the other with their names to the left; smaller views stand centred, not enlarged."""
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), LETTERS)
    sides = {name: tiles.shape[-1] * ENLARGED for name, tiles in rows.items()}
    cell, count = max(sides.values()), max(len(tiles) for tiles in rows.values())
    left = round(max(font.getlength(name) for name in rows)) + 2 * GAP
    canvas = Image.new("RGB", (left + count * (cell + GAP), sum(sides.values()) + GAP * (len(rows) + 1)), PAPER)
    pen, top = ImageDraw.Draw(canvas), GAP
    for name, tiles in rows.items():
        side = sides[name]
        pen.text((GAP, top + side // 2), name, fill=INK, font=font, anchor="lm")
        for i, tile in enumerate(tiles):
            enlarged = tile.repeat(ENLARGED, 1).repeat(ENLARGED, 2).transpose(1, 2, 0)
            canvas.paste(Image.fromarray(enlarged), (left + i * (cell + GAP) + (cell - side) // 2, top))
        top += side + GAP
    return canvas


def view_picture(views: Mapping[str, View], size: int) -> Image.Image:
    """The views of a method built for `size` pixels, on faces rendered at twice that side so that crops stay sharp."""
    return sheet(view_rows(views, rendered_faces(2 * size), size))
