"""Equal pictures: a test face that the read-out has learnt flatters its figure, and a copy is no other face.

Equal are pictures of equal bytes. One that was cut or compressed anew is not found.
"""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.joined import Joined
from vultus.faces.census import face_key
from vultus.faces.faceset import FaceSet


@lru_cache(maxsize=4)  # every task of an evaluation asks again
def pictures(faces: FaceSet | Joined) -> NDArray[np.int64] | None:
    """A number for each face [N], the same for copies of one; None where the set's card knows of no copies."""
    if isinstance(faces, Joined):
        keys = [key for part in faces.parts for key in _keys(part)]
    elif faces.card.duplicates.dropped or not faces.card.duplicates.images:
        return None
    else:
        keys = _keys(faces)
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, row) for row, key in enumerate(keys)], np.int64)


def _keys(faces: FaceSet) -> list[bytes]:
    digests = (hashlib.sha256(faces.image_bytes(row)).digest() for row in range(len(faces)))
    return [face_key(digest, name) for digest, name in zip(digests, faces.names.tolist(), strict=True)]
