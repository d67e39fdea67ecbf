"""A perceptual hash of faces: 64 bits that hardly change when a picture is compressed, resized or brightened.

The signs, about their median, of the 8 × 8 lowest frequencies of a cosine transform of 32 × 32 grey values; those that
are constant along rows or columns are left out, for all upright faces share them. Bit 8r + c, counted from the lowest,
belongs to the frequency (r + 1, c + 1). Of a mirror image the odd columns change their signs, so that both hashes
come from one transform.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from vultus.faces.luminance import luminance

Hashes = NDArray[np.uint64]  # [N, 2]: of the faces, and of their mirror images
Pairs = NDArray[np.int64]  # [P, 2]

SIDE = 32
BANDS, BAND = 3, 21  # bits: within four flipped ones of 64, one of three bands has at most one
MOST = 5  # flipped bits for which that holds


def hashes(images: NDArray[np.uint8]) -> Hashes:
    """uint8 [N, 3, S, S] → uint64 [N, 2]: the hash of each face and of its mirror image."""
    low = dctn(luminance(images, SIDE).astype(np.float32), axes=(1, 2), norm="ortho")[:, 1:9, 1:9]
    mirrored = low * np.where(np.arange(1, 9) % 2, -1, 1)
    return np.stack([_packed(one.reshape(len(low), 64)) for one in (low, mirrored)], axis=1)


def distances(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Bits in which the hashes [N] and [N] differ, one by one."""
    flipped: NDArray[np.int64] = np.unpackbits(_bytes(a ^ b), axis=1).sum(axis=1, dtype=np.int64)
    return flipped


def near(queries: NDArray[np.uint64], base: NDArray[np.uint64], most: int) -> Pairs:
    """Every pair (query, base) [P, 2] of hashes that differ in at most `most` bits, ordered.

    Raises ValueError where `most` is above 5: the bands would miss some.
    """
    if not 0 <= most <= MOST:
        raise ValueError(f"hashes are searched within 0 to {MOST} bits, got {most}")
    import faiss  # here: those who only hash start without it

    index = faiss.IndexBinaryMultiHash(64, BANDS, BAND)
    index.add(_bytes(base))
    index.nflip = 1
    limits, _, found = index.range_search(_bytes(queries), most + 1)
    rows = np.repeat(np.arange(len(queries)), np.diff(limits).astype(np.int64))
    pairs = np.column_stack([rows, found]).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _packed(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    bits = values > np.median(values, axis=1, keepdims=True)
    return np.packbits(bits, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64)


def _bytes(codes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(codes.astype("<u8")).view(np.uint8).reshape(-1, 8)
