"""Head pose as a class (MTFL's five, BU-3DFE's views, Pointing'04's 93), by multinomial logistic regression."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.classes import classify, classify_labels
from vultus.evaluation.figure import Figure
from vultus.evaluation.head_pose import angles_of
from vultus.evaluation.pooled import Tunes
from vultus.evaluation.protocol import Protocol
from vultus.faces.faceset import FaceSet

PLAIN = Protocol()


def evaluate(features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN) -> list[Figure]:
    """Figures `accuracy` and `balanced_accuracy`; see `classify`. features: [N, D], rows as in `faces`.

    Where a class fixes several angles, as the poses of Pointing'04 do, `accuracy_yaw` and `accuracy_pitch` too: each
    angle's degrees as classes, by a read-out of their own, as papers on that set give them.
    """
    figures = classify(features, faces, "pose", protocol, task="pose_class")
    if isinstance(features, Tunes):
        return figures  # a network is tuned for the poses alone
    for name, degrees in _coarser(faces).items():
        first = classify_labels(features, faces, degrees, name, protocol, "pose_class")[0]
        figures.append(replace(first, metric=f"accuracy_{name}"))
    return figures


def _coarser(faces: FaceSet) -> dict[str, NDArray[np.str_]]:
    """By angle the degrees [N] as words, of angles that every pose fixes and several poses share."""
    poses = faces.labels("pose")
    found = {}
    for name in angles_of(faces):
        values = faces.labels(name)
        known = (poses != "") & np.isfinite(values)
        pairs = {
            (pose, f"{value:g}") for pose, value in zip(poses[known].tolist(), values[known].tolist(), strict=True)
        }
        classes = {degrees for _, degrees in pairs}
        if 1 < len(classes) < len(pairs) == len({pose for pose, _ in pairs}):
            words = np.array([f"{value:g}" for value in values.tolist()])
            found[name] = np.where(known, words, "")
    return found
