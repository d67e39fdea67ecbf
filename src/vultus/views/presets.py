"""Views with names. Settings are those of the papers' code where it states them."""

from typing import Literal

from vultus.views.colour import Grey, Jitter
from vultus.views.geometry import Affine, Crop, Flip, QuadrantCrop
from vultus.views.photometry import Blur, Sobel, Solarise
from vultus.views.view import Photometry, View
from vultus.views.warp import LocalWarp

PCL_PHOTOMETRY: tuple[Photometry, ...] = (
    Jitter(0.8, 0.8, 0.8, 0.2, p=0.8),
    Grey(p=0.2),
    Blur(kernel=0.1, sigma=(0.1, 2.0), p=0.8),
    Sobel(p=0.6),
)


def original(size: int) -> View:
    """The whole picture, resized; nothing random."""
    return View(size)


def simclr(size: int, crop: float = 0.2, grey: bool = False, flip: bool = True, strength: float = 0.5) -> View:
    """SimCLR's view: crop of at least `crop` of the area, flip, jitter, grey, blur.

    grey: the pictures are grey, so what only changes colour is left out. flip: False for labels that have a side.
    strength: of the jitter (Chen et al. 2020, appendix A): 1 for large pictures, 0.5 for small ones.
    """
    j, hue = 0.8 * strength, 0.2 * strength
    colour = (Jitter(j, j, 0.0, 0.0, p=0.8),) if grey else (Jitter(j, j, j, hue, p=0.8), Grey(p=0.2))
    flips = (Flip(p=0.5),) if flip else ()
    return View(size, (Crop(scale=(crop, 1.0)), *flips), (*colour, Blur(0.1, (0.1, 2.0), p=0.5)))


def pcl_face(size: int, pair: Literal[0, 1]) -> View:
    """PCL's face view: a crop of 40 % of each side in one quadrant, then its photometry; the pair never meets."""
    return View(size, (QuadrantCrop(side=0.4, pair=pair),), PCL_PHOTOMETRY)


def photometric(size: int, flip: bool = False) -> View:
    """PCL's pose view: the whole face, only recoloured, blurred, edged; flip: its mirror image."""
    return View(size, (Flip(p=1.0),) if flip else (), PCL_PHOTOMETRY)


def byol(size: int, crop: float, second: bool) -> View:
    """BYOL's asymmetric pair (Grill et al. 2020, table 6): one is always blurred, the other at times solarised."""
    photometry: tuple[Photometry, ...] = (Jitter(0.4, 0.4, 0.2, 0.1, p=0.8), Grey(p=0.2))
    late = (Blur(p=0.1), Solarise(p=0.2)) if second else (Blur(p=1.0),)
    return View(size, (Crop(scale=(crop, 1.0)), Flip(p=0.5)), (*photometry, *late))


def multi_crop(
    size: int, small: int, large_scale: tuple[float, float], small_scale: tuple[float, float], few: int
) -> dict[str, View]:
    """Two crops of `size` pixels and `few` crops of `small` pixels (SwAV, Caron et al. 2020), by name.

    scale: area of the crop in parts of the picture's.
    """
    colour: tuple[Photometry, ...] = (Jitter(0.4, 0.4, 0.2, 0.1, p=0.8), Grey(p=0.2), Blur(p=0.5))
    views = {f"large_{k}": View(size, (Crop(large_scale), Flip(p=0.5)), colour) for k in range(2)}
    return views | {f"small_{k}": View(small, (Crop(small_scale), Flip(p=0.5)), colour) for k in range(few)}


def globally_changed(size: int, warp: LocalWarp, degrees: float = 15.0, shift: float = 0.08) -> View:
    """ContraWarping's view: a local warp, of magnitude 0 for positives, then an affine change, flip and colour."""
    turn = Affine((-degrees, degrees), shift, (0.9, 1.15))
    return View(size, (warp, turn, Flip(p=0.5)), (Jitter(0.4, 0.4, 0.4, 0.1, p=0.8), Grey(p=0.2), Blur(p=0.5)))
