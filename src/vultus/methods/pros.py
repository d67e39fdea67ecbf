"""ProS: Prototype-based Self-Distillation (WACV 2024, arXiv 2311.01929).

Teacher and student see different crops of a face. Each is described by its similarities to learnable prototypes; the
student's description is matched to the teacher's, sharpened, and faces are spread over the prototypes by keeping the
student's mean description uncertain. The teacher, a moving average of the student, is what is saved and read. The paper
states no constants; those here are of its closest published relative, MSN (Assran et al. 2022), but for what small runs
ask for: fewer prototypes and narrower heads, a momentum of 0.99 (MSN 0.996), large crops of half a face or more (0.3)
and small ones of 0.2 to 0.5 (0.05 to 0.3), 4 small crops (10), and no patches dropped (0.15); the recipe pros-paper has
MSN's. The teacher has prototypes of its own, the moving average of the student's; in MSN both share one set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods import distillation
from vultus.methods.dino import Head, Read, Token, require_readable, small_side
from vultus.nets.encoders import build_encoder, drop_nothing
from vultus.nets.momentum import Momentum
from vultus.views import View
from vultus.views.presets import multi_crop


@dataclass(frozen=True)
class ProSConfig:
    """Settings of ProS."""

    encoder: str = "vit"  # patches, small, attentive (PCL's own), vit or any timm model
    token: Token = "mean"  # what of a transformer is described: the mean of its patches' tokens, or the class token
    read: Read = "map"  # the feature that embed gives; see features
    prototypes: int = 256  # K; 1,024 in MSN, for batches of 1,024
    hidden: int = 512  # width of the projector's two middles; 2,048 in MSN
    projection: int = 128  # width of the space of the prototypes; 256 in MSN
    temperature: float = 0.1  # τ of both descriptions
    sharpening: float = 0.25  # T: the teacher's description is raised to 1/T
    sinkhorn: int = 3  # rounds that balance the teacher's descriptions over the prototypes; 0: none
    entropy_weight: float = 1.0  # of mean-entropy maximisation
    momentum: float = 0.99  # m of the teacher at the start; 1 at the end
    drop: float = 0.0  # part of the patches that a transformer student does not see
    small_views: int = 4  # small crops of the student, beside its large one
    small_size: int = 0  # their side in pixels; 0: half the side of large ones, in whole strides of the encoder
    large_scale: tuple[float, float] = (0.5, 1.0)  # area of large crops, parts of the face's
    small_scale: tuple[float, float] = (0.2, 0.5)  # and of small ones


class ProS(nn.Module):
    """Cross-entropy between sharpened teacher and student, minus the entropy of the student's mean."""

    balanced: tuple[str, ...] = ()

    def __init__(self, config: ProSConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.weights = {"distillation": 1.0, "mean_entropy": config.entropy_weight}
        self.weights |= {"prototypes_used": 0.0, "sharpness": 0.0}
        encoder = build_encoder(config.encoder, size, config.drop)
        require_readable(encoder, config.read, config.encoder)
        self.default_feature: str = config.read
        self.student = Head(encoder, config.token, config.hidden, config.projection, config.prototypes)
        self.teacher = Momentum(self.student, config.momentum)
        if config.drop:
            drop_nothing(self.teacher)  # the teacher sees all of a face

    def views(self) -> dict[str, View]:
        """A large crop for the teacher, another one and small ones for the student."""
        c = self.config
        small = small_side(self.size, c.small_size, self.size // self.student.encoder.side)
        return multi_crop(self.size, small, c.large_scale, c.small_scale, few=c.small_views)

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`distillation`, `mean_entropy` (its gap to the greatest possible), and two signs of collapse."""
        described = self.described(views["large_0"])
        target = distillation.sinkhorn(described, self.config.sinkhorn)
        small = [v for k, v in views.items() if k.startswith("small")]
        students = [self.student(views["large_1"])]
        if small:
            students += self.student(torch.cat(small)).chunk(len(small))
        logits = [student / self.config.temperature for student in students]
        matched = [distillation.cross_entropy(target, student) for student in logits]
        mean = distillation.mean_entropy_gap(torch.cat(logits).float().softmax(1))
        return {"distillation": torch.stack(matched).mean(), "mean_entropy": mean, **distillation.signs(described)}

    @torch.no_grad()
    def described(self, images: Tensor) -> Tensor:
        """The teacher's description (B, K), sharpened, and not yet balanced: balance would hide a collapse."""
        c = self.config
        return distillation.sharpened((self.teacher(images).float() / c.temperature).softmax(1), c.sharpening)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """The teacher's: `map` flattened, `mean` over its places, and the `class` token of a transformer."""
        out: dict[str, Tensor] = self.teacher.copy.encoder.read(images)  # type: ignore[union-attr, operator]
        return out
