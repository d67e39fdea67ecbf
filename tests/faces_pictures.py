"""Pictures and records the tests of the face set are made of."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from vultus.faces.record import Label, Record


def smooth(seed: int, height: int = 48, width: int = 48, channels: int = 3) -> np.ndarray:
    """uint8 [H, W, C]: a few coarse blobs, which JPEG keeps nearly as they are."""
    coarse = np.random.default_rng(seed).integers(40, 215, (3, 3, channels)).astype(np.uint8)
    layers = [
        Image.fromarray(coarse[:, :, c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(channels)
    ]
    return np.stack([np.asarray(layer) for layer in layers], axis=-1)


def encoded(pixels: np.ndarray | Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 95} if kind == "JPEG" else {}) | options)
    return out.getvalue()


def jpeg(seed: int, height: int = 48, width: int = 48) -> bytes:
    return encoded(smooth(seed, height, width))


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a hundred bytes whose header claims width × height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def records(count: int, **labels: list[Label]) -> Iterator[Record]:
    """Records with pictures of their own; labels column by column."""
    for number in range(count):
        row = {column: values[number] for column, values in labels.items() if values[number] is not None}
        yield Record(jpeg(number), f"face{number:03d}.jpg", row)
