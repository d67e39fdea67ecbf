"""vultus: what PCL, ContraWarping and ProS each add, joined in one pass over two views and a half.

Faces are told apart on a face feature F_f as in SimCLR; a local warp, a change of expression, makes an explicit
negative there (ContraWarping). From the pose features F_p of two views it must be told how one is turned into the
other: mirrored (PCL's L_pose, without views of its own), moved and zoomed. And faces are described by learnable
prototypes which the two views must share (ProS, without a teacher: SwAV's swapped prediction). F_s, the map under
both, is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vultus.methods import distillation
from vultus.methods.losses import away_from_warped, change_loss, info_nce, placement_change
from vultus.nets.encoders import build_encoder
from vultus.nets.heads import Prototypes, mlp, projector
from vultus.views import View
from vultus.views.presets import simclr
from vultus.views.warp import LocalWarp


@dataclass(frozen=True)
class VultusConfig:
    """Settings of vultus; a term of weight 0 is left out."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own) or any timm model
    temperature: float = 0.1  # τ of InfoNCE
    hidden: int = 512  # width of the projectors' middle
    projection: int = 128  # width of the spaces in which views are compared
    crop: float = 0.6  # smallest part of the face's area that a crop may keep
    pose_weight: float = 0.5  # of telling from F_p how two views differ in place
    warped_weight: float = 0.2  # of keeping warped faces away on F_f
    warped_part: float = 0.25  # part of a batch's faces that are warped
    warped_temperature: float = 0.2  # τ of that
    points: int = 4  # bumps of a warp
    magnitude: float = 6.0  # how far a bump moves its centre, per cent of the face's height
    radius: float = 10.0  # standard deviation of a bump, per cent of the face's height
    prototype_weight: float = 0.5  # of the prototypes that two views share
    prototypes: int = 512  # K
    sharpening: float = 0.5  # T: a description is raised to 1/T before it is a target
    sinkhorn: int = 3  # rounds that spread the targets over the prototypes


class Vultus(nn.Module):
    """L = L_face + w_pose L_pose + w_warped L_warped + w_prototypes L_prototypes."""

    default_feature = "shared"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: VultusConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        weights = {"pose": config.pose_weight, "warped": config.warped_weight, "prototypes": config.prototype_weight}
        self.weights = {"face": 1.0} | {name: weight for name, weight in weights.items() if weight}
        self.encoder = build_encoder(config.encoder, size)
        values, channels = self.encoder.values, self.encoder.channels
        self.to_face = nn.Conv2d(channels, channels, 3, 1, 1)
        self.to_pose = nn.Conv2d(channels, channels, 3, 1, 1)
        self.face_head = projector(values, config.hidden, config.projection)
        self.pose_head = projector(values, config.hidden, config.projection)
        self.compare = mlp(2 * config.projection, config.projection, 5)
        self.prototypes = Prototypes(config.projection, config.prototypes)

    def views(self) -> dict[str, View]:
        """Two crops of each face, and of some a third one, warped."""
        c = self.config
        view = simclr(self.size, crop=c.crop)
        views = dict.fromkeys("ab", replace(view, placed=True))
        if c.warped_weight:
            warp = LocalWarp(c.points, c.magnitude / 100, c.radius / 100)
            views["warped"] = replace(view, geometry=(warp, *view.geometry), part=c.warped_part)
        return views

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`face`, and unless their weights are 0 `pose`, `warped`, `prototypes`."""
        pictures = [views[name] for name in self.views()]
        maps = self.encoder(torch.cat(pictures))
        n, counts = len(views["a"]), [len(part) for part in pictures]
        face = self.face_head(self.to_face(maps).flatten(1)).split(counts)
        losses = {"face": info_nce(face[0], face[1], self.config.temperature)}
        if "pose" in self.weights:
            losses["pose"] = self.pose_loss(maps[: 2 * n], views["a_placement"], views["b_placement"])
        if "warped" in self.weights:
            losses["warped"] = self.warped_loss(*face)
        if "prototypes" in self.weights:
            losses["prototypes"] = self.prototype_loss(face[0], face[1])
        return losses

    def pose_loss(self, maps: Tensor, of_a: Tensor, of_b: Tensor) -> Tensor:
        """What turns a face's second view into its first must be told from the two pose features."""
        a, b = self.pose_head(self.to_pose(maps).flatten(1)).chunk(2)
        told: Tensor = self.compare(torch.cat([a, b], 1))
        return change_loss(told, placement_change(of_a, of_b))

    def warped_loss(self, a: Tensor, b: Tensor, warped: Tensor) -> Tensor:
        """Both views of a face keep nearer to each other than to the warped face."""
        n, tau = len(warped), self.config.warped_temperature
        a, b = a[:n], b[:n]
        both = [away_from_warped(*pair, warped, "logistic", 0.0, tau) for pair in ((a, b), (b, a))]
        return torch.stack(both).mean()

    def prototype_loss(self, a: Tensor, b: Tensor) -> Tensor:
        """Each view's description over the prototypes must say what the other's, sharpened and balanced, says."""
        c = self.config
        logits = [self.prototypes(z) / c.temperature for z in (a, b)]
        with torch.no_grad():
            targets = [
                distillation.sinkhorn(distillation.sharpened(z.softmax(1), c.sharpening), c.sinkhorn) for z in logits
            ]
        crossed = [distillation.cross_entropy(t, z) for t, z in zip(reversed(targets), logits, strict=True)]
        return torch.stack(crossed).mean()

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`shared` F_s, `face` F_f and `pose` F_p, flattened maps."""
        shared = self.encoder(images)
        maps = {"shared": shared, "face": self.to_face(shared), "pose": self.to_pose(shared)}
        return {name: m.flatten(1) for name, m in maps.items()}
