"""Curation on the photographs of MTFL and LFW: photographs a second of each stage, and how well faces are found.

    VULTUS_DATA=folder-with-mtfl-and-lfw python -m benchmarks.bench_curate [--photographs 1000]

Speeds are of one core, by its own time, so that other work does not disturb them; the last by the clock, with every
core. MTFL's photographs are at most 128 px here, so they are timed at 200 px on their longest side as well.
"""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from joblib import cpu_count

from vultus.curate import align
from vultus.curate.config import CurateConfig
from vultus.curate.detect import Detector, Found
from vultus.curate.examine import JPEG_QUALITY, Examiner, blue_first, encoded
from vultus.curate.executors import processes
from vultus.curate.hashes import hashes
from vultus.curate.judge import judge
from vultus.curate.photographs import listing, open_photograph
from vultus.curate.pieces import cut, process
from vultus.curate.reference import Reference
from vultus.faces.decode import upright
from vultus.faces.readers import READERS

PLAIN = CurateConfig()
STAGES = ("read", "detect", "align", "judge", "hash", "encode")


def measure(count: int = 1000) -> dict[str, float]:
    """Every figure, from the folder that VULTUS_DATA names."""
    data = Path(os.environ["VULTUS_DATA"])
    cv2.setNumThreads(1)
    mtfl, lfw = (listing(data / name) for name in ("mtfl", "lfw"))
    drawn = [mtfl[place] for place in np.random.default_rng(0).permutation(len(mtfl))[:count]]
    with TemporaryDirectory() as folder:
        large = enlarged(drawn, Path(folder) / "photographs", 200)
        return {
            **speeds(drawn, "128 px"),
            **speeds(large, "200 px"),
            "photographs/s at 200 px, every core, by the clock": by_the_clock(large, Path(folder)),
            **found_points(data / "mtfl"),
            **found_faces(lfw),
        }


def enlarged(references: Sequence[Reference], folder: Path, side: int) -> tuple[Reference, ...]:
    """The photographs brought to a longest side, as JPEGs."""
    folder.mkdir()
    for number, reference in enumerate(references):
        pixels = upright(open_photograph(reference).data)
        scale = side / max(pixels.shape[:2])
        larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        (folder / f"{number:05d}.jpg").write_bytes(encoded(larger, 90))
    return listing(folder)


def speeds(references: Sequence[Reference], name: str) -> dict[str, float]:
    """Photographs a second and core, in all and of each stage; detection's part of the time."""
    examiner = Examiner(PLAIN)
    for reference in references[:50]:
        examiner(reference)  # networks are set up for the sizes there are
    start = time.thread_time()
    for reference in references:
        examiner(reference)
    whole = time.thread_time() - start
    spent = by_stage(references)
    return {
        f"photographs/s at {name}, in all": len(references) / whole,
        **{f"photographs/s at {name}, {stage}": len(references) / spent[stage] for stage in STAGES},
        f"detection's part of the time at {name}": spent["detect"] / whole,
    }


def by_stage(references: Sequence[Reference]) -> dict[str, float]:
    """Seconds of the stages, one after the other as Examiner calls them."""
    spent: dict[str, float] = defaultdict(float)

    def timed(stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = time.thread_time()
        result = work(*arguments)
        spent[stage] += time.thread_time() - start
        return result

    detect = Detector(PLAIN.scales, PLAIN.min_score)
    for reference in references:
        pixels = timed("read", lambda one: upright(open_photograph(one).data), reference)
        faces = timed("detect", lambda image: detect(blue_first(image)), pixels)
        for face in faces[:1]:
            crop, fitted = timed("align", aligned, pixels, face)
            timed("judge", judge, pixels, face, fitted)
            timed("hash", hashes, np.ascontiguousarray(np.atleast_3d(crop).transpose(2, 0, 1)[[0, -1, -1]][None]))
            timed("encode", encoded, crop, JPEG_QUALITY)
    return spent


def aligned(pixels: np.ndarray, face: Found) -> tuple[np.ndarray, align.Fit]:
    fitted = align.fit(face.points)
    matrix = align.placed(face, fitted, PLAIN.template, PLAIN.size, PLAIN.margin)
    return align.crop(pixels, matrix, PLAIN.size), fitted


def by_the_clock(references: Sequence[Reference], folder: Path) -> float:
    """Photographs a second by every core: the second half of the pieces, when all processes run."""
    pieces, done = cut(references, 50), list[float]()
    work = partial(process, settings=PLAIN, folder=folder)
    processes(pieces, work, cpu_count(), lambda piece: done.append(time.perf_counter()))
    half = len(done) // 2
    return (len(done) - half) * 50 / (done[-1] - done[half - 1])


def found_points(mtfl: Path) -> dict[str, float]:
    """Recall of MTFL's labelled faces: all five points within a found box; how far the found points lie from them."""
    detect = Detector(PLAIN.scales, PLAIN.min_score, all_faces=True)
    misses, errors, residuals = 0, [], []
    for pixels, points in labelled(mtfl):
        sure = [face for face in detect(blue_first(pixels)) if face.score >= PLAIN.min_score]
        around = [face for face in sure if holds(face, points)]
        misses += not around
        apart = np.linalg.norm(points[0] - points[1])
        if around and apart > 0:
            best = min(np.linalg.norm(face.points - points, axis=1).mean() for face in around)
            errors.append(best / apart)
            residuals.append(align.fit(around[0].points).residual)
    return {
        "MTFL, labelled faces": float(misses + len(errors)),
        "MTFL, recall": 1 - misses / (misses + len(errors)),
        "MTFL, mean distance of points, of the eyes' distance": float(np.mean(errors)),
        "MTFL, its median": float(np.median(errors)),
        "MTFL, median residual of the alignment": float(np.median(residuals)),
    }


def labelled(mtfl: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Photographs of MTFL with their five points [5, 2] in pixels."""
    for record in READERS["mtfl"].read(mtfl).records:
        pixels = upright(record.image)
        points = np.array(record.labels["landmarks"]).reshape(5, 2) * (pixels.shape[1], pixels.shape[0])
        yield pixels, points


def holds(face: Found, points: np.ndarray) -> bool:
    left, top, right, bottom = face.box
    return bool(((points >= (left, top)) & (points <= (right, bottom))).all())


def found_faces(references: Sequence[Reference]) -> dict[str, float]:
    """Share of LFW's photographs with a face near the middle, where the labelled one is; and its residual."""
    detect = Detector(PLAIN.scales, PLAIN.min_score)
    found, residuals = 0, []
    for reference in references:
        pixels = upright(open_photograph(reference).data)
        middle = np.array([[pixels.shape[1] / 2, pixels.shape[0] / 2]])
        around = [face for face in detect(blue_first(pixels)) if face.score >= PLAIN.min_score and holds(face, middle)]
        found += bool(around)
        residuals += [align.fit(face.points).residual for face in around[:1]]
    return {
        "LFW, photographs": float(len(references)),
        "LFW, share found": found / len(references),
        "LFW, median residual of the alignment": float(np.median(residuals)),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=1000, help="how many are timed")
    for key, value in measure(parser.parse_args().photographs).items():
        print(f"| {key} | {value:,.0f} |" if value >= 100 else f"| {key} | {value:.4f} |", flush=True)
