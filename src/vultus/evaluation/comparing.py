"""What tasks share that compare features with features: nothing is fitted to labels, axes may be whitened."""

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.preparation import Preparation, prepare, require_finite, require_varying
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Rows
from vultus.faces.faceset import FaceSet

Floats = NDArray[np.floating]


def directions(
    features: Floats, faces: FaceSet, rows: Rows, protocol: Protocol
) -> tuple[NDArray[np.float32], dict[str, object]]:
    """Features of the faces `rows` [M] at unit length, float32 [M, D], and how they were whitened; zeros stay zeros.

    features: [N, D]. With protocol.pca: whitened components, fitted on the set's training faces, or where it has too
    few on the compared faces themselves, whose labels stay unseen.
    Raises ValueError for features that are not finite, or the same for all the faces.
    """
    chosen = features[rows].astype(np.float32)
    require_finite(chosen)
    require_varying(chosen)
    detail: dict[str, object] = {"whitened": whitened(protocol)}
    if protocol.pca is not None:
        learn = training_rows(faces, rows)
        own = len(learn) <= protocol.pca
        chosen = whitening(chosen if own else features[learn], protocol)(chosen)
        detail["whitening"] = "fitted on the compared faces, without labels" if own else "fitted on the training split"
    chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return chosen, detail


def training_rows(faces: FaceSet, compared: Rows) -> Rows:
    """Faces of the training split that are not compared; none of a set without splits."""
    own = faces.labels("split") == "train" if "split" in faces.columns else np.zeros(len(faces), np.bool_)
    return np.setdiff1d(np.flatnonzero(own), compared)


def whitened(protocol: Protocol) -> float:
    """How far components are whitened: 1, to unit variance; 0 where features are compared as they are."""
    return protocol.whiten if protocol.pca is not None else 0.0


def whitening(learn: Floats, protocol: Protocol) -> Preparation:
    """Principal components attenuated by `protocol.whiten`, fitted on features [L, D]: at most L / 2 of them.

    Whitened to unit variance by all L − 1 that they have, each of the faces would be as far from every other, and the
    last of fewer are noise; as they are, light and pose drown the person. What reads best lies between (Mukundan et al.
    2019, attenuated whitening).
    """
    kept = protocol.pca and min(protocol.pca, max(len(learn) // 2, 1))
    return prepare(learn.astype(np.float32), kept, whiten=protocol.whiten, seed=protocol.seed)


def tested_rows(faces: FaceSet, usable: NDArray[np.bool_]) -> Rows:
    """Usable faces (mask [N]) of the test split; of the whole set where it has no splits, since nothing is learned."""
    return np.flatnonzero(usable & (faces.labels("split") == "test") if "split" in faces.columns else usable)


def require_whole(faces: FaceSet, lists: str) -> None:
    """Raise ValueError for a part of a set: its `lists` count rows of the whole."""
    if faces.content_hash != faces.card.content_hash:
        raise ValueError(
            f"{faces.card.name} has {lists} that count rows of the whole set, and only {len(faces)} of "
            f"its {faces.card.faces} faces were given: give the set as FaceSet.open returns it"
        )
