"""Synthetic faces whose every cause is known: who, which expression, which pose, which light."""

from vultus.faces.synthetic.expressions import AU_NAMES, EXPRESSIONS, prototype
from vultus.faces.synthetic.parameters import FaceParameters, sample_parameters
from vultus.faces.synthetic.picture import landmarks, render
from vultus.faces.synthetic.stream import generate, grid, labels_of

__all__ = [
    "AU_NAMES", "EXPRESSIONS", "FaceParameters", "generate", "grid", "labels_of", "landmarks", "prototype",
    "render", "sample_parameters",
]  # fmt: skip
