"""Picture bytes → uint8 pixels of a face: upright, cut to its box, resized without aliasing.

JPEG goes through libjpeg-turbo, everything else (and every JPEG that is rotated, CMYK or odd) through Pillow.
Grey pictures stay grey: their three channels are equal. Transparent pixels become mid-grey, 16-bit pictures
keep their upper eight bits, animations give their first frame. A picture that is not square is squeezed into
the square. A picture of more than 50 megapixels is refused from its header, before a pixel is decoded.
"""

import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

from vultus.faces.jpeg_header import Header, read_header

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

MAX_PIXELS = 50_000_000
MIN_SIDE = 8  # pixels; a smaller picture shows no face
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
# Pillow's other plug-ins (EPS starts Ghostscript) have no business with pictures of unknown origin
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_ORIENTATION = 0x0112
_CONVERTIBLE = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV", "LA", "PA", "La", "RGBa", "RGBA")


class UnreadableImageError(ValueError):
    """A picture that cannot be a face of a set; the message is the reason, without the picture's name."""


def check(data: bytes) -> tuple[int, int]:
    """Decode a whole picture and return its upright (height, width) in pixels.

    Raises UnreadableImageError when the picture is empty, no picture, truncated, too large or too small.
    """
    pixels = upright(data)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise UnreadableImageError(f"too small: {width}×{height} pixels, at least {MIN_SIDE}×{MIN_SIDE} needed")
    return height, width


def check_box(box: Box) -> None:
    """Raise ValueError unless the box is (left, top, right, bottom), not empty, and meets the picture.

    A box may reach out of the picture by its whole side; what lies outside repeats the picture's edge.
    """
    left, top, right, bottom = box
    proper = -1 <= left < right <= 2 and -1 <= top < bottom <= 2
    if not proper or left >= 1 or top >= 1 or right <= 0 or bottom <= 0:
        raise ValueError(f"a box is (left, top, right, bottom) in fractions of the upright picture, got {tuple(box)}")


def face(data: bytes, box: Box | None, size: int, out: Pixels) -> None:
    """Decode one face into `out`, uint8 [3, size, size], C-contiguous.

    The box is in fractions of the upright picture. Raises UnreadableImageError.
    """
    left, top, right, bottom = box or WHOLE
    # libjpeg may deliver 1/2, 1/4 or 1/8 of the picture as long as the box still covers size × size
    pixels = upright(data, math.ceil(size / (bottom - top)), math.ceil(size / (right - left)))
    if box is not None:
        pixels = _crop(pixels, box)
    pixels = _resize(pixels, size)
    if pixels.ndim == 2:
        out[:] = pixels
    else:
        cv2.split(pixels, list(out))  # writes the three planes in place, three times as fast as a transpose


def faces(files: Sequence[bytes], size: int) -> Pixels:
    """Whole pictures as faces, uint8 [B, 3, size, size]. Raises UnreadableImageError."""
    out = np.empty((len(files), 3, size, size), np.uint8)
    for data, place in zip(files, out, strict=True):
        face(data, None, size, place)
    return out


def upright(data: bytes, min_height: int = 0, min_width: int = 0) -> Pixels:
    """A whole picture, turned as its Exif says: [H, W] for a grey one, else [H, W, 3].

    Sides above 0 let libjpeg deliver less than the full size, as long as these are kept. Raises UnreadableImageError.
    """
    if not data:
        raise UnreadableImageError("empty file")
    header = read_header(data)
    if header is not None and not (header.exif and _rotated(data)):
        pixels = _jpeg(data, header, min_height, min_width)
        if pixels is not None:
            return pixels
    return _any(data)


def _rotated(data: bytes) -> bool:
    """Whether a JPEG's Exif block asks for a turn; an unreadable block counts as one, for Pillow to judge."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return bool(image.getexif().get(_ORIENTATION, 1) != 1)
    except Exception:
        return True


def _jpeg(data: bytes, header: Header, min_height: int, min_width: int) -> Pixels | None:
    """None where libjpeg-turbo is not content: Pillow forgives more, and names the fault."""
    _refuse_large(header.height, header.width)
    if header.channels not in (1, 3):
        return None
    scaled = min_height > 0 and header.height >= 2 * min_height and header.width >= 2 * min_width
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data,
            "GRAY" if header.channels == 1 else "RGB",
            min_height=min_height if scaled else 0,
            min_width=min_width if scaled else 0,
        )
    except ValueError:
        return None
    return pixels[:, :, 0] if header.channels == 1 else pixels


def _any(data: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _refuse_large(image.height, image.width)
            return _eight_bit(ImageOps.exif_transpose(image))
    except UnreadableImageError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"decompression bomb: {error}") from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"not a picture (readable: {', '.join(_FORMATS)})") from error
    except Exception as error:  # a broken file can raise anything out of a format's plug-in
        raise UnreadableImageError(f"cannot be decoded: {error}") from error


def _eight_bit(image: Image.Image) -> Pixels:
    """[H, W] for grey pictures, [H, W, 3] for the rest."""
    if image.mode.startswith("I"):  # 16-bit grey: "I;16…", or "I" in older Pillow
        deep = np.asarray(image).astype(np.int64)
        return np.asarray(np.clip(deep >> 8, 0, 255), dtype=np.uint8)
    if image.mode not in _CONVERTIBLE:
        raise UnreadableImageError(f"colour mode {image.mode} is not supported")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", seen.size, (127, 127, 127, 255)), seen)
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"), dtype=np.uint8)


def _refuse_large(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise UnreadableImageError(
            f"decompression bomb: {width}×{height} pixels, at most {MAX_PIXELS // 10**6} megapixels allowed"
        )


def _crop(pixels: Pixels, box: Box) -> Pixels:
    check_box(box)
    height, width = pixels.shape[:2]
    left, top = round(box[0] * width), round(box[1] * height)
    right, bottom = max(round(box[2] * width), left + 1), max(round(box[3] * height), top + 1)
    # the innermost pixel at the edge, for a box that only grazes the picture
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = max(right, 1), max(bottom, 1)
    inside = pixels[max(top, 0) : bottom, max(left, 0) : right]
    missing = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(missing):
        return np.asarray(cv2.copyMakeBorder(inside, *missing, cv2.BORDER_REPLICATE), dtype=np.uint8)
    return inside


def _resize(pixels: Pixels, size: int) -> Pixels:
    """Shrink by area (anti-aliased), then grow by cubic interpolation, each only where needed."""
    height, width = pixels.shape[:2]
    small = (min(width, size), min(height, size))
    if small != (width, height):
        pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if small != (size, size):
        pixels = np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return pixels
