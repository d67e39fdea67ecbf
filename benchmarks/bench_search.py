"""Search among a million vectors of 256 values: build time, size, memory, time of a query, recall@10.

The vectors are about as hard as real ones: people with ten pictures each, 2,000 kinds of pose and light of very unequal
size, 5 % copies, and noise, as unit vectors. The strengths are set so that among 90,000 of them the median similarities
to the 1st, 10th, 100th and 1,000th neighbour (REAL) are about those of 90,055 faces of five sets under the whitened
feature of a trained encoder. Queries are vectors of the same kind that are not in the index. Recall is against exact
search. All on one core.

    python -m benchmarks.bench_search [--count 1000000] [--kinds ivfpq …]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vultus.search.index import KINDS, Kind, VectorIndex

Floats = NDArray[np.float32]

COUNT, WIDTH, QUERIES, K = 1_000_000, 256, 500, 10
PEOPLE_A_PICTURE, KINDS_OF_PICTURE, REGIONS, COPIES = 0.1, 2_000, 64, 0.05
KIND, PERSON = 0.25, 0.28  # parts of a vector's energy; the rest is its own
REAL = {1: 0.436, 10: 0.327, 100: 0.243, 1_000: 0.161}
PART = 50_000


def unit(rows: Floats) -> Floats:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def faces(count: int, seed: int = 0) -> Floats:
    """[count, 256]."""
    rng = np.random.default_rng(seed)

    def drawn(rows: int) -> Floats:
        return unit(rng.standard_normal((rows, WIDTH), np.float32))

    regions = drawn(REGIONS)[rng.integers(REGIONS, size=KINDS_OF_PICTURE)]
    kinds = unit(0.6 * regions + 0.8 * drawn(KINDS_OF_PICTURE))
    sizes = np.minimum(rng.zipf(1.3, KINDS_OF_PICTURE), 100)
    people = drawn(int(count * PEOPLE_A_PICTURE))
    out = np.empty((count, WIDTH), np.float32)
    for at in range(0, count, PART):
        rows = len(out[at : at + PART])
        kind = kinds[rng.choice(KINDS_OF_PICTURE, rows, p=sizes / sizes.sum())]
        person = people[rng.integers(len(people), size=rows)]
        own = drawn(rows)
        out[at : at + rows] = unit(KIND**0.5 * kind + PERSON**0.5 * person + (1 - KIND - PERSON) ** 0.5 * own)
    copies = rng.permutation(count)[: int(COPIES * count)]
    out[copies] = unit(out[rng.integers(count, size=len(copies))] + 0.2 * drawn(len(copies)))
    return out


def asked(folder: Path, kind: Kind) -> dict[str, float]:
    """Open an index, ask it one query after the other, and keep the rows found; for a process of its own."""
    faiss.omp_set_num_threads(1)
    rows = np.load(folder / "queries.npy")
    before = _memory()
    index = VectorIndex.open(folder / kind, kind, WIDTH)
    index.search(rows[:50], K)
    began = time.process_time()
    hits = [index.search(row[None], K).rows[0] for row in rows]
    each = (time.process_time() - began) / len(rows)
    began = time.process_time()
    index.search(rows, K)
    together = (time.process_time() - began) / len(rows)
    np.save(folder / "found.npy", np.array(hits))
    after = _memory()
    return {
        "ms a query, one by one": 1e3 * each,
        f"ms a query, {QUERIES} together": 1e3 * together,
        "memory with mapped pages, MB": after["Rss"] - before["Rss"],
        "memory without, MB": after["Anonymous"] - before["Anonymous"],
    }


def measure(kinds: Sequence[Kind] = ("ivfpq",), count: int = COUNT) -> dict[str, float]:
    """Figures of each kind of index."""
    figures: dict[str, float] = {}
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every = faces(count + QUERIES)
        chosen = np.sort(np.random.default_rng(1).permutation(len(every))[:QUERIES])
        queries, vectors = every[chosen], np.delete(every, chosen, axis=0)
        del every
        np.save(folder / "queries.npy", queries)
        similarity, exact = faiss.knn(queries, vectors, 1_000, metric=faiss.METRIC_INNER_PRODUCT)
        figures |= {f"similarity to neighbour {k}": float(np.median(similarity[:, k - 1])) for k in (1, 10, 100, 1_000)}
        for kind in kinds:
            began = time.process_time()
            built = VectorIndex.build(vectors, kind)
            told = {"build, s": time.process_time() - began}
            built.save(folder / kind)
            del built
            told["size, MB"] = (folder / kind).stat().st_size / 1e6
            code = f"from benchmarks.bench_search import *; print(json.dumps(asked(Path({name!r}), {kind!r})))"
            done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
            told |= json.loads(done.stdout.splitlines()[-1])
            pairs = zip(np.load(folder / "found.npy"), exact[:, :K], strict=True)
            told["recall@10"] = float(np.mean([len(set(a) & set(b)) / K for a, b in pairs]))
            figures |= {f"{kind}: {key}": value for key, value in told.items()}
            (folder / kind).unlink()
    return figures


def _memory() -> dict[str, float]:
    """Of this process, MB, as Linux tells."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    told = {line.partition(":")[0]: line.split()[1] for line in lines}
    return {name: 1024 * int(told[name]) / 1e6 for name in ("Rss", "Anonymous")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["ivfpq"])
    given = parser.parse_args()
    for name, value in measure(given.kinds, given.count).items():
        print(f"{name:40} {value:.4g}")
