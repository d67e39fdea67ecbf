"""What grows with the number of photographs: the listing, the candidates' table, copies, the writing of the set.

    [VULTUS_DATA=folder-with-lfw] python -m benchmarks.bench_scale

With real photographs also the stages of a piece at a size of the web: LFW's, enlarged, are smoother than that, and
their files smaller.
"""

import io
import json
import os
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from benchmarks.bench_curate import enlarged, speeds
from benchmarks.bench_faces import COUNT, pictures
from vultus.curate import candidate, duplicates
from vultus.curate.candidate import Candidate
from vultus.curate.config import CurateConfig
from vultus.curate.examine import Examiner, encoded
from vultus.curate.judge import Judgement
from vultus.curate.photographs import listing
from vultus.curate.pool import Pool
from vultus.faces.writer import write

SAMPLES = CANDIDATES = 20_000
PHOTOGRAPHS, PLAIN_PHOTOGRAPHS, SIDE = 200, 40, 1024


def measure() -> dict[str, float]:
    """Rates by this process's own time, which other work does not disturb, and bytes as Python allocates them."""
    crops = [record.image for record in pictures()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tarred(folder / "source" / "00000.tar", crops)
        listed, seconds = timed(lambda: listing(folder / "source"))
        figures = {"listing of a tar, photographs/s": len(listed) / seconds}
        figures["listing, bytes a photograph"] = held(lambda: listing(folder / "source")) / SAMPLES
        file = folder / "piece.arrow"
        rows = candidate.table([found(number, crops) for number in range(CANDIDATES)])
        with pa.ipc.new_file(file, rows.schema) as stream:
            stream.write_table(rows)
        figures["result of a piece, bytes a face beside its picture"] = rows.drop_columns(["image"]).nbytes / CANDIDATES
        figures["pool, bytes a face in memory"] = held(lambda: asked(Pool.open([file]))) / CANDIDATES
        pool = Pool.open([file]).take(np.arange(COUNT))  # all different: equal ones are not compared further
        figures["looking for copies, faces/s"] = COUNT / timed(lambda: copies(pool))[1]
        records = list(pictures())
        _, seconds = timed(lambda: write(records, folder / "set", source="drawn", licence="CC0-1.0"))
        figures["face set written, faces/s"] = len(records) / seconds
        figures[f"photographs/s at {SIDE} px without a face"] = in_vain(folder / "plain")
        if "VULTUS_DATA" in os.environ:
            figures |= of_the_web(Path(os.environ["VULTUS_DATA"]) / "lfw", folder / "large")
    return figures


def in_vain(folder: Path) -> float:
    """Photographs a second of one core in which no face is found: they are looked at in every size."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(PLAIN_PHOTOGRAPHS):
        pixels = cv2.resize(rng.integers(60, 190, (4, 4, 3), np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        (folder / f"{number}.jpg").write_bytes(encoded(pixels, 90))
    examiner, listed = Examiner(CurateConfig()), listing(folder)
    examiner(listed[0])
    told, seconds = timed(lambda: [one for reference in listed for one in examiner(reference)])
    assert {one.stage for one in told} == {"detect"}
    return len(listed) / seconds


def of_the_web(source: Path, folder: Path) -> dict[str, float]:
    """Photographs a second of one core at a size that they have on the web, of each stage."""
    some = np.random.default_rng(0).choice(len(listed := listing(source)), PHOTOGRAPHS, replace=False)
    large = enlarged([listed[place] for place in some], folder, SIDE)
    sizes = [Path(one.path).stat().st_size for one in large]
    return speeds(large, f"{SIDE} px") | {f"bytes of a photograph at {SIDE} px": float(np.mean(sizes))}


def tarred(path: Path, crops: list[bytes]) -> None:
    """A WebDataset tar of SAMPLES pictures with two labels each."""
    path.parent.mkdir()
    with tarfile.open(path, "w") as tar:
        for number in range(SAMPLES):
            labels = json.dumps({"source": "drawn", "age": number % 90}).encode()
            for suffix, data in ((".jpg", crops[number % len(crops)]), (".json", labels)):
                member = tarfile.TarInfo(f"{number:09d}{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def found(number: int, crops: list[bytes]) -> Candidate:
    """A candidate as a piece finds it."""
    rng = np.random.default_rng(number)
    judged = Judgement(*rng.random(len(Judgement.__dataclass_fields__)).tolist())
    box, points = (rng.random(count).tolist() for count in (4, 10))
    hashes = rng.integers(2**63, size=2).tolist()
    labels = {"source": "drawn", "age": float(number % 90)}
    name = f"00000.tar/{number:09d}"
    return Candidate(
        name, crops[number % len(crops)], tuple(box), tuple(points), judged, rng.bytes(32), *hashes, labels
    )


def asked(pool: Pool) -> tuple[Any, ...]:
    """What the global stages ask of every candidate."""
    return pool.names, pool.quality, pool.sha256, pool.hashes, pool.table["stage"].to_pylist()


def copies(pool: Pool) -> Any:
    return duplicates.find(pool, pool.quality, hashes=pool.hashes, threads=1)


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and seconds of this process."""
    start = time.process_time()
    result = act()
    return result, time.process_time() - start


def held(act: Callable[[], Any]) -> float:
    """Bytes that the result keeps, Python's and Arrow's."""
    tracemalloc.start()
    arrow = pa.total_allocated_bytes()
    result = act()
    kept = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
    tracemalloc.stop()
    del result
    return float(kept)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name}: {value:,.1f}")
