"""A face read together with its mirror image: the mean of both features.

Most of what is asked of a face is the same in a mirror; the mean leaves out what is not, such as the side of a light
or the turn of the head, and with it much that a read-out would otherwise have to learn to ignore.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from vultus.evaluation.stages import STAGES, Staged
from vultus.faces.atomic import sha256_of
from vultus.methods.model import Images


class Mirrored:
    """A FaceModel or a baseline whose every feature is the mean over a face and its mirror image.

    Features are called `NAME mirrored`. Not for answers that a mirror turns around: yaw, roll, classes of pose, points.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.name: str = model.name
        self.size: int = model.size
        self.sha256 = sha256_of(f"{model.sha256} mirrored".encode())
        self.feature_names = tuple(map(called, model.feature_names))
        self.default_feature = called(model.default_feature)

    def features(self, images: Images) -> Mapping[str, Tensor]:
        """Every named feature, float32 (B, D); images as the model's own `features` takes them."""
        straight, turned = (self.model.features(seen) for seen in (images, mirror(images)))
        return {called(k): (torch.as_tensor(v) + torch.as_tensor(turned[k])) / 2 for k, v in straight.items()}

    def embed(self, images: Images) -> Tensor:
        """The default feature, float32 (B, D)."""
        return self.features(images)[self.default_feature]


def mirror(images: Images) -> Images:
    """The pictures, left and right exchanged: (B, 3, H, W), or paths and Pillow pictures, one or several."""
    if isinstance(images, Tensor):
        return images.flip(-1)
    if isinstance(images, np.ndarray):
        return np.ascontiguousarray(images[..., ::-1])
    listed = [images] if isinstance(images, str | Path | Image.Image) else images
    return [ImageOps.mirror(i if isinstance(i, Image.Image) else Image.open(i)) for i in listed]


def reader(model: Any, mirrored: bool, feature: str | None = None) -> Any:
    """The model as it is to be read: with mirror images or without, by its own features or by its stages."""
    read = Staged(model) if feature == STAGES else model
    return Mirrored(read) if mirrored else read


def called(feature: str, mirrored: bool = True) -> str:
    """What the reader calls the model's feature."""
    return f"{feature} mirrored" if mirrored else feature
