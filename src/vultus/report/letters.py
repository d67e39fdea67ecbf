"""The letters of pictures: DejaVu Sans, which comes with matplotlib."""

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont


@cache
def letters(size: int) -> ImageFont.FreeTypeFont:
    """The font at so many pixels."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
