"""PCL: Pose-disentangled Contrastive Learning (CVPR 2023, arXiv 2211.13490).

One encoder gives F_s; two convolutions split it into a face feature F_f and a pose feature F_p. A decoder
must rebuild a face and its flip from either's face feature and the pose feature that belongs to the target
(L_dis), the two are kept orthogonal (L_orth), poses of a face and of its flip are told apart on F_p (L_pose),
faces on F_f (L_face).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vultus.methods import losses as formulas
from vultus.nets.collective import gather
from vultus.nets.decoders import DECODERS
from vultus.nets.encoders import build_encoder
from vultus.nets.heads import projector
from vultus.nets.memory import Queue
from vultus.views import View
from vultus.views.presets import pcl_face, photometric, simclr


@dataclass(frozen=True)
class PCLConfig:
    """Settings of PCL; every term can be switched off, for the ablation."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    decoder: Literal["fast", "paper"] = "fast"  # fast works at half resolution
    temperature: float = 0.07  # τ of both contrastive losses
    hidden: int = 512  # width of the projectors' middle
    projection: int = 128  # width of the spaces in which views are compared
    crops: Literal["simclr", "quadrants"] = "simclr"  # face views: random crops, or the authors' quadrants
    crop: float = 0.6  # simclr crops: smallest part of the face's area kept
    reconstruct: bool = True  # L_dis
    orthogonal: Literal["off", "dot", "correlation"] = "correlation"  # L_orth: paper's or code's form
    pose: Literal["off", "own", "batch", "queue"] = "batch"  # L_pose: whose flips are the negatives
    pose_weight: float = 1.0  # of L_pose beside the other terms; less keeps more of who it is in F_s
    flips: int = 1  # augmented flips of each face
    pose_part: float = 0.25  # part of a batch's faces that L_pose is of
    whole_part: float = 0.25  # part of a batch's faces that L_dis and L_orth are of
    queue: int = 4096  # flips remembered by pose="queue"
    mix: float = 1.6  # Beta(mix, mix) of mixed negatives; 0: none
    noise: float = 0.1  # Gaussian noise on what is encoded for L_dis, in units of the grey range
    balance: bool = True  # Dynamic Weight Average of L_face and L_pose


class PCL(nn.Module):
    """L = L_dis + L_orth + α_pose L_pose + α_face L_face."""

    default_feature = "shared"

    def __init__(self, config: PCLConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.balanced = ("face", "pose") if config.balance and config.pose != "off" else ()
        self.weights = {"reconstruction": 1.0, "orthogonality": 1.0, "pose": config.pose_weight, "face": 1.0}
        self.encoder = build_encoder(config.encoder, size)
        values, channels = self.encoder.values, self.encoder.channels
        self.to_face = nn.Conv2d(channels, channels, 3, 1, 1)
        self.to_pose = nn.Conv2d(channels, channels, 3, 1, 1)
        self.face_head = projector(values, config.hidden, config.projection)
        if config.pose != "off":
            self.pose_head = projector(values, config.hidden, config.projection)
        if config.reconstruct:
            self.decoder = DECODERS[config.decoder](values, size)
        if config.pose == "queue":
            self.past = Queue(config.queue, config.projection)

    def views(self) -> dict[str, View]:
        """Two crops for L_face; the whole face, a recoloured one and recoloured flips for the pose terms."""
        c = self.config
        views = {
            f"face_{k}": simclr(self.size, crop=c.crop) if c.crops == "simclr" else pcl_face(self.size, pair=k)
            for k in (0, 1)
        }
        whole = photometric(self.size)
        if c.reconstruct or c.orthogonal != "off" or c.pose != "off":
            views["whole"] = View(self.size, part=c.whole_part)
        if c.pose != "off":
            views["pose_0"] = views["pose_1"] = replace(whole, part=c.pose_part)
            views["flips"] = replace(photometric(self.size, flip=True), part=c.pose_part, copies=c.flips)
        return views

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`face`, and unless switched off `reconstruction`, `orthogonality`, `pose`."""
        inputs = dict(views)
        if "whole" in views:
            whole = inputs.pop("whole")
            inputs["straight"], inputs["mirrored"] = self.noisy(whole), self.noisy(whole.flip(-1))
        maps = self.encoder(torch.cat(list(inputs.values())))
        split = dict(zip(inputs, maps.split([len(v) for v in inputs.values()]), strict=True))
        face = [self.face_head(self.to_face(split[f"face_{k}"]).flatten(1)) for k in (0, 1)]
        losses = {"face": formulas.info_nce(*face, self.config.temperature, self.config.mix)}
        if "whole" in views:
            losses |= self.disentangle(split, views["whole"])
        if self.config.pose != "off":
            losses["pose"] = self.pose_loss(split)
        return losses

    def noisy(self, images: Tensor) -> Tensor:
        """The encoder sees noise, the decoder's target has none."""
        return images + self.config.noise * torch.randn_like(images) if self.config.noise else images

    def disentangle(self, maps: Mapping[str, Tensor], target: Tensor) -> dict[str, Tensor]:
        """L_dis, its four reconstructions in one pass of the decoder, and L_orth."""
        out = {}
        faces = [self.to_face(maps[k]) for k in ("straight", "mirrored")]
        poses = [self.to_pose(maps[k]) for k in ("straight", "mirrored")]
        if self.config.reconstruct:
            # whose pose decides what is drawn: (f, p) (f̂, p) → s and (f, p̂) (f̂, p̂) → ŝ
            drawn = self.decode(torch.cat([*faces, *faces]), torch.cat([poses[0]] * 2 + [poses[1]] * 2))
            goal = torch.cat([target] * 2 + [target.flip(-1)] * 2)
            out["reconstruction"] = 4 * formulas.l1(drawn, goal)
        if self.config.orthogonal != "off":
            form = {"dot": formulas.orthogonality_dot, "correlation": formulas.orthogonality_correlation}
            terms = [form[self.config.orthogonal](f, p) for f, p in zip(faces, poses, strict=True)]
            out["orthogonality"] = torch.stack(terms).sum()
        return out

    def decode(self, face: Tensor, pose: Tensor) -> Tensor:
        """The decoder D on the sum of both maps, normalised to length √D as a whole."""
        code = F.normalize((face + pose).flatten(1).float(), dim=1)
        out: Tensor = self.decoder(code * code.shape[1] ** 0.5)
        return out

    def pose_loss(self, maps: Mapping[str, Tensor]) -> Tensor:
        """L_pose, both directions; negatives are flips of the face itself, of the batch, or of the past too."""
        a, b, flips = (self.pose_head(self.to_pose(maps[k]).flatten(1)) for k in ("pose_0", "pose_1", "flips"))
        flips = flips.unflatten(0, (len(a), self.config.flips)) if self.config.pose == "own" else gather(flips)
        fresh = flips.detach().float()
        if self.config.pose == "queue":
            flips = torch.cat([flips.float(), self.past.rows])
            self.past.push(fresh)
        flips = formulas.mix_rows(flips, self.config.mix)
        tau = self.config.temperature
        return formulas.nce(a, b, flips, tau) + formulas.nce(b, a, flips, tau)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`shared` F_s, `face` F_f, `pose` F_p and `face+pose` F_f + F_p, all flattened maps."""
        shared = self.encoder(images)
        face, pose = self.to_face(shared), self.to_pose(shared)
        maps = {"shared": shared, "face": face, "pose": pose, "face+pose": face + pose}
        return {name: m.flatten(1) for name, m in maps.items()}

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """The paper's panel: what D draws from each feature and each mixture, pictures (B, 3, S, S) by name."""
        straight, mirrored = self.encoder(images), self.encoder(images.flip(-1))
        f, p, other = self.to_face(straight), self.to_pose(straight), self.to_pose(mirrored)
        nothing = torch.zeros_like(f)
        return {
            "original": images,
            "D(F_f, F_p)": self.decode(f, p),
            "D(F_f, F_p̂)": self.decode(f, other),
            "D(F_f)": self.decode(f, nothing),
            "D(F_p)": self.decode(nothing, p),
            "D(F_p̂)": self.decode(nothing, other),
        }
