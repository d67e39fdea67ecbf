"""vultus: which face it is, and where every part of it went, learned by one encoder in two and a half passes.

    L = L_face + w_flow L_flow

As in PCL two branches ask of one map F_s what its tasks need, and each keeps its own views:

- the pose feature F_p must say how a face moved: from the codes of a source and of a target, the same face moved with
  some of its parts displaced, a flow draws each out of the other's pixels (FAb-Net's task). The displacements are
  ContraWarping's local warps, changes of expression; here where and how far is told, there only that they differ;
- the face feature F_f must say which face it is: InfoNCE of the source and a crop of it, recoloured and blurred
  (SimCLR), of half of the faces.

Contrast alone forgets where things are; the flow alone reads expression and people less, points a little better
(benchmarks/RESULTS.md). Not here, for they changed no reading beyond chance: warped faces as negatives, prototypes
that two views share (ProS), telling how one crop became another. F_s is read. L_flow is small, an L1 of pixels, and so
its weight is large.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vultus.methods.drawing import pair
from vultus.methods.losses import info_nce
from vultus.methods.mover import Mover
from vultus.nets.encoders import build_encoder
from vultus.nets.heads import projector
from vultus.views import View
from vultus.views.presets import simclr


@dataclass(frozen=True)
class VultusConfig:
    """Settings of vultus."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    temperature: float = 0.1  # τ of InfoNCE
    hidden: int = 512  # width of the projector's middle
    projection: int = 128  # width of F_f, in which faces are told apart
    crop: float = 0.6  # smallest part of the face's area that a crop may keep
    face_part: float = 0.5  # part of a batch's faces that are told apart
    flow_weight: float = 20.0  # of drawing target and source out of each other
    embedding: int = 256  # width of F_p, the code that a flow is decoded from
    reach: float = 1.0  # longest flow, in halves of the side
    turn: float = 10.0  # source and target are turned by up to so many degrees
    local: float = 0.04  # how far parts of the target are displaced, in parts of the side
    jitter: float = 0.1  # strength of the target's recolouring


class Vultus(nn.Module):
    """A projector for InfoNCE and a mover of pictures on one map; the map is the feature."""

    default_feature = "shared"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: VultusConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.weights = {"face": 1.0, "flow": config.flow_weight}
        self.encoder = build_encoder(config.encoder, size)
        values = self.encoder.values
        self.face_head = projector(values, config.hidden, config.projection)
        self.mover = Mover(values, config.embedding, size, config.reach)

    def views(self) -> dict[str, View]:
        """`source` and `target`, mild, and of some faces `crop`, a strong one."""
        c = self.config
        crop = replace(simclr(self.size, crop=c.crop), part=c.face_part)
        return pair(self.size, c.turn, c.local, c.jitter, always=True) | {"crop": crop}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`face`, InfoNCE of sources and their crops; `flow`, L1 of source and target drawn out of each other."""
        frames, crops = torch.cat([views["source"], views["target"]]), views["crop"]
        maps = self.encoder(torch.cat([frames, crops])).flatten(1)
        moved, cropped, sources = maps[: len(frames)], maps[len(frames) :], maps[: len(crops)]
        source, crop = self.face_head(torch.cat([sources, cropped])).chunk(2)
        return {
            "face": info_nce(source, crop, self.config.temperature),
            "flow": self.mover.missed(frames, self.mover.code(moved)),
        }

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`shared` F_s, the flattened map, `face` F_f and `pose` F_p."""
        shared = self.encoder(images).flatten(1)
        return {"shared": shared, "face": self.face_head(shared), "pose": self.mover.code(shared)}

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """Each face moved to where its mirror image and the next face are; pictures (B, 3, S, S) by name."""
        return self.mover.pictures(images, self.encoder)
