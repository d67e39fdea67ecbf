"""TCAE: Twin-Cycle Autoencoder (Li, Zeng, Shan & Chen, CVPR 2019).

As FAb-Net, a flow draws a target frame from a source frame of the same person; but the change is split. One encoder
gives an action code a and a pose code p of each frame, one decoder a flow of action from (a_s, a_t), another a flow of
pose from (p_s, p_t), each with a score for every pixel; the softmax of the scores mixes both into one flow:

    reconstruction   | target − warp(source, both flows) |₁
    cycle            the face changed by action (or by pose) alone, led back by the same decoder, is the source: L1, two
    consistency      the face changed by action has a_t and p_s, the one changed by pose a_s and p_t, the one changed by
                     both a_t and p_t: mean squared differences, six
    sparsity         | flow of action |₁: actions move little of a face, so what moves the head is left to pose

The weights keep the ratio of the authors' code, 10 : 1 : 1 : 0.1. As there, each flow warps pixels that carry no
gradient from an earlier flow. Unlike there, the codes asked for by `consistency` are held fixed, for two codes also
agree by shrinking both. Not here: the code's curriculum of ever harder pairs. With the encoder `patches`, whose stem
passes no gradient, consistency teaches the encoder to read drawn faces and leaves the flows alone.

The paper reads the action code. The default here is the flattened map, as for the other methods: at 256 values the code
is about a tenth of it, and features are compared at like width.

Stills: the target is the same face moved, with some parts displaced; what is then found to be action is whatever
moves parts of a face, and never a real change of expression. Another picture of the person, where a set knows one, is
only moved as a whole and recoloured.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.drawing import blend, magnitude, pair, squared
from vultus.methods.losses import l1
from vultus.nets.encoders import build_encoder
from vultus.nets.flow import FlowDecoder, warp
from vultus.views import View


@dataclass(frozen=True)
class TCAEConfig:
    """Settings of TCAE."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    embedding: int = 256  # width of the action code and of the pose code
    reach: float = 1.0  # longest flow, in halves of the side
    reconstruction: float = 1.0  # weight of the target drawn from the source; 10 in the authors' code, the others alike
    cycle: float = 0.1  # weight of the two cycles
    consistency: float = 0.1  # weight of the six distances of codes
    sparsity: float = 0.01  # weight of the action flow's mean length
    turn: float = 10.0  # both views are turned by up to so many degrees
    local: float = 0.04  # how far parts of a target that is the face itself are displaced, in parts of the side
    jitter: float = 0.1  # strength of the target's recolouring


class TCAE(nn.Module):
    """L = L_reconstruction + α L_cycle + β L_consistency + γ L_sparsity."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: TCAEConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        names = ("reconstruction", "cycle", "consistency", "sparsity")
        self.weights: Mapping[str, float] = {name: getattr(config, name) for name in names}
        self.encoder = build_encoder(config.encoder, size)
        values, width = self.encoder.values, config.embedding
        self.to_action, self.to_pose = nn.Linear(values, width), nn.Linear(values, width)
        self.action_flow = FlowDecoder(2 * width, size, reach=config.reach, extra=1)
        self.pose_flow = FlowDecoder(2 * width, size, reach=config.reach, extra=1)

    def views(self) -> dict[str, View]:
        """`source` and `target`."""
        c = self.config
        return pair(self.size, c.turn, c.local, c.jitter)

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`reconstruction`, `cycle`, `consistency`, `sparsity`."""
        source, target = views["source"], views["target"]
        action, pose = self.codes(torch.cat([source, target]))
        (a_s, a_t), (p_s, p_t) = action.chunk(2), pose.chunk(2)
        flows, changed = self.changes(source, (a_s, a_t), (p_s, p_t))
        a, p = (codes.chunk(3) for codes in self.codes(torch.cat(changed)))  # of what was moved by action, pose, both
        back = (
            warp(changed[0].detach(), self.action_flow(torch.cat([a[0], a_s], 1))[:, :2]),
            warp(changed[1].detach(), self.pose_flow(torch.cat([p[1], p_s], 1))[:, :2]),
        )
        apart = [squared(x, y.detach()) for x, y in zip((*a, *p), (a_t, a_s, a_t, p_s, p_t, p_t), strict=True)]
        return {
            "reconstruction": l1(changed[2], target),
            "cycle": torch.stack([l1(face, source) for face in back]).sum(),
            "consistency": torch.stack(apart).sum(),
            "sparsity": magnitude(flows[0]),
        }

    def codes(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Action and pose codes (B, embedding)."""
        found = self.encoder(images).flatten(1)
        return self.to_action(found), self.to_pose(found)

    def changes(
        self, images: Tensor, action: tuple[Tensor, Tensor], pose: tuple[Tensor, Tensor]
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]:
        """The flows of action and pose from the first codes to the second, and the faces moved by one, other, both."""
        fields = torch.stack([self.action_flow(torch.cat(action, 1)), self.pose_flow(torch.cat(pose, 1))], 1)
        both = blend(fields[:, :, :2], fields[:, :, 2])
        flows = fields[:, 0, :2], fields[:, 1, :2]
        return flows, (warp(images, flows[0]), warp(images, flows[1]), warp(images, both))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`, the flattened map, and the codes `action` and `pose`."""
        found = self.encoder(images).flatten(1)
        return {"encoder": found, "action": self.to_action(found), "pose": self.to_pose(found)}

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """The paper's panel: each face with the action, the pose, and both of the next; (B, 3, S, S) by name."""
        a, p = self.codes(images)
        _, changed = self.changes(images, (a, a.roll(-1, 0)), (p, p.roll(-1, 0)))
        names = ("its action", "its pose", "both")
        faces = {"original": images, "next face": images.roll(-1, 0)}
        return faces | dict(zip(names, changed, strict=True))
