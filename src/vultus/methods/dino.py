"""DINO (Caron et al. 2021): a student matches the centred and sharpened output of its own moving average.

The teacher sees two large crops, the student these and several small ones; every pair of different crops counts.
Centring keeps one output from winning all faces, sharpening keeps all from being alike. Not here: a head without batch
norm whose last layer rests for an epoch, the teacher's temperature rising from 0.04 to 0.07, blur and solarisation that
differ from one large crop to the other, and the student's stochastic depth of 0.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vultus.methods import distillation
from vultus.nets.collective import total
from vultus.nets.encoders import Encoder, build_encoder
from vultus.nets.heads import Prototypes, mlp
from vultus.nets.momentum import Momentum
from vultus.views import View
from vultus.views.presets import multi_crop

Token = Literal["mean", "class"]
Read = Literal["map", "mean", "class"]


@dataclass(frozen=True)
class DINOConfig:
    """Settings of DINO."""

    encoder: str = "vit"  # patches, small, attentive (PCL's own), vit or any timm model
    token: Token = "mean"  # what of a transformer is described: the mean of its patches' tokens, or the class token
    read: Read = "map"  # the feature that embed gives; see features
    outputs: int = 1024  # K, the length of the distribution; the paper has 65,536, for batches of 1,024
    hidden: int = 512  # width of the head's two middles; 2,048 in the paper
    bottleneck: int = 128  # width before the outputs; 256 in the paper
    student_temperature: float = 0.1  # τ of the student
    teacher_temperature: float = 0.04  # τ of the teacher
    momentum: float = 0.99  # m of the teacher at the start; 1 at the end
    centre_momentum: float = 0.9  # of the moving mean that is taken off the teacher's outputs
    small_views: int = 4  # small crops
    small_size: int = 0  # their side in pixels; 0: half the side of large ones, in whole strides of the encoder
    large_scale: tuple[float, float] = (0.5, 1.0)  # area of large crops, parts of the face's
    small_scale: tuple[float, float] = (0.2, 0.5)  # and of small ones


class Head(nn.Module):
    """Encoder, projector and outputs: pictures → cosines to K directions."""

    def __init__(self, encoder: Encoder, token: Token, hidden: int, bottleneck: int, outputs: int) -> None:
        super().__init__()
        self.encoder, self.token = encoder, token
        self.projector = mlp(self.encoder.channels, hidden, hidden, bottleneck)
        self.prototypes = Prototypes(bottleneck, outputs)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.prototypes(self.projector(self.encoder.summary(images, self.token)))
        return out


def require_readable(encoder: Encoder, read: Read, name: str) -> None:
    """Raise ValueError where the feature that is to be read is a class token and the encoder has none."""
    if read == "class" and not encoder.has_class:
        raise ValueError(f"encoder {name!r} has no class token to read: choose read map or mean")


def small_side(size: int, asked: int, stride: int) -> int:
    """The side of small crops: as asked, or about half of `size`, in whole strides."""
    return asked or max(round(size / 2 / stride), 1) * stride


class DINO(nn.Module):
    """The teacher is the moving average of the student; it is what is saved and read."""

    balanced: tuple[str, ...] = ()
    weights: Mapping[str, float] = {"distillation": 1.0, "prototypes_used": 0.0, "sharpness": 0.0}

    def __init__(self, config: DINOConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        encoder = build_encoder(config.encoder, size)
        require_readable(encoder, config.read, config.encoder)
        self.student = Head(encoder, config.token, config.hidden, config.bottleneck, config.outputs)
        self.teacher = Momentum(self.student, config.momentum)
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(config.outputs))
        self.default_feature: str = config.read

    def views(self) -> dict[str, View]:
        """Two large crops and `small_views` small ones."""
        c = self.config
        small = small_side(self.size, c.small_size, self.size // self.student.encoder.side)
        return multi_crop(self.size, small, c.large_scale, c.small_scale, few=c.small_views)

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`distillation`: cross-entropy, mean over pairs of different crops; two signs of collapse beside it."""
        c = self.config
        large = torch.cat([v for k, v in views.items() if k.startswith("large")])
        small = [v for k, v in views.items() if k.startswith("small")]
        with torch.no_grad():
            raw = self.teacher(large).float()
            targets = ((raw - self.centre) / c.teacher_temperature).softmax(1)
            self.follow_centre(raw)
        students = [*self.student(large).chunk(2), *(self.student(torch.cat(small)).chunk(len(small)) if small else ())]
        pairs = [
            distillation.cross_entropy(target, student / c.student_temperature)
            for i, target in enumerate(targets.chunk(2))
            for j, student in enumerate(students)
            if i != j
        ]
        return {"distillation": torch.stack(pairs).mean(), **distillation.signs(targets)}

    @torch.no_grad()
    def follow_centre(self, raw: Tensor) -> None:
        """The centre moves towards the mean output of the teacher over all processes (eq. 4)."""
        mean = total(raw.sum(0)) / total(raw.new_tensor(float(len(raw))))
        self.centre = torch.lerp(self.centre, mean, 1 - self.config.centre_momentum)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """The teacher's: `map` flattened, `mean` over its places, and the `class` token of a transformer."""
        out: dict[str, Tensor] = self.teacher.copy.encoder.read(images)  # type: ignore[union-attr, operator]
        return out
