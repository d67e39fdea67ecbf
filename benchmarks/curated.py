"""Does curation help? SimCLR learns from a pool dirtied on purpose, as it is and curated, for the same time.

    VULTUS_DATA=folder-with-the-sets python -m benchmarks.curated OUT [--minutes 10] [--seeds 0 1]

The pool: the training faces of UTKFace and of MTFL (without its pictures of LFW) are a half of it; 30 % are crops of
MTFL's photographs without a face, 10 % faces again, compressed anew, 10 % other copies of faces, blurred. Both encoders
are read alike on FER2013, LFW, UTKFace and MTFL. Every part resumes.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.real import real_sets
from vultus.curate.config import CurateConfig
from vultus.curate.examine import encoded
from vultus.curate.run import curate
from vultus.evaluation.measure import measure
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.table import headlines, markdown
from vultus.faces.decode import upright
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack
from vultus.recipes import recipe
from vultus.training.run import pretrain

SIZE = 48
READ = {"fer2013": "expression", "lfw": "identity", "utkface": "attributes", "mtfl": "attributes"}
CUT = CurateConfig(max_outside=1.0)  # UTKFace's pictures are cut close already: the template may look beyond them
FACELESS, COPIES, BLURRED = 0.3, 0.1, 0.1  # parts of the pool


def pool(sets: dict[str, Path], out: Path) -> Path:
    """The dirty pool as a folder of JPEGs named by what they are; the same at each call."""
    if not out.exists():
        partial = out.with_name(f"{out.name}.partial")
        partial.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures(sets):
            (partial / f"{name}.jpg").write_bytes(picture)
        partial.rename(out)
    return out


def pictures(sets: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each picture of the pool."""
    rng = np.random.default_rng(0)
    parts = [FaceSet.open(sets[name]).where(split="train") for name in ("utkface", "mtfl")]
    parts[1] = parts[1].take(np.flatnonzero(~np.char.startswith(parts[1].names, "lfw_5590")))
    every = [(part, row) for part in parts for row in range(len(part))]
    total = round(len(every) / (1 - FACELESS - COPIES - BLURRED))
    for number, (part, row) in enumerate(every):
        yield f"face-{number:05d}", encoded(upright(part.image_bytes(row)), 95)
    for number in range(round(FACELESS * total)):
        row = int(rng.integers(len(parts[1])))
        yield (
            f"faceless-{number:05d}",
            encoded(beside(upright(parts[1].image_bytes(row)), parts[1].boxes[row], rng), 95),
        )
    for number in range(round(COPIES * total)):
        part, row = every[rng.integers(len(every))]
        yield f"copy-{number:05d}", encoded(upright(part.image_bytes(row)), 60)
    for number in range(round(BLURRED * total)):
        part, row = every[rng.integers(len(every))]
        pixels = upright(part.image_bytes(row))
        yield f"blurred-{number:05d}", encoded(cv2.GaussianBlur(pixels, (0, 0), pixels.shape[0] / 12), 95)


def beside(
    pixels: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator, tries: int = 50
) -> NDArray[np.uint8]:
    """A square of 0.25 to 0.5 of the photograph's side, of `tries` that which meets the face's box the least."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = box * (width, height, width, height)
    found: tuple[float, NDArray[np.uint8]] | None = None
    for _ in range(tries):
        side = int(rng.uniform(0.25, 0.5) * min(height, width))
        x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        across, down = min(x + side, right) - max(x, left), min(y + side, bottom) - max(y, top)
        met = max(across, 0) * max(down, 0) / side**2
        if found is None or met < found[0]:
            found = met, np.ascontiguousarray(pixels[y : y + side, x : x + side])
    assert found is not None  # there is a try
    return found[1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    asked = parser.parse_args(arguments)
    sets = real_sets(asked.out, tuple(READ))
    dirty = pool(sets, asked.out / "pool")
    learned = {"raw": asked.out / "raw", "curated": asked.out / "curated"}
    if not learned["raw"].exists():
        pack(dirty, learned["raw"], reader="folder")
    made = curate(str(dirty), learned["curated"], CUT)
    print("\n".join(made.funnel.lines()))
    figures = []
    for seed in asked.seeds:
        for name, faces in learned.items():
            config = replace(recipe("simclr-cpu"), size=SIZE, minutes=asked.minutes, seed=seed)
            run = asked.out / f"{name}-s{seed}"
            result = pretrain(config, faces, run)
            print(f"{name}, seed {seed}: {result.faces_seen:,} faces seen in {result.seconds / 60:.1f} minutes")
            for data, task in READ.items():
                found = measure(run, sets[data], task, protocol=Protocol(pca=256))
                figures += [replace(f, method=name, seed=seed) for f in headlines(found)]
    print(markdown(figures))


if __name__ == "__main__":
    main()
