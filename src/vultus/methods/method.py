"""What the loop and the evaluation ask of a method."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from vultus.views import View


@runtime_checkable
class Method(Protocol):
    """A module with three answers: the views it wants, the losses of a batch of them, the features it offers."""

    default_feature: str
    balanced: tuple[str, ...]  # the losses whose weights Dynamic Weight Average moves; () for none
    weights: Mapping[str, float]  # fixed weight of every loss

    def views(self) -> dict[str, View]:
        """The views of a step by name."""

    def losses(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Unweighted scalar losses by name, from views (B, 3, S, S) in 0…1."""

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Named features (B, D) of pictures (B, 3, S, S) in 0…1."""
