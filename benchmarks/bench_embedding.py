"""Embedding a face set of 112-pixel JPEGs with ResNet-18, files and decoding and all, against its bare forward."""

import tempfile
import time
from pathlib import Path

import torch

from benchmarks.bench_faces import COUNT, SIDE, pictures
from benchmarks.bench_training import interleaved
from vultus.evaluation.embedding import embed
from vultus.faces.faceset import FaceSet, write
from vultus.methods.model import FaceModel
from vultus.methods.simclr import SimCLR, SimCLRConfig
from vultus.nets.precision import autocast
from vultus.training.memory import tune_allocator

BATCH = 256


def measure() -> dict[str, float]:
    """Faces a second of both, and how much longer embedding takes; round by round in turn."""
    tune_allocator()
    model = FaceModel(SimCLR(SimCLRConfig(encoder="resnet18"), SIDE), "resnet18", SIDE, "of no run")
    images = torch.rand(BATCH, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        write(pictures(), Path(folder) / "faces", source="made by the benchmark", licence="CC0")
        faces = FaceSet.open(Path(folder) / "faces")

        def ours() -> float:
            start = time.perf_counter()
            embed(model, faces, batch=BATCH, progress=False)
            return len(faces) / (time.perf_counter() - start)

        def bare() -> float:
            start = time.perf_counter()
            for _ in range(COUNT // BATCH):
                with torch.inference_mode(), autocast("cpu"):
                    model.method.encoder(images)  # type: ignore[operator]
            return COUNT // BATCH * BATCH / (time.perf_counter() - start)

        rate, forward, ratio = interleaved(ours, bare)
    return {"embedding at 112 px, faces/s": rate, "bare forward, faces/s": forward, "embedding against bare": 1 / ratio}


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key}: {value:.3g}")
