"""FaceCycle: facial representations from the cycle-consistency of face (Chang, Chen & Chiu, ICCV 2021,
arXiv 2108.03427).

An expression code, tanh of 256 values, becomes a flow that removes the expression (all that differs from the person's
neutral face, pose too); the flow that undoes it puts it back. An identity code removes from the neutral face what makes
the person, which leaves the mean face of the batch, and puts it back:

    face ⇄ neutral face ⇄ mean face

    motion           each frame drawn back from its own neutral face, and from that of the person's other frame: L1
    neutral          the neutral faces of both frames agree: L1
    symmetry         a neutral face is its own mirror image: L1
    mean             each face without its identity is the mean of these over all faces: L1
    identity         the neutral face drawn back from that mean face and the identity code: L1
    reconstruction   the frame drawn back from the mean face and both codes: L1
    smoothness       both flows change slowly: total variation

The flow back is not decoded but computed, g(p) = −flow(p + g(p)). The paper removes the identity by re-normalising a
network's feature maps with the code; here the code gives a flow and, for what no flow can change, a gain and an offset
of the picture, at a quarter of its side. Identity is learned in the same run, from neutral faces held fixed; the
authors train it in a second one. Not here: their drawing network, VGG features, SSIM and margin loss.

Stills: the other frame is the same face moved, with some parts displaced; the neutral face is then what these have in
common, an upright symmetrical one, and a smile that is in both frames stays in it. Another picture of the person, where
a set knows one, is only moved as a whole and recoloured.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vultus.methods.drawing import asymmetry, batch_mean, pair, total_variation
from vultus.methods.losses import l1
from vultus.nets.encoders import build_encoder
from vultus.nets.flow import FlowDecoder, inverse, warp
from vultus.views import View


@dataclass(frozen=True)
class FaceCycleConfig:
    """Settings of FaceCycle."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    embedding: int = 256  # width of the expression code and of the identity code
    reach: float = 0.5  # longest flow, in halves of the side
    motion: float = 1.0  # weight of the frames drawn back from neutral faces
    neutral: float = 0.5  # weight of the agreement of a person's neutral faces
    symmetry: float = 0.5  # weight of the neutral faces' symmetry
    mean: float = 0.5  # weight of the agreement of all faces without identity
    identity: float = 1.0  # weight of the neutral face drawn back from the mean face
    reconstruction: float = 1.0  # weight of the frame drawn back from both codes
    smoothness: float = 0.02  # weight of the flows' total variation
    turn: float = 10.0  # both views are turned by up to so many degrees
    local: float = 0.04  # how far parts of a target that is the face itself are displaced, in parts of the side
    jitter: float = 0.1  # strength of the target's recolouring


LOSSES = ("motion", "neutral", "symmetry", "mean", "identity", "reconstruction", "smoothness")


class FaceCycle(nn.Module):
    """The weighted sum of seven losses; the feature is the encoder's flattened map."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: FaceCycleConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.weights: Mapping[str, float] = {name: getattr(config, name) for name in LOSSES}
        self.encoder = build_encoder(config.encoder, size)
        values, width = self.encoder.values, config.embedding
        self.to_expression, self.to_identity = nn.Linear(values, width), nn.Linear(values, width)
        self.motion = FlowDecoder(width, size, reach=config.reach)
        self.person = FlowDecoder(width, size, reach=config.reach, extra=4)  # a gain and an offset of R, G, B

    def views(self) -> dict[str, View]:
        """`source` and `target`."""
        c = self.config
        return pair(self.size, c.turn, c.local, c.jitter)

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The seven losses of the module's docstring."""
        frames = torch.cat([views["source"], views["target"]])
        codes = self.codes(frames)
        flow, person = self.motion(codes["expression"]), self.person(codes["identity"])
        back, neutral = inverse(flow), warp(frames, flow)
        first, second = neutral.chunk(2)
        exchanged = torch.cat([second, first])
        fixed = neutral.detach()
        anyone = remove(fixed, person)
        mean = batch_mean(anyone)
        again = restore(mean, person)
        return {
            "motion": l1(warp(torch.cat([neutral, exchanged]), back.repeat(2, 1, 1, 1)), frames.repeat(2, 1, 1, 1)),
            "neutral": l1(first, second),
            "symmetry": asymmetry(neutral),
            "mean": l1(anyone, mean.expand_as(anyone)),
            "identity": l1(again, fixed),
            "reconstruction": l1(warp(again, back), frames),
            "smoothness": total_variation(flow) + total_variation(person[:, :2]),
        }

    def codes(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`, the flattened map, and the codes `expression` and `identity`, each value in −1…1."""
        found = self.encoder(images).flatten(1)
        return {
            "encoder": found,
            "expression": self.to_expression(found).tanh(),
            "identity": self.to_identity(found).tanh(),
        }

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`, `expression` and `identity`, the last two as the paper reads them."""
        return self.codes(images)

    def reconstructions(self, images: Tensor) -> dict[str, Tensor]:
        """The paper's panel: each face less its expression, less its identity too, and drawn back from both codes."""
        codes = self.codes(images)
        flow, person = self.motion(codes["expression"]), self.person(codes["identity"])
        neutral = warp(images, flow)
        anyone = remove(neutral, person)
        mean = batch_mean(anyone)
        return {
            "original": images,
            "neutral face": neutral,
            "without identity": anyone,
            "mean face": mean.expand_as(images),
            "drawn from both codes": warp(restore(mean, person), inverse(flow)),
        }


def remove(faces: Tensor, person: Tensor) -> Tensor:
    """Faces (B, 3, S, S) without what `person` (B, 6, S, S) adds to a mean face: (warp(face) − offset) / gain."""
    flow, gain, offset = person[:, :2], person[:, 2:3], person[:, 3:]
    return (warp(faces, flow) - offset) * torch.exp(-gain)


def restore(faces: Tensor, person: Tensor) -> Tensor:
    """Faces (B or 1, 3, S, S) with what `person` adds: the inverse of `remove`, up to interpolation."""
    flow, gain, offset = person[:, :2], person[:, 2:3], person[:, 3:]
    return warp(faces * torch.exp(gain) + offset, inverse(flow))
