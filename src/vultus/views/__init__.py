"""A batch of faces → the views a method asks for.

    View(64, geometry=(Crop((0.3, 1)), Flip()), photometry=(Jitter(), Grey(), Blur()))

says what a view is; `render_views` makes the views of a step, each face with random numbers of its own.
"""

from vultus.views.colour import Grey, Jitter
from vultus.views.geometry import Affine, Crop, Flip, QuadrantCrop
from vultus.views.noise import Noise
from vultus.views.photometry import Blur, Erase, Sobel, Solarise
from vultus.views.stages import Shared
from vultus.views.step import render_views
from vultus.views.view import Draw, View, draw, render
from vultus.views.warp import LocalWarp

__all__ = [
    "Affine",
    "Blur",
    "Crop",
    "Draw",
    "Erase",
    "Flip",
    "Grey",
    "Jitter",
    "LocalWarp",
    "Noise",
    "QuadrantCrop",
    "Shared",
    "Sobel",
    "Solarise",
    "View",
    "draw",
    "render",
    "render_views",
]
