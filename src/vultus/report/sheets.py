"""Pictures set into sheets: columns of faces, rows of neighbours."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch.nn.functional import interpolate

from vultus.faces.faceset import FaceSet
from vultus.methods.model import FaceModel, to_batch
from vultus.nets.precision import autocast
from vultus.report.colours import QUIET
from vultus.report.letters import letters
from vultus.report.neighbours import nearest
from vultus.training.budget import load_side
from vultus.views import render_views

Pixels = NDArray[np.uint8]
GAP = 6  # pixels between tiles, transparent
CLEAR = 112  # pixels of a tile, at least
BAR = 4  # pixels of the bar under a neighbour that is alike
LETTERS = 12  # pixels
GREEN = (0, 158, 115, 255)


def stack(images: Pixels) -> Pixels:
    """Tiles [N, 3, S, S] one below the other: RGBA (H, S, 4) with transparent gaps."""
    side = max(images.shape[-1], CLEAR)  # enlarged here, so that a browser does not blur the gaps
    tiles = (
        images
        if side == images.shape[-1]
        else _bytes(interpolate(torch.from_numpy(images) / 255, size=(side, side), mode="bicubic"))
    )
    sheet = np.zeros((len(tiles) * (side + GAP) - GAP, side, 4), np.uint8)
    for i, tile in enumerate(tiles):
        _put(sheet, tile, i * (side + GAP), 0)
    return sheet


def view_columns(model: FaceModel, faces: FaceSet, rows: Sequence[int], seed: int = 0) -> dict[str, Pixels]:
    """The original and each view of the method by name, as columns over the same faces, rendered as in training."""
    originals = faces.images(rows, load_side(faces, model.size))
    views = {name: view.to_show for name, view in model.method.views().items()}  # type: ignore[operator]
    shown = render_views(torch.from_numpy(originals), views, seed=seed)
    columns = {"original": stack(faces.images(rows, model.size))}
    return columns | {name: stack(_bytes(images)) for name, images in shown.items()}


def reconstruction_columns(model: FaceModel, faces: FaceSet, rows: Sequence[int]) -> dict[str, Pixels]:
    """The method's panel by name, as columns over the same faces. Raises ValueError for a model without a decoder."""
    if not draws(model):
        raise ValueError(f"{model.name} has no decoder to draw faces with")
    images = to_batch(faces.images(rows, model.size), model.size).to(model.device)
    with torch.inference_mode(), autocast(model.device, "fp32"):
        drawn = model.method.reconstructions(images)  # type: ignore[operator]
    return {name: stack(_bytes(images)) for name, images in drawn.items()}


def draws(model: FaceModel) -> bool:
    """Whether the model can show what its features hold."""
    return hasattr(model.method, "reconstructions") and getattr(model.method.config, "reconstruct", True)


def neighbour_sheet(
    features: NDArray[np.floating],
    images: Pixels,
    queries: Sequence[int],
    alike: NDArray[np.bool_] | None = None,
    count: int = 8,
) -> Pixels:
    """A row for each query: the face, then its `count` nearest by cosine, a bar under those that are alike.

    features: [N, D]; images: [N, 3, S, S]; queries: Q rows of both; alike: [Q, N]. RGBA.
    """
    found = nearest(features, queries, count)
    side = images.shape[-1]
    high, wide = side + BAR + 2 * GAP, side + GAP
    sheet = np.zeros((len(queries) * high - GAP, (found.shape[1] + 1) * wide + 3 * GAP, 4), np.uint8)
    for i, (query, near) in enumerate(zip(queries, found, strict=True)):
        _put(sheet, images[query], i * high, 0)
        for j, other in enumerate(near):
            left = (j + 1) * wide + 3 * GAP
            _put(sheet, images[other], i * high, left)
            if alike is not None and alike[i, other]:
                top = i * high + side + 1
                sheet[top : top + BAR, left : left + side] = GREEN
    return sheet


def labelled(sheet: Pixels, names: Sequence[str]) -> Pixels:
    """A sheet of columns of equal width, RGBA, with a name above each."""
    font = letters(LETTERS)
    image = Image.new("RGBA", (sheet.shape[1], LETTERS + 2 * GAP + len(sheet)))
    image.paste(Image.fromarray(sheet), (0, LETTERS + 2 * GAP))
    draw, step = ImageDraw.Draw(image), (sheet.shape[1] + GAP) / len(names)
    for number, name in enumerate(names):
        draw.text((number * step, GAP // 2), name, QUIET, font)
    return np.asarray(image)


def _put(sheet: Pixels, tile: Pixels, top: int, left: int) -> None:
    side = tile.shape[-1]
    sheet[top : top + side, left : left + side, :3] = tile.transpose(1, 2, 0)
    sheet[top : top + side, left : left + side, 3] = 255


def _bytes(images: torch.Tensor) -> Pixels:
    return (images.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
