"""ContraWarping (arXiv 2303.09034): an expression survives global changes and not a local warp.

Positives are two global changes of a face (affine, colour), as in BYOL; the negative is the same face after a random
local warp. The paper leaves open the warp's family, its size and the loss; here they are settings. Every view, the
positives too, passes a warp stage, of magnitude 0 for positives: their interpolation smooths them just as much, so the
smoothing cannot tell negatives from positives.

With control="landmarks" the bumps of a warp stand at the face's own landmarks, and where the set does not know them, at
places of a usual face; the last lines of a run say of how many faces they were known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vultus.methods.byol import Branch
from vultus.methods.distillation import projection_std
from vultus.methods.losses import away_from_warped, regression
from vultus.nets.encoders import Pool
from vultus.nets.heads import mlp
from vultus.nets.momentum import Momentum
from vultus.views import LocalWarp, View
from vultus.views.presets import globally_changed

# brows, eyes and mouth of an upright face that fills its box, as parts of the side
EXPRESSIVE = (
    *((0.2, 0.3), (0.32, 0.27), (0.68, 0.27), (0.8, 0.3), (0.3, 0.38), (0.7, 0.38)),
    *((0.35, 0.76), (0.65, 0.76), (0.5, 0.73), (0.5, 0.81)),
)


@dataclass(frozen=True)
class ContraWarpingConfig:
    """Settings of ContraWarping."""

    encoder: str = "patches"  # patches, small, attentive (PCL's own), vit or any timm model
    pool: Pool = "map"  # what the projector is given and the feature is: the flattened map, or its mean over the places
    hidden: int = 512  # width of the projector's and predictor's middle
    projection: int = 128  # width of the space in which views are predicted
    momentum: float = 0.99  # m of the target at the start; 1 at the end
    form: Literal["hinge", "triplet", "logistic", "infonce"] = "infonce"  # how warped faces are kept away
    warped_weight: float = 1.0  # weight of the warped negative; BYOL's own loss has 1
    margin: float = 0.5  # of hinge and triplet, a cosine
    temperature: float = 0.1  # τ of logistic and infonce
    control: Literal["random", "landmarks", "template"] = "random"  # bumps: anywhere, at each face's, or a usual face's
    points: int = 4  # bumps of a warp
    magnitude: float = 6.0  # how far a bump moves its centre, per cent of the picture's side
    radius: float = 10.0  # standard deviation of a bump, per cent of the picture's side


class ContraWarping(nn.Module):
    """BYOL on globally changed faces, and a target of each face warped, which its prediction keeps away from."""

    default_feature = "encoder"
    balanced: tuple[str, ...] = ()

    def __init__(self, config: ContraWarpingConfig, size: int) -> None:
        super().__init__()
        self.config, self.size = config, size
        self.weights = {"prediction": 1.0, "warped": config.warped_weight, "projection_std": 0.0}
        self.online = Branch(config.encoder, size, config.hidden, config.projection, config.pool)
        self.target = Momentum(self.online, config.momentum)
        self.predictor = mlp(config.projection, config.hidden, config.projection)

    def views(self) -> dict[str, View]:
        """Two globally changed faces through an identity warp, and a third, changed by the same recipe, warped."""
        c = self.config
        template = () if c.control == "random" else EXPRESSIVE  # for faces whose landmarks are not known, too
        warp, identity = (
            LocalWarp(c.points, size / 100, c.radius / 100, c.control == "landmarks", template)
            for size in (c.magnitude, 0.0)
        )
        same = globally_changed(self.size, identity)
        return {"a": same, "b": same, "warped": globally_changed(self.size, warp)}

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`prediction` as BYOL's; `warped`: both predictions away from the target of the warped face; BYOL's sign."""
        c = self.config
        both = torch.cat([views["a"], views["b"]])
        a, b = self.predictor(self.online(both)).chunk(2)
        of_a, of_b, warped = self.target(torch.cat([both, views["warped"]])).chunk(3)
        away = [away_from_warped(p, z, warped, c.form, c.margin, c.temperature) for p, z in ((a, of_b), (b, of_a))]
        prediction, std = regression(a, of_b) + regression(b, of_a), projection_std(of_a)
        return {"prediction": prediction, "warped": torch.stack(away).sum(), "projection_std": std}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """`encoder`: the online encoder's flattened map, or its mean."""
        return {"encoder": self.online.read(images)}
