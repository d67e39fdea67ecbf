"""Every kind of picture comes out upright, uint8, three channels, square; what cannot is refused with a reason."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faces_pictures import bomb, encoded, jpeg, smooth
from vultus.faces import decode
from vultus.faces.jpeg_header import Header, read_header


def face(data: bytes, size: int, box: decode.Box | None = None) -> np.ndarray:
    out = np.zeros((3, size, size), np.uint8)
    decode.face(data, box, size, out)
    return out


def close(found: np.ndarray, expected: np.ndarray, tolerance: float = 3) -> None:
    """`expected` is [H, W, 3]."""
    difference = np.abs(found.astype(float) - expected.astype(float).transpose(2, 0, 1))
    assert difference.mean() < tolerance


def test_jpeg_agrees_with_pillow() -> None:
    data = jpeg(1)
    close(face(data, 48), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), 1)


def test_png_is_exact() -> None:
    pixels = smooth(2)
    np.testing.assert_array_equal(face(encoded(pixels, "PNG"), 48), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_stays_grey(kind: str) -> None:
    pixels = smooth(3)[:, :, 0]
    found = face(encoded(pixels, kind), 48)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    close(found, np.stack([pixels] * 3, axis=-1), 1)


@pytest.mark.parametrize("kind", ["WEBP", "BMP", "TIFF", "PPM"])
def test_other_formats(kind: str) -> None:
    close(face(encoded(smooth(4), kind), 48), smooth(4))


def test_sixteen_bits_keep_their_upper_eight() -> None:
    deep = np.arange(48 * 48, dtype=np.uint16).reshape(48, 48) * 28
    found = face(encoded(deep, "PNG"), 48)
    np.testing.assert_array_equal(found[1], deep // 256)


def test_cmyk_jpeg() -> None:
    ink = np.zeros((48, 48, 4), np.uint8)
    ink[..., 0] = 255  # full cyan: no red
    found = face(encoded(Image.fromarray(ink, "CMYK")), 48).reshape(3, -1).mean(axis=1)
    assert found[0] < 10
    assert found[1] > 240
    assert found[2] > 240


def test_palette() -> None:
    image = Image.fromarray(smooth(5)).quantize(256)
    close(face(encoded(image, "PNG"), 48), smooth(5), 8)


def test_transparent_pixels_become_grey() -> None:
    pixels = np.full((48, 48, 4), 255, np.uint8)
    pixels[:, :24, 3] = 0
    found = face(encoded(pixels, "PNG"), 48)
    assert (found[:, :, :24] == 127).all()
    assert (found[:, :, 24:] == 255).all()


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.fromarray(np.full((32, 32), shade, np.uint8)) for shade in (200, 10)]
    found = face(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), 32)
    assert (found == 200).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_orientation(orientation: int, kind: str) -> None:
    """A picture stored turned, with the tag that says so, comes out as it was before the turn."""
    upright = smooth(6, 48, 32)
    stored = {  # how a camera would have stored it: the inverse of what the tag asks for
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(np.ascontiguousarray(stored), kind, exif=exif)
    assert decode.check(data) == (48, 32)
    expected = np.asarray(Image.fromarray(upright).resize((48, 48), Image.Resampling.BICUBIC))
    close(face(data, 48), expected)


def test_box_cuts_the_quadrant_it_names() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:20, :40], pixels[:20, 40:], pixels[20:, :40], pixels[20:, 40:] = 50, 100, 150, 200
    data = encoded(pixels, "PNG")
    for box, shade in {
        (0, 0, 0.5, 0.5): 50,
        (0.5, 0, 1, 0.5): 100,
        (0, 0.5, 0.5, 1): 150,
        (0.5, 0.5, 1, 1): 200,
    }.items():
        assert (face(data, 20, box) == shade).all()
    both = face(data, 20, (0.25, 0, 0.75, 0.5))
    assert (both[:, :, :10] == 50).all()
    assert (both[:, :, 10:] == 100).all()


def test_box_out_of_the_picture_repeats_the_edge() -> None:
    pixels = np.full((40, 40, 3), 90, np.uint8)
    pixels[:, :4] = 30
    found = face(encoded(pixels, "PNG"), 80, (-0.5, -0.5, 1.5, 1.5))
    assert (found[:, :, :24] == 30).all()
    assert (found[:, :, 24:] == 90).all()


def test_shrinking_does_not_alias() -> None:
    """A chequerboard of single pixels, shrunk by four, is flat grey; picking pixels would give 0 or 255."""
    board = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    found = face(encoded(board, "PNG"), 32)
    assert abs(found.astype(float) - 127.5).max() < 2


@pytest.mark.parametrize("side", [30, 48, 64, 400])
def test_any_size_agrees_with_pillow(side: int) -> None:
    """From 400 pixels libjpeg itself does part of the shrinking; 30 pixels grow."""
    data = jpeg(8, side, side)
    filter_ = Image.Resampling.BOX if side > 48 else Image.Resampling.BICUBIC
    expected = Image.open(io.BytesIO(data)).resize((48, 48), filter_)
    close(face(data, 48), np.asarray(expected), 1.5)


def test_scaled_decoding_keeps_the_box() -> None:
    pixels = np.full((800, 800, 3), 60, np.uint8)
    pixels[200:600, 200:600] = 180
    found = face(encoded(pixels), 48, (0.25, 0.25, 0.75, 0.75))
    assert abs(found[:, 2:-2, 2:-2].astype(int) - 180).max() <= 2


FULL = {"jpeg": jpeg(9), "png": encoded(smooth(9), "PNG")}
BAD = {
    "empty": (b"", "empty file"),
    "text": (b"not a picture at all" * 20, "not a picture"),
    "half a JPEG": (FULL["jpeg"][: len(FULL["jpeg"]) // 2], "cannot be decoded"),
    "a JPEG without its end": (FULL["jpeg"][:-40], "truncated"),
    "half a PNG": (FULL["png"][: len(FULL["png"]) // 2], "cannot be decoded"),
    "one pixel": (encoded(np.zeros((1, 1, 3), np.uint8), "PNG"), "too small: 1×1"),
    "a strip": (encoded(np.zeros((200, 7, 3), np.uint8), "PNG"), "too small: 7×200"),
    "bomb": (bomb(), "decompression bomb"),
    "smaller bomb": (bomb(8_000, 7_000), "decompression bomb"),
    "vector graphics": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n", "not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_are_refused_with_the_reason(name: str) -> None:
    data, reason = BAD[name]
    with pytest.raises(decode.UnreadableImageError, match=reason):
        decode.check(data)


def test_a_jpeg_bomb_is_refused_by_its_header() -> None:
    """The frame header of a small JPEG is made to claim 60,000 × 60,000 pixels."""
    data = bytearray(jpeg(1))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xea\x60\xea\x60"
    with pytest.raises(decode.UnreadableImageError, match="decompression bomb"):
        decode.check(bytes(data))


@pytest.mark.parametrize(
    "box", [(0.5, 0, 0.5, 1), (0.7, 0, 0.2, 1), (1.2, 0, 1.5, 1), (0, 0, 9, 9), (0, float("nan"), 1, 1)]
)
def test_improper_boxes(box: decode.Box) -> None:
    with pytest.raises(ValueError, match="left, top, right, bottom"):
        decode.check_box(box)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_a_jpegs_header_is_read_without_its_pixels(mode: str, channels: int, progressive: bool) -> None:
    picture = Image.fromarray(smooth(5)).convert(mode).resize((40, 24))
    exif = Image.Exif()
    for turned in (False, True):
        if turned:
            exif[0x0112] = 6
        buffer = io.BytesIO()
        picture.save(
            buffer, "JPEG", progressive=progressive, exif=exif if turned else b"", comment=b"\xff\xc0 no frame"
        )
        assert read_header(buffer.getvalue()) == Header(24, 40, channels, turned)


@given(st.binary(max_size=64), st.integers(0, 400))
def test_no_bytes_make_the_header_fail(junk: bytes, cut: int) -> None:
    data = jpeg(1)
    for broken in (b"\xff\xd8" + junk, data[:cut], data[:cut] + junk + data[cut:]):
        header = read_header(broken)
        assert header is None or min(header.height, header.width, header.channels) >= 0
    assert read_header(junk) is None or junk[:2] == b"\xff\xd8"
