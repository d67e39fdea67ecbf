"""Training steps: SimCLR's against its bare forward and backward, PCL as published, ContraWarping's against BYOL's."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.bench_faces import pictures
from vultus.faces.faceset import FaceSet, write
from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.nets.precision import autocast
from vultus.recipes import pcl_paper, recipe
from vultus.training.config import RunConfig
from vultus.training.loop import Learner, learn
from vultus.training.memory import tune_allocator
from vultus.training.supply import Supply

BATCH, SIZE, STEPS, ROUNDS = 256, 64, 3, 5
REFERENCE = 64 / 57  # faces/s of the authors' code on this kind of machine: 57 s for 64 faces


def whole_step(learner: Learner, faces: FaceSet) -> float:
    """Faces/s of the loop as it is: decoding, views, losses, optimiser."""
    start, done = time.perf_counter(), learner.progress.step
    learn(learner, Supply(faces, 112), done + STEPS, lambda _: False)
    return STEPS * BATCH / (time.perf_counter() - start)


def bare_step(encoder: torch.nn.Module, images: torch.Tensor) -> float:
    """Faces/s of the encoder's forward and backward on random tensors: two views a face, nothing else."""
    start = time.perf_counter()
    for _ in range(STEPS):
        with autocast("cpu"):
            out = encoder(images)
        out.float().mean().backward()
    return STEPS * BATCH / (time.perf_counter() - start)


def interleaved(ours: Callable[[], float], base: Callable[[], float]) -> tuple[float, float, float]:
    """Medians of both, and of the ratio round by round; the first round warms up."""
    pairs = [(ours(), base()) for _ in range(ROUNDS + 1)][1:]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def simclr(faces: FaceSet) -> dict[str, float]:
    """ResNet-18 at 64 px out of 112 px pictures."""
    learner = Learner(RunConfig(method=SimCLRConfig(encoder="resnet18"), size=SIZE), 10_000, 1000, "cpu")
    twin = Learner(learner.config, 10, 10, "cpu").method.encoder
    images = torch.rand(2 * BATCH, 3, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    ours, bare, ratio = interleaved(lambda: whole_step(learner, faces), lambda: bare_step(twin, images))
    return {"SimCLR step, faces/s": ours, "bare forward and backward, faces/s": bare, "SimCLR step against bare": ratio}


def pcl(faces: FaceSet) -> dict[str, float]:
    """The published encoder and decoder at 64 px; the pose negatives from the batch, and the authors' 10 × 100."""
    method = PCLConfig(encoder="attentive", decoder="paper", hidden=2048, projection=512, crops="quadrants",
                       whole_part=1.0, pose_part=1.0)  # fmt: skip
    out = {}
    for name, config in (("with batch negatives", RunConfig(method=method, size=SIZE)), ("as published", pcl_paper())):
        learner = Learner(config, 10_000, 1000, "cpu")
        whole_step(learner, faces)
        rate = statistics.median(whole_step(learner, faces) for _ in range(2))
        out |= {f"PCL {name}, faces/s": rate, f"PCL {name} against the reference": rate / REFERENCE}
    return out


def contrawarping(faces: FaceSet) -> dict[str, float]:
    """What the warped negative costs: a step of ContraWarping in units of BYOL's, at 48 px on their usual encoder."""
    ours, base = (
        Learner(replace(recipe(f"{name}-cpu"), size=48), 10_000, 1000, "cpu") for name in ("contrawarping", "byol")
    )
    rate, plain, ratio = interleaved(lambda: whole_step(ours, faces), lambda: whole_step(base, faces))
    return {"ContraWarping, faces/s": rate, "BYOL, faces/s": plain, "ContraWarping step against BYOL's": 1 / ratio}


def measure() -> dict[str, float]:
    """All of the above."""
    tune_allocator()
    with tempfile.TemporaryDirectory() as folder:
        write(pictures(), Path(folder) / "faces", source="made by the benchmark", licence="CC0")
        faces = FaceSet.open(Path(folder) / "faces")
        return simclr(faces) | pcl(faces) | contrawarping(faces)


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key}: {value:.3g}")
