"""Named settings: plain functions that return a RunConfig.

`…-paper` keeps the constants that were published (what of a method is not here, its page says), `…-cpu` is what two
cores can finish in minutes. In every run the learning rate falls as a cosine.
"""

from collections.abc import Callable
from dataclasses import replace

from vultus.methods.byol import BYOLConfig
from vultus.methods.contrawarping import ContraWarpingConfig
from vultus.methods.deformae import DeformAEConfig
from vultus.methods.dino import DINOConfig
from vultus.methods.fabnet import FAbNetConfig
from vultus.methods.facecycle import FaceCycleConfig
from vultus.methods.moco import MoCoConfig
from vultus.methods.pcl import PCLConfig
from vultus.methods.pros import ProSConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.methods.splitbrain import SplitBrainConfig
from vultus.methods.supervised import SupervisedConfig
from vultus.methods.tcae import TCAEConfig
from vultus.methods.vultus import VultusConfig
from vultus.training.config import RunConfig


def vultus_cpu() -> RunConfig:
    """The joined method with the encoder of pcl-cpu, in small batches: its flow learns more of as many faces."""
    return RunConfig(method=VultusConfig(), batch=64, epochs=10, lr=1.5e-3)


def pcl_cpu() -> RunConfig:
    """PCL on an encoder that begins as a patch dictionary; part of each batch takes part in the pose terms."""
    return RunConfig(method=PCLConfig(), epochs=10, lr=3e-3)


def simclr_cpu() -> RunConfig:
    """SimCLR with the encoder and the optimiser of pcl-cpu."""
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
        pose_part=10 / 256,
        whole_part=1.0,
        noise=0.4,
    )
    return RunConfig(
        method=method, size=64, batch=256, epochs=1000, optimiser="adam", lr=1e-4, weight_decay=1e-3, warmup=0.0
    )


def contrawarping_cpu() -> RunConfig:
    """ContraWarping with the encoder and the optimiser of pcl-cpu."""
    return RunConfig(method=ContraWarpingConfig(), epochs=10, lr=3e-3)


def contrawarping_paper() -> RunConfig:
    """ContraWarping as far as it is published: ResNet-18, BYOL's base, 50 epochs, bumps at landmarks; 224 px."""
    method = ContraWarpingConfig(
        encoder="resnet18", pool="mean", hidden=4096, projection=256, momentum=0.996, control="landmarks", points=6
    )
    return RunConfig(method=method, size=224, batch=256, epochs=50, lr=1e-3)


def pros_cpu() -> RunConfig:
    """ProS on a small transformer whose patches are embedded by a patch dictionary."""
    return RunConfig(method=ProSConfig(), epochs=10, lr=1e-3, weight_decay=0.04, weight_decay_end=0.4)


def pros_paper() -> RunConfig:
    """ProS on ViT-B at 224 px with the constants of its closest published relative, MSN."""
    method = ProSConfig(
        encoder="vit_base_patch16_224",
        token="class",
        read="mean",
        prototypes=1024,
        hidden=2048,
        projection=256,
        momentum=0.996,
        drop=0.15,
        small_views=10,
        small_size=96,
        large_scale=(0.3, 1.0),
        small_scale=(0.05, 0.3),
    )
    return RunConfig(
        method=method, size=224, batch=1024, epochs=300, lr=1e-3, clip=3.0, weight_decay=0.04, weight_decay_end=0.4
    )


def byol_cpu() -> RunConfig:
    """BYOL with the encoder and the optimiser of pcl-cpu."""
    return RunConfig(method=BYOLConfig(), epochs=10, lr=3e-3)


def byol_paper() -> RunConfig:
    """BYOL on ResNet-50 at 224 px: LARS, batch 4,096, 1,000 epochs."""
    method = BYOLConfig(
        encoder="resnet50", pool="mean", hidden=4096, projection=256, momentum=0.996, asymmetric=True, crop=0.08
    )
    run = RunConfig(method=method, size=224, batch=4096, epochs=1000, optimiser="lars", lr=3.2)
    return replace(run, weight_decay=1.5e-6, warmup=0.01, clip=0.0)


def simclr_paper() -> RunConfig:
    """SimCLR on ResNet-50 at 224 px: LARS, batch 4,096, 100 epochs."""
    method = SimCLRConfig(
        encoder="resnet50", pool="mean", temperature=0.1, hidden=2048, projection=128, crop=0.08, jitter=1.0
    )
    run = RunConfig(method=method, size=224, batch=4096, epochs=100, optimiser="lars", lr=4.8)
    return replace(run, weight_decay=1e-6, warmup=0.1, clip=0.0)


def moco_cpu() -> RunConfig:
    """MoCo v2 with the encoder and the optimiser of pcl-cpu; --version v3 for the other."""
    return RunConfig(method=MoCoConfig(), epochs=10, lr=3e-3)


def moco_paper() -> RunConfig:
    """MoCo v2 on ResNet-50 at 224 px: SGD, batch 256, a queue of 65,536, 200 epochs."""
    method = MoCoConfig(
        encoder="resnet50", pool="mean", hidden=2048, momentum=0.999, momentum_end=0.999, queue=65536, crop=0.2
    )
    run = RunConfig(method=method, size=224, batch=256, epochs=200, optimiser="sgd", lr=0.03)
    return replace(run, weight_decay=1e-4, warmup=0.0, clip=0.0)


def dino_cpu() -> RunConfig:
    """DINO on the small transformer of pros-cpu."""
    return RunConfig(method=DINOConfig(), epochs=10, lr=1e-3, weight_decay=0.04, weight_decay_end=0.4)


def dino_paper() -> RunConfig:
    """DINO on ViT-S/16 at 224 px: AdamW, batch 1,024, 100 epochs."""
    method = DINOConfig(
        encoder="vit_small_patch16_224",
        token="class",
        read="mean",
        outputs=65536,
        hidden=2048,
        bottleneck=256,
        momentum=0.996,
        small_views=8,
        small_size=96,
        large_scale=(0.4, 1.0),
        small_scale=(0.05, 0.4),
    )
    run = RunConfig(method=method, size=224, batch=1024, epochs=100, lr=2e-3)
    return replace(run, clip=3.0, weight_decay=0.04, weight_decay_end=0.4, warmup=0.1)


def fabnet_cpu() -> RunConfig:
    """FAb-Net with the encoder of pcl-cpu."""
    return RunConfig(method=FAbNetConfig(), epochs=10, lr=1e-3)


def fabnet_paper() -> RunConfig:
    """FAb-Net with the authors' optimiser, batch and embedding, at 176 px: theirs are 180 px out of 256.

    The number of epochs is ours, as TCAE's below. The encoder is ours too, and nothing is decayed or clipped, in all
    four recipes of methods that draw.
    """
    method = FAbNetConfig(encoder="small", embedding=256)
    run = RunConfig(method=method, size=176, batch=128, optimiser="sgd", lr=1e-4)
    return replace(run, beta1=0.9, weight_decay=0.0, warmup=0.0, clip=0.0)


def tcae_cpu() -> RunConfig:
    """TCAE with the encoder of pcl-cpu."""
    return RunConfig(method=TCAEConfig(), epochs=10, lr=1e-3)


def tcae_paper() -> RunConfig:
    """TCAE with the authors' optimiser, batch, embedding and weights, at 256 px."""
    method = TCAEConfig(encoder="small", embedding=256, reconstruction=10.0, cycle=1.0, consistency=1.0, sparsity=0.1)
    run = RunConfig(method=method, size=256, batch=64, optimiser="sgd", lr=1e-3)
    return replace(run, beta1=0.9, weight_decay=0.0, warmup=0.0, clip=0.0)


def facecycle_cpu() -> RunConfig:
    """FaceCycle with the encoder of pcl-cpu."""
    return RunConfig(method=FaceCycleConfig(), epochs=10, lr=1e-3)


def facecycle_paper() -> RunConfig:
    """FaceCycle with the authors' optimiser and batch, 40 epochs, 64 px; of their rates, 1e-5 to 5e-5, the highest."""
    run = RunConfig(method=FaceCycleConfig(encoder="small"), size=64, batch=16, epochs=40, optimiser="adam", lr=5e-5)
    return replace(run, beta1=0.5, weight_decay=0.0, warmup=0.0, clip=0.0)


def splitbrain_cpu() -> RunConfig:
    """SplitBrain with the encoder of pcl-cpu, twice."""
    return RunConfig(method=SplitBrainConfig(), epochs=10, lr=1e-3)


def deformae_cpu() -> RunConfig:
    """DeformAE with the encoder of pcl-cpu."""
    return RunConfig(method=DeformAEConfig(), epochs=10, lr=1e-3)


def deformae_paper() -> RunConfig:
    """DeformAE with the authors' optimiser, batch and codes, 600 epochs at 64 px."""
    method = DeformAEConfig(encoder="small", appearance=16, deformation=128)
    run = RunConfig(method=method, size=64, batch=100, epochs=600, optimiser="adam", lr=2e-4)
    return replace(run, beta1=0.5, weight_decay=0.0, warmup=0.0, clip=0.0)


def supervised_cpu() -> RunConfig:
    """The labels themselves, on the encoder of pcl-cpu: --target expression, identity, action_units, head_pose, …."""
    return RunConfig(method=SupervisedConfig(), epochs=10, lr=1e-3)


RECIPES: dict[str, Callable[[], RunConfig]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        vultus_cpu,
        pcl_cpu,
        pcl_paper,
        contrawarping_cpu,
        contrawarping_paper,
        pros_cpu,
        pros_paper,
        simclr_cpu,
        simclr_paper,
        moco_cpu,
        moco_paper,
        byol_cpu,
        byol_paper,
        dino_cpu,
        dino_paper,
        fabnet_cpu,
        fabnet_paper,
        tcae_cpu,
        tcae_paper,
        facecycle_cpu,
        facecycle_paper,
        splitbrain_cpu,
        deformae_cpu,
        deformae_paper,
        supervised_cpu,
    )
}


def recipe(name: str) -> RunConfig:
    """The settings called `name`; ValueError with the names there are."""
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: there are {', '.join(RECIPES)}")
    return RECIPES[name]()
