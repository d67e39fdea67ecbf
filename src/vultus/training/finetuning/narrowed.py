"""A face set with less to learn: one fold as its test split, or one attribute alone."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.faces.faceset import FaceSet

STAY = ("split", "fold", "identity", "subset")  # columns that are no attributes


def narrowed(faces: FaceSet, fold: str = "", label: str = "") -> Any:
    """The set as Narrowed where a fold or a label is given, else the set itself."""
    return Narrowed(faces, fold, label) if fold or label else faces


class Narrowed:
    """What the tasks and the loader see of a set; everything that is not named here is the set's own.

    fold: the faces of this fold are the split test, those of the others train; "": the folds stay.
    label: the only label there is; "": all of them.
    Raises ValueError for a fold or a label that the set does not have.
    """

    def __init__(self, faces: FaceSet, fold: str = "", label: str = "") -> None:
        self._faces, self._fold = faces, fold
        columns = faces.columns
        if label and label not in columns:
            raise ValueError(f"{faces.card.name} has no label {label!r}; it has {', '.join(columns) or 'none'}")
        if fold:
            known = np.unique(faces.labels("fold")).tolist() if "fold" in columns else []
            if fold not in known or "split" in columns:
                raise ValueError(
                    f"{faces.card.name} is not tested on a fold {fold!r}: "
                    + ("it has a split of its own" if "split" in columns else f"it has {', '.join(known) or 'none'}")
                )
        self.columns = tuple(c for c in columns if not label or c in (label, *STAY)) + (("split",) if fold else ())
        self.card = replace(faces.card, name=f"{faces.card.name}, fold {fold}" if fold else faces.card.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._faces, name)

    def __len__(self) -> int:
        return len(self._faces)

    def labels(self, column: str) -> NDArray[Any]:
        """As FaceSet's. Raises KeyError."""
        if column == "split" and self._fold:
            own = self._faces.labels("fold")
            return np.select([own == self._fold, own != ""], ["test", "train"], "")
        return self._faces.labels(column)
