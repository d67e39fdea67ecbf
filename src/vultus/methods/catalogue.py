"""The methods by name."""

from typing import Any

from vultus.methods.byol import BYOL, BYOLConfig
from vultus.methods.contrawarping import ContraWarping, ContraWarpingConfig
from vultus.methods.deformae import DeformAE, DeformAEConfig
from vultus.methods.dino import DINO, DINOConfig
from vultus.methods.encoder_of import encoder_of
from vultus.methods.fabnet import FAbNet, FAbNetConfig
from vultus.methods.facecycle import FaceCycle, FaceCycleConfig
from vultus.methods.moco import MoCo, MoCoConfig
from vultus.methods.pcl import PCL, PCLConfig
from vultus.methods.pros import ProS, ProSConfig
from vultus.methods.simclr import SimCLR, SimCLRConfig
from vultus.methods.splitbrain import SplitBrain, SplitBrainConfig
from vultus.methods.supervised import Supervised, SupervisedConfig
from vultus.methods.tcae import TCAE, TCAEConfig
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.nets.encoders import Encoder, refusal

MethodConfig = (
    BYOLConfig
    | ContraWarpingConfig
    | DeformAEConfig
    | DINOConfig
    | FAbNetConfig
    | FaceCycleConfig
    | MoCoConfig
    | PCLConfig
    | ProSConfig
    | SimCLRConfig
    | SplitBrainConfig
    | SupervisedConfig
    | TCAEConfig
    | VultusConfig
)
AnyMethod = (
    BYOL
    | ContraWarping
    | DeformAE
    | DINO
    | FAbNet
    | FaceCycle
    | MoCo
    | PCL
    | ProS
    | SimCLR
    | SplitBrain
    | Supervised
    | TCAE
    | Vultus
)

METHODS: dict[str, tuple[type[MethodConfig], Any]] = {
    "vultus": (VultusConfig, Vultus),
    "pcl": (PCLConfig, PCL),
    "contrawarping": (ContraWarpingConfig, ContraWarping),
    "pros": (ProSConfig, ProS),
    "simclr": (SimCLRConfig, SimCLR),
    "moco": (MoCoConfig, MoCo),
    "byol": (BYOLConfig, BYOL),
    "dino": (DINOConfig, DINO),
    "fabnet": (FAbNetConfig, FAbNet),
    "tcae": (TCAEConfig, TCAE),
    "facecycle": (FaceCycleConfig, FaceCycle),
    "splitbrain": (SplitBrainConfig, SplitBrain),
    "deformae": (DeformAEConfig, DeformAE),
    "supervised": (SupervisedConfig, Supervised),
}


def method_name(config: MethodConfig) -> str:
    """The name under which the class of `config` is listed."""
    return next(name for name, (kind, _) in METHODS.items() if type(config) is kind)


def build_method(config: MethodConfig, size: int) -> AnyMethod:
    """The method that `config` sets, for views of `size` pixels a side.

    Raises ValueError where its encoder cannot read some of its views, small crops above all.
    """
    name = method_name(config)
    _, kind = METHODS[name]
    method: AnyMethod = kind(config, size)
    for side in {view.size for view in method.views().values()} - {size}:
        encoder = encoder_of(method)
        if isinstance(encoder, Encoder) and (reason := refusal(encoder, side)):
            raise ValueError(
                f"{name} shows views of {side} px, which encoder {config.encoder!r} for {size} px cannot read "
                f"({reason}): choose an encoder that reads any size, such as vit, or views that it can read "
                "(small_size, or small_views 0)"
            )
    return method
