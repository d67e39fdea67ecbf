"""Random access and decoding of 112-pixel JPEG faces out of a face set, on one thread, against Pillow and files."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record

COUNT, SIDE, BATCH, SECONDS = 2048, 112, 256, 1.0


def measure() -> dict[str, float]:
    """Faces a second of the face set and of Pillow, in random order, and their ratio; the better of three."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for record in pictures():
            files.append(Path(folder) / record.name)
            files[-1].write_bytes(record.image)
        write(pictures(), Path(folder) / "set", source="drawn", licence="CC0-1.0")
        faces = FaceSet.open(Path(folder) / "set")

        def pillow(indices: np.ndarray) -> None:
            batch = [np.asarray(Image.open(files[index]).convert("RGB")) for index in indices]
            np.stack(batch).transpose(0, 3, 1, 2).copy()

        ours, theirs = [], []
        for _ in range(3):
            ours.append(rate(lambda indices: faces.images(indices, SIDE)))
            theirs.append(rate(pillow))
    return {
        "face set, faces/s": max(ours),
        "Pillow from files, faces/s": max(theirs),
        "face set against Pillow": max(ours) / max(theirs),
    }


def pictures() -> Iterator[Record]:
    """Smooth blobs with a little noise: about as many JPEG bytes as a face (4 to 5 KB at quality 90)."""
    random = np.random.default_rng(0)
    for number in range(COUNT):
        coarse = random.integers(40, 220, (9, 9, 3)).astype(np.uint8)
        picture = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture += random.normal(0, 4, (SIDE, SIDE, 1))
        data = simplejpeg.encode_jpeg(picture.clip(0, 255).astype(np.uint8), quality=90, colorsubsampling="420")
        yield Record(data, f"{number:05d}.jpg")


def rate(decode: Callable[[np.ndarray], object]) -> float:
    """Faces a second of this thread's own time over `SECONDS`, in random order; other work does not disturb it."""
    random = np.random.default_rng(1)
    decode(random.integers(0, COUNT, BATCH))
    done, start = 0, time.thread_time()
    while time.thread_time() - start < SECONDS:
        decode(random.integers(0, COUNT, BATCH))
        done += BATCH
    return done / (time.thread_time() - start)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name}: {value:,.1f}")
