"""Do two pictures show the same photograph? One is laid over the other, and the fine structure is compared.

An affine map of the second onto the first is found by maximising the enhanced correlation coefficient (Evangelidis and
Psarakis, PAMI 2008); it undoes cropping, and brightness and contrast do not matter. Then the middle frequencies of
both, at unit energy, are compared window by window: compression spreads its errors thinly over the picture, while
another picture of the same person, or a later frame of a film, differs strongly somewhere.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.faces.luminance import luminance

Grey = NDArray[np.float32]  # [S, S], 0…255

SIDE = 64
SMOOTH = 1.0  # standard deviation, pixels: finer detail does not survive compression
COARSE = 3.0  # pixels: what is coarser belongs to light and shading, in which all faces are alike
WINDOW = 9  # pixels
MARGIN = 5  # pixels at the border: the filters reach over it
FLOOR = 0.5  # added to a window's energy, in units of the picture's mean: a flat window cannot disagree much
STEPS = 30  # of the search
ALIKE = 0.8  # correlation of the overlaid pictures, below which they are not looked at closely
SHARED = 0.4  # part of the picture that both must show, border apart
FLAT = 1.0  # grey values: standard deviation of the middle frequencies, below which nothing can be compared


def outlines(images: NDArray[np.uint8]) -> Grey:
    """Faces uint8 [N, 3, S, S] → smoothed grey [N, 64, 64], to be compared."""
    small = luminance(images, SIDE).astype(np.float32)
    for face in small:
        cv2.GaussianBlur(face, (0, 0), SMOOTH, dst=face)
    return small


def agreement(a: Grey, b: Grey) -> float:
    """How well b [64, 64] laid over a agrees with it where it agrees least: at most 1, below 0.5 for most other faces.

    In every window the energy of the difference, over the energy of both plus a floor, is a disagreement; the largest
    is taken from 1.
    """
    laid = _laid_over(a, b)
    if laid is None:
        return 0.0
    over, seen = laid
    if seen.mean() < SHARED:
        return 0.0
    first, second = _middle(a, seen), _middle(over, seen)
    if first is None or second is None:
        return 0.0
    count = _sums(seen.astype(np.float32))
    whole = count > WINDOW**2 / 2
    apart = _sums((first - second) ** 2)[whole] / count[whole]
    energy = _sums(first**2 + second**2)[whole] / count[whole]
    return float(1 - (apart / (energy + FLOOR)).max())


def _laid_over(a: Grey, b: Grey) -> tuple[Grey, NDArray[np.bool_]] | None:
    """b moved onto a, and where it has pixels, border apart; None where nothing alike is found."""
    start, stop = np.eye(2, 3, dtype=np.float32), (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, 1e-4)
    try:
        alike, matrix = cv2.findTransformECC(a, b, start, cv2.MOTION_AFFINE, stop, None, 3)  # type: ignore[call-overload]
    except cv2.error:  # no overlap is left, or one of the pictures is flat
        return None
    if alike < ALIKE:
        return None
    size, flags = (SIDE, SIDE), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    over = cv2.warpAffine(b, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(b), matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT) > 0.999
    seen = cv2.erode(inside.astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2), borderValue=0) > 0
    return np.asarray(over, np.float32), np.asarray(seen)


def _middle(face: Grey, seen: NDArray[np.bool_]) -> Grey | None:
    """The middle frequencies where they are seen, at zero mean and unit energy, 0 elsewhere; None for a flat face."""
    fine = face - cv2.GaussianBlur(face, (0, 0), COARSE)
    mean, spread = fine[seen].mean(), fine[seen].std()
    if spread < FLAT:
        return None
    return np.asarray(np.where(seen, (fine - mean) / spread, 0), np.float32)


def _sums(values: Grey) -> Grey:
    """Over the window round each pixel."""
    return np.asarray(cv2.boxFilter(values, -1, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT))
