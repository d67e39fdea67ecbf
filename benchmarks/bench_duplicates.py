"""Copies planted among real faces, and found again: precision and recall, counted on pairs.

    VULTUS_DATA=folder-with-lfw… python -m benchmarks.bench_duplicates [SET …] [--sheets FOLDER]

Of 1,000 faces of a set copies are planted among all its faces: compressed anew (JPEG quality 30 to 90), resized (50 to
200 %), cut by 5 % at a random place, brightened or darkened by up to 20 %, mirrored; and all of these at once, which is
reported by itself. Sets hold copies of their own (FER2013 and UTKFace many): pairs found among a set's own faces are
counted as `own pairs`, and shown to the eye by `--sheets`; the precision counts each of them as an error, the
`precision but for own pairs` none.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from vultus.curate.duplicates import Duplicates, find
from vultus.faces import decode
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack

Pixels = NDArray[np.uint8]
PLANTED, SEED = 1_000, 0
SINGLE = ("compressed", "resized", "cut", "brightened", "mirrored")
ALL = "all at once"
QUALITY = 90  # of copies whose change is another


class Pictures:
    """Faces by their files' bytes."""

    def __init__(self, files: Sequence[bytes]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def image_bytes(self, index: int) -> bytes:
        return self.files[index]

    def images(self, indices: Sequence[int] | NDArray[np.int64], size: int) -> Pixels:
        return decode.faces([self.files[int(index)] for index in indices], size)


def copy(face: Pixels, change: str, rng: np.random.Generator) -> bytes:
    """A face [H, W, 3], changed, as JPEG."""
    quality = int(rng.integers(30, 91)) if change in ("compressed", ALL) else QUALITY
    if change in ("cut", ALL):
        height, width = (round(0.95 * side) for side in face.shape[:2])
        top, left = rng.integers(face.shape[0] - height + 1), rng.integers(face.shape[1] - width + 1)
        face = face[top : top + height, left : left + width]
    if change in ("resized", ALL):
        scale = rng.uniform(0.5, 2.0)
        size = (round(face.shape[1] * scale), round(face.shape[0] * scale))
        face = cv2.resize(face, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if change in ("brightened", ALL):
        light = 1 + rng.choice([-1, 1]) * rng.uniform(0.05, 0.2)
        face = np.clip(face * light, 0, 255).astype(np.uint8)
    if change == "mirrored" or (change == ALL and rng.random() < 0.5):
        face = face[:, ::-1]
    return simplejpeg.encode_jpeg(np.ascontiguousarray(face), quality=quality, colorsubsampling="420")


def native(faces: FaceSet, row: int) -> Pixels:
    """A face [H, W, 3] cut to its box, at its own size."""
    height, width = decode.check(faces.image_bytes(row))
    left, top, right, bottom = faces.boxes[row]
    side = max(round(max((bottom - top) * height, (right - left) * width)), 16)
    return faces.images([row], side)[0].transpose(1, 2, 0)


def planted(faces: FaceSet, changes: Sequence[str]) -> tuple[Pictures, NDArray[np.int64], list[str]]:
    """The faces with their copies behind them; of each the face it shows, and how it was changed."""
    rng = np.random.default_rng(SEED)
    files = [copy(native(faces, row), "none", rng) for row in range(len(faces))]
    origin, change = list(range(len(faces))), ["own"] * len(faces)
    for row in rng.permutation(len(faces))[:PLANTED].tolist():
        for kind in changes:
            files.append(copy(native(faces, row), kind, rng))
            origin.append(row)
            change.append(kind)
    return Pictures(files), np.array(origin), change


def pairs(found: Duplicates) -> set[tuple[int, int]]:
    """Every two faces of a group."""
    return {tuple(sorted(pair)) for group in found.groups for pair in combinations(group.tolist(), 2)}


def score(found: Duplicates, origin: NDArray[np.int64], change: Sequence[str]) -> dict[str, float]:
    """Precision and recall of pairs; a copy found with another face's own copy counts as its set's affair."""
    told = pairs(found)
    families: dict[int, list[int]] = {}
    for row, own in enumerate(origin.tolist()):
        families.setdefault(own, []).append(row)
    true = {pair for family in families.values() for pair in combinations(family, 2)}
    own_pairs = {pair for pair in told if change[pair[0]] == change[pair[1]] == "own"}
    akin = {frozenset(pair) for pair in own_pairs}
    wrong = {p for p in told - true if frozenset((int(origin[p[0]]), int(origin[p[1]]))) not in akin}
    figures = {
        "recall": len(told & true) / len(true),
        "precision": len(told & true) / max(len(told), 1),
        "precision but for own pairs": len(told & true) / max(len(told & true) + len(wrong), 1),
        "own pairs": len(own_pairs),
    }
    total, hit = Counter(), Counter()
    for first, second in true:
        kinds = {change[first], change[second]} - {"own"}
        if len(kinds) == 1:
            total[*kinds] += 1
            hit[*kinds] += (first, second) in told
    return figures | {f"recall {kind}": hit[kind,] / total[kind,] for kind in change if total[kind,]}


def sheet(pictures: Pictures, told: Sequence[tuple[int, int]], path: Path, most: int = 96) -> None:
    """Pairs side by side, six a row."""
    chosen = [told[i] for i in np.linspace(0, len(told) - 1, min(most, len(told))).astype(int)]
    tiles = [np.concatenate(list(pictures.images(pair, 96)), axis=2) for pair in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 6)
    rows = [np.concatenate(tiles[at : at + 6], axis=2) for at in range(0, len(tiles), 6)]
    cv2.imwrite(str(path), np.concatenate(rows, axis=1).transpose(1, 2, 0)[..., ::-1])


def measure(sets: Sequence[str] = ("lfw",), sheets: Path | None = None) -> dict[str, float]:
    """Figures of each set of VULTUS_DATA; milliseconds are of one core."""
    figures: dict[str, float] = {}
    for name in sets:
        with tempfile.TemporaryDirectory() as folder:
            faces = FaceSet.open(pack(Path(os.environ["VULTUS_DATA"]) / name, Path(folder) / name, progress=False).path)
            for changes in (SINGLE, (ALL,)):
                pictures, origin, change = planted(faces, changes)
                began = time.process_time()
                found = find(pictures, threads=1)
                cost = (time.process_time() - began) / len(pictures)
                told = f"{name}, {changes[0] if len(changes) == 1 else 'one change'}"
                figures |= {f"{told}: {k}": v for k, v in score(found, origin, change).items()}
                figures |= {f"{told}: faces": len(pictures), f"{told}: ms a face": 1e3 * cost}
                own = sorted(p for p in pairs(found) if max(p) < len(faces))
                if sheets and own:
                    sheets.mkdir(parents=True, exist_ok=True)
                    sheet(pictures, own, sheets / f"{name}-{len(changes)}.png")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["lfw"])
    parser.add_argument("--sheets", type=Path)
    asked = parser.parse_args()
    for name, value in measure(asked.sets, asked.sheets).items():
        print(f"{name:48} {value:.4g}")
