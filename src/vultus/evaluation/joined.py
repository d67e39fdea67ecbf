"""Two face sets read as one: the probe learns from the first and is tested on the second."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.faces.chain import Chain
from vultus.faces.companions import shown
from vultus.faces.faceset import FaceSet
from vultus.faces.record import TOLD_BY


class Joined(Chain):
    """What the tasks see of a set to learn from, followed by a set to be tested on; rows in that order.

    It has the labels that both sets have. Of the first set the training and validation splits are learned from, of the
    second the test split is asked; all of a set that has no such split, which `remarks` tell of. A class that only the
    second knows cannot be learned: its faces are left out, and counted so. Who is who is no label of both, and known
    all the same (`shown`): validation faces are cut from the first set by person.
    """

    pairs = triplets = None  # comparing learns nothing: it is measured on one set

    def __init__(self, learn: FaceSet, test: FaceSet) -> None:
        super().__init__((learn, test))
        common = [name for name in learn.columns if name in test.columns and name not in ("split", "fold", *TOLD_BY)]
        self.columns = ("split", *common)
        self.content_hash = f"{learn.content_hash} → {test.content_hash}"
        self.card = SimpleNamespace(
            name=f"{learn.card.name} → {test.card.name}", content_hash=self.content_hash, faces=len(self)
        )
        lacking = ((learn, "train", "learned from"), (test, "test", "asked"))
        self.remarks = tuple(
            f"{faces.card.name} has no split {part}: all its {len(faces):,} faces are {done}"
            for faces, part, done in lacking
            if "split" in faces.columns and not _has(faces, part)
        )

    def labels(self, column: str) -> NDArray[Any]:
        """The labels [N] or [N, k] of both; `split` is made from theirs. Raises KeyError for a label one set lacks."""
        if column not in self.columns:
            raise KeyError(
                f"{self.card.name} have no common label {column!r}; they share {', '.join(self.columns[1:])}"
            )
        if column == "split":
            return np.concatenate([_kept(self.parts[0], ("train", "validation")), _kept(self.parts[1], ("test",))])
        first, second = (part.labels(column) for part in self.parts)
        if first.shape[1:] != second.shape[1:]:
            raise ValueError(
                f"label {column!r} has shape {first.shape[1:]} in one set and {second.shape[1:]} in the other"
            )
        if second.dtype.kind == "U":
            second = np.where(np.isin(second, first), second, "")
        return np.concatenate([first, second])

    def shown(self) -> NDArray[np.str_] | None:
        """As `companions.shown` tells whose face each is [N]; None where neither set tells. The sets share nobody."""
        told = [shown(part, f"{number}:") for number, part in enumerate(self.parts)]
        if all(names is None for names in told):
            return None
        blank = [np.full(len(part), "") for part in self.parts]
        return np.concatenate([empty if names is None else names for empty, names in zip(blank, told, strict=True)])


def _has(faces: FaceSet, part: str) -> bool:
    return "split" in faces.columns and bool((faces.labels("split") == part).any())


def _kept(faces: FaceSet, splits: tuple[str, ...]) -> NDArray[np.str_]:
    """Each face's split, '' for those of other splits; the first of `splits` for all of a set that has none such."""
    if not _has(faces, splits[0]):
        return np.full(len(faces), splits[0])
    own = faces.labels("split")
    return np.where(np.isin(own, splits), own, "")
