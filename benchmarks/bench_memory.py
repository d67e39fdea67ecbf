"""Peak resident memory of a run at batch 256 and 64 px, each recipe in a process of its own."""

import multiprocessing
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.bench_faces import pictures
from vultus.faces.faceset import FaceSet, write
from vultus.recipes import recipe
from vultus.training.loop import Learner, learn
from vultus.training.memory import tune_allocator
from vultus.training.supply import Supply

RECIPES, BATCH, SIZE, STEPS = ("pcl-cpu", "simclr-cpu", "pcl-paper"), 256, 64, 4


def peak(name: str, folder: Path) -> float:
    """GB resident at most while this process decodes, learns and holds the optimiser's moments."""
    tune_allocator()
    learner = Learner(replace(recipe(name), batch=BATCH, size=SIZE), STEPS, STEPS, "cpu")
    learn(learner, Supply(FaceSet.open(folder), SIZE), STEPS, lambda _: False)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure() -> dict[str, float]:
    """A peak for each recipe."""
    with tempfile.TemporaryDirectory() as folder:
        faces = Path(folder) / "faces"
        write(pictures(), faces, source="made by the benchmark", licence="CC0")
        found = {}
        for name in RECIPES:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
                found[f"peak memory of {name}, GB"] = fresh.submit(peak, name, faces).result()
    return found


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key}: {value:.3g}")
