"""DeformAE: Deforming Autoencoder (Shu et al., ECCV 2018, arXiv 1806.06503).

A face is drawn in two steps. An appearance code becomes a template, the face in a pose and expression common to all; a
deformation code becomes a grid that says where in the template each pixel of the face lies. The grid is the running sum
of positive steps, so it stretches and never folds, followed by an affine map. The appearance code is narrow (16 values
beside 128), so what deformation can say it must say:

    reconstruction   | face − warp(template, grid) |₁
    smoothness       total variation of the steps' flow, before the affine map
    bias             square of the batch's mean flow: the template stands where the average face does
    affine           square of the affine map's six values

Weights are those of the authors' code (1e-6 times the sum over a batch of 100 at 64 px is 0.026 of the mean slope used
here; 0.01 for the bias). The affine map's values stay within ±0.5. Not here: the paper's split of the template into
shading and albedo, and its adversarial loss.

Stills are all it needs; light turns of the view give the grid something to explain.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.drawing import bias, squared, total_variation
from vultus.methods.losses import l1
from vultus.nets.decoders import FastDecoder
from vultus.nets.encoders import build_encoder
from vultus.nets.flow import FieldDecoder, monotone, placed, quiet, warp
from vultus.views import Affine, Flip, View


@dataclass(frozen=True)
class DeformAEConfig:
    """Settings of the deforming autoencoder."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    appearance: int = 16  # width of the code of the template
    deformation: int = 128  # width of the code of the grid
    stretch: float = 1.0  # steps of the grid lie between e^−stretch and e^stretch of a pixel
    smoothness: float = 0.026  # weight of the local flow's total variation; the reconstruction's is 1
    bias: float = 0.01  # weight of the mean flow's square
    affine: float = 0.01  # weight of the affine map's square
    turn: float = 10.0  # the view is turned by up to so many degrees


class DeformAE(nn.Module):
    """L = L_reconstruction + α L_smoothness + β L_bias + γ L_affine."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: DeformAEConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        weights = {name: getattr(config, name) for name in ("smoothness", "bias", "affine")}
        self.weights: Mapping[str, float] = {"reconstruction": 1.0} | weights
        self.encoder = build_encoder(config.encoder, size)
        self.to_appearance = nn.Linear(self.encoder.values, config.appearance)
        self.to_deformation = nn.Linear(self.encoder.values, config.deformation)
        self.template = FastDecoder(config.appearance, size)
        self.steps = FieldDecoder(config.deformation, size, 2)
        self.to_affine = quiet(nn.Linear(config.deformation, 6))

    def views(self) -> dict[str, View]:
        """`face`: the whole face, turned, shifted and zoomed a little, flipped or not."""
        turn = self.config.turn
        return {"face": View(self.size, (Affine((-turn, turn)), Flip(p=0.5)))}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`reconstruction`, `smoothness`, `bias`, `affine`."""
        codes = self.features(views["face"])
        local, change = self.deformation(codes["deformation"])
        flow = placed(local, change)
        drawn = warp(self.template(codes["appearance"]), flow)
        return {
            "reconstruction": l1(drawn, views["face"]),
            "smoothness": total_variation(local),
            "bias": bias(flow),
            "affine": squared(change, torch.zeros_like(change)),
        }

    def deformation(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """The local flow (B, 2, S, S) and the affine map (B, 2, 3) that follows it."""
        local = monotone(self.config.stretch * self.steps(code))
        return local, 0.5 * self.to_affine(code).float().tanh().view(-1, 2, 3)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`, the flattened map, and the codes `appearance` and `deformation`."""
        found = self.encoder(images).flatten(1)
        return {
            "encoder": found,
            "appearance": self.to_appearance(found),
            "deformation": self.to_deformation(found),
        }

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """Each face, its template, the template deformed as the face and as the next one; (B, 3, S, S) by name."""
        codes = self.features(images)
        template, flow = self.template(codes["appearance"]), placed(*self.deformation(codes["deformation"]))
        return {
            "original": images,
            "template": template,
            "drawn": warp(template, flow),
            "next face": images.roll(-1, 0),
            "deformed as next face": warp(template, flow.roll(-1, 0)),
        }
