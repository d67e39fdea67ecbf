"""Which test samples belong together: pictures of one person, where a set knows whom they show.

A bootstrap that drew them singly would take ten frames of a video for ten witnesses, so people are drawn with all
their pictures. Pairs and triplets of the same people go together likewise; two pairs that share one of their two people
count as independent. Of two sets read as one, the people are those of the set that is tested on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.splits import Rows, people
from vultus.faces.faceset import FaceSet


def numbered(names: NDArray[np.str_] | None, rows: Rows) -> Rows | None:
    """The people [N] of a set as `splits.people` names them → a number [M] for each of `rows`; None: no one is named.

    A person has the same number whichever rows are asked for.
    """
    if names is None or np.char.startswith(names[rows], "name:").all():
        return None
    return np.unique(names, return_inverse=True)[1].reshape(-1).astype(np.int64)[rows]


def together(faces: FaceSet, *corners: Rows) -> Rows | None:
    """A number [M] for each face, pair or triplet of faces (a corner [M] each), equal for those of the same people."""
    names = people(faces)
    numbers = numbered(names, np.concatenate(corners))
    if numbers is None:
        return None
    shown = np.sort(numbers.reshape(len(corners), -1).T, axis=1)
    return np.unique(shown, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def drawn(groups: Rows | None, samples: int, one: str = "face") -> dict[str, Any]:
    """For a figure's detail: what its interval resamples, and how many there are; `one`: what a sample is called."""
    count = 0 if groups is None else len(np.unique(groups))
    if count < 2:
        return {"resampled": one, "groups": samples}
    return {"resampled": "identity" if one == "face" else f"identities of a {one}", "groups": count}
