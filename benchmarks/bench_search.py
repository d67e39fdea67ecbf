"""A million vectors of 256 values searched on one core: recall against exact search, time a query, size, building.

    python -m benchmarks.bench_search [--count 1000000] [--kind ivfpq hnsw]

The vectors stand for whitened features of faces: unit vectors, in parts of what they look like (2,000 kinds of very
unequal size, in 64 families), of who they are (ten of a person) and of chance; one in twenty nearly copies another.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from vultus.search.index import VectorIndex

Floats = NDArray[np.float32]
WIDTH, QUERIES, K = 256, 500, 10
LOOKS, PERSON = 0.25, 0.28  # shares of a vector's squared length; the rest is chance
KINDS, FAMILIES, EACH, COPIES, CHUNK = 2_000, 64, 10, 0.05, 50_000


def faces(count: int, seed: int = 0) -> Floats:
    """Unit vectors [count, 256]."""
    rng = np.random.default_rng(seed)
    families = _unit(_normal(rng, FAMILIES))
    kinds = _unit(0.6 * families[rng.integers(FAMILIES, size=KINDS)] + 0.8 * _unit(_normal(rng, KINDS)))
    sizes = rng.zipf(1.3, KINDS).astype(float).clip(max=100)
    people = _unit(_normal(rng, max(count // EACH, 1)))
    who, kind = rng.integers(len(people), size=count), rng.choice(KINDS, size=count, p=sizes / sizes.sum())
    made = np.empty((count, WIDTH), np.float32)
    for start in range(0, count, CHUNK):
        part = slice(start, min(start + CHUNK, count))
        chance = _unit(_normal(rng, part.stop - start))
        rest = (1 - LOOKS - PERSON) ** 0.5
        made[part] = _unit(LOOKS**0.5 * kinds[kind[part]] + PERSON**0.5 * people[who[part]] + rest * chance)
    copied = rng.permutation(count)[: int(COPIES * count)]
    made[copied] = _unit(made[rng.integers(count, size=len(copied))] + 0.2 * _unit(_normal(rng, len(copied))))
    return made


def _normal(rng: np.random.Generator, rows: int) -> Floats:
    return rng.standard_normal((rows, WIDTH), dtype=np.float32)


def _unit(vectors: Floats) -> Floats:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(count: int = 1_000_000, kinds: Sequence[str] = ("ivfpq",)) -> dict[str, float]:
    """Figures of each kind of index; times are of one core."""
    faiss.omp_set_num_threads(1)
    everything = faces(count + QUERIES)
    queries, base = everything[:QUERIES].copy(), everything[QUERIES:]
    exact = faiss.knn(queries, base, K, faiss.METRIC_INNER_PRODUCT)[1]
    figures: dict[str, float] = {}
    for kind in kinds:
        began = time.process_time()
        index = VectorIndex.build(base, kind)
        figures[f"{kind}: building, s"] = time.process_time() - began
        with tempfile.TemporaryDirectory() as folder:
            index.save(Path(folder) / "index")
            figures[f"{kind}: size, MB"] = (Path(folder) / "index").stat().st_size / 1e6
            index = VectorIndex.open(Path(folder) / "index", kind, WIDTH)
            index.search(queries[:20], K)  # pages come in
            began = time.process_time()
            rows = np.concatenate([index.search(query[None], K).rows for query in queries])
            figures[f"{kind}: one query, ms"] = 1e3 * (time.process_time() - began) / QUERIES
        found = [len(set(a) & set(b)) / K for a, b in zip(rows.tolist(), exact.tolist(), strict=True)]
        figures[f"{kind}: recall@10"] = float(np.mean(found))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--kind", nargs="+", default=["ivfpq"], choices=["flat", "ivfpq", "hnsw"])
    asked = parser.parse_args()
    for name, value in measure(asked.count, asked.kind).items():
        print(f"{name:28} {value:.4g}")
