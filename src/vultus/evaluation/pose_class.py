"""Head pose as a class (MTFL's five, BU-3DFE's views), by multinomial logistic regression; accuracy."""

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.classes import classify
from vultus.evaluation.figure import Figure
from vultus.evaluation.protocol import Protocol
from vultus.faces.faceset import FaceSet

PLAIN = Protocol()


def evaluate(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy` and `balanced_accuracy`; see `classify`. features: [N, D], rows as in `faces`."""
    return classify(features, faces, "pose", protocol, task="pose_class")
