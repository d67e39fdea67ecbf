"""Named settings: plain functions that return a RunConfig.

`…-paper` keeps the constants that were published, `…-cpu` is what two cores can finish in minutes.
"""

from collections.abc import Callable

from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.training.config import RunConfig


def pcl_cpu() -> RunConfig:
    """PCL on an encoder that begins as a patch dictionary; part of each batch takes part in the pose terms."""
    return RunConfig(method=PCLConfig(), epochs=10, lr=3e-3)


def simclr_cpu() -> RunConfig:
    """SimCLR on the same encoder with the same optimiser as pcl-cpu."""
    return RunConfig(method=SimCLRConfig(), epochs=10, lr=3e-3)


def pcl_paper() -> RunConfig:
    """PCL with the authors' encoder, decoder, crops, noise, heads, negatives and optimiser, in one joint step."""
    method = PCLConfig(
        encoder="attentive",
        decoder="paper",
        temperature=0.07,
        hidden=2048,
        projection=512,
        crops="quadrants",
        pose="own",
        flips=100,
        pose_faces=10,
        whole_faces=0,
        noise=0.4,
    )
    return RunConfig(
        method=method, size=64, batch=256, epochs=1000, optimiser="adam", lr=1e-4, weight_decay=1e-3, warmup=0.0
    )


RECIPES: dict[str, Callable[[], RunConfig]] = {
    "pcl-cpu": pcl_cpu,
    "pcl-paper": pcl_paper,
    "simclr-cpu": simclr_cpu,
}


def recipe(name: str) -> RunConfig:
    """The settings called `name`; ValueError with the names there are."""
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: there are {', '.join(RECIPES)}")
    return RECIPES[name]()
