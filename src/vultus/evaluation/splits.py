"""Which faces a read-out learns from, chooses by, and is measured on.

A set's own split is kept. Its validation part chooses the regularisation only; where it has none, a tenth of
the training part is cut off to choose, and the chosen read-out is fitted again on the whole training part. So
the read-out that is measured has always learnt from exactly the training split, as published figures do.
A set with folds (label `fold`) is tested fold by fold, each read by a read-out that learnt from the others.
Any other set is cut 80 / 10 / 10 by identity where known, or by film (no person on both sides), else by name; the cut
is the same for every seed, so that all readings of a set meet the same test faces.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.joined import Joined
from vultus.evaluation.leakage import pictures
from vultus.faces.companions import shown
from vultus.faces.faceset import FaceSet
from vultus.faces.record import TOLD_BY

Rows = NDArray[np.int64]
CUT = 0  # the seed by which sets without a split or folds are cut


@dataclass(frozen=True)
class Splits:
    """Row indices of each part; `refit`: the validation part belongs to the training split; `origin`: in words."""

    train: Rows
    validation: Rows
    test: Rows
    refit: bool
    origin: str
    left_out: int  # faces of these parts without the task's label
    pictures: Rows | None = field(default=None, repr=False)  # [N] of the set, equal for copies; None: there are none
    people: NDArray[np.str_] | None = field(default=None, repr=False)  # [N], the face itself where nobody is named
    unlabelled: Rows | None = field(default=None, repr=False)  # of few labels: the training split they were drawn from

    @property
    def leaked_test_faces(self) -> int:
        """Test faces whose very picture is learned from."""
        return 0 if self.pictures is None else int(np.isin(self.pictures[self.test], self.pictures[self.final]).sum())

    @property
    def final(self) -> Rows:
        """The rows the measured read-out is fitted on."""
        return np.union1d(self.train, self.validation) if self.refit else self.train


def parts_of(faces: FaceSet, usable: NDArray[np.bool_], seed: int = 0) -> list[Splits]:
    """One split, or as many as the set has folds; of the faces whose label is known (mask [N]).

    Raises ValueError with the counts when a part is missing or too small to learn from.
    """
    if "fold" not in faces.columns or "split" in faces.columns:
        return [split(faces, usable, seed)]
    fold = faces.labels("fold")
    usable = usable & (fold != "")
    names = np.unique(fold[usable])
    if len(names) < 2:
        raise ValueError(f"the labelled faces lie in {len(names)} fold; expected two or more, to learn from the others")
    by, group = _groups(faces)
    parts = []
    for name in names:
        train, validation = cut(np.flatnonzero(usable & (fold != name)), group, (0.9, 0.1), seed)
        origin = f"{len(names)} folds of the set, validation a tenth of the others cut by {by}, seed {seed}"
        test, left_out = np.flatnonzero(usable & (fold == name)), int((~usable).sum())
        parts.append(checked(_with_copies(Splits(train, validation, test, True, origin, left_out), faces), len(faces)))
    return parts


def split(faces: FaceSet, usable: NDArray[np.bool_], seed: int = 0) -> Splits:
    """Split the faces whose label is known (mask [N]); seed: of a validation part that is cut from the set's own train.

    Raises ValueError with the counts when a part is missing or too small to learn from.
    """
    if "split" in faces.columns:
        parts = faces.labels("split")
        train, validation, test = (np.flatnonzero(usable & (parts == name)) for name in ("train", "validation", "test"))
        origin = "; ".join(("the set's own", *(faces.remarks if isinstance(faces, Joined) else ())))
        if not (parts == "test").any() or not (parts == "train").any():
            present = dict(zip(*(v.tolist() for v in np.unique(parts, return_counts=True)), strict=True))
            raise ValueError(f"expected faces with split train and test, the set has {present}")
        left_out = int((~usable & np.isin(parts, ("train", "validation", "test"))).sum())
    else:
        by, group = _groups(faces)
        train, validation, test = cut(np.flatnonzero(usable), group, (0.8, 0.1, 0.1), CUT)
        origin = f"cut 80 / 10 / 10 by {by}, the same for every seed"
        left_out = int((~usable).sum())
    own = "split" in faces.columns and len(validation) > 0
    if "split" in faces.columns and not own:
        by, group = _groups(faces)
        train, validation = cut(train, group, (0.9, 0.1), seed)
        origin += f", validation a tenth of train cut by {by}, seed {seed}"
    return checked(_with_copies(Splits(train, validation, test, not own, origin, left_out), faces), len(faces))


def _with_copies(part: Splits, faces: FaceSet) -> Splits:
    """The part, and which faces of the set show the same picture or the same person."""
    return replace(part, pictures=pictures(faces), people=people(faces))


def checked(part: Splits, of: int) -> Splits:
    """The part itself. Raises ValueError with the counts where it is too small; `of`: faces of the set."""
    counts = {"train": len(part.train), "validation": len(part.validation), "test": len(part.test)}
    if min(counts.values()) < 2 or len(part.train) < 10:
        raise ValueError(
            f"too few labelled faces: {counts} (of {of}, {part.left_out} without the label); expected at "
            "least 10 to train on and 2 each to choose by and to test on"
        )
    return part


def cut(rows: Rows, group: NDArray[np.str_], shares: Sequence[float], seed: int) -> list[Rows]:
    """Divide rows into parts of about these shares, whole groups only, in an order hashed from seed and group."""
    names, of_row, sizes = np.unique(group[rows], return_inverse=True, return_counts=True)
    order = np.array([hashlib.sha256(f"{seed}:{name}".encode()).hexdigest() for name in names]).argsort()
    middle = np.empty(len(names))
    middle[order] = (np.cumsum(sizes[order]) - sizes[order] / 2) / max(len(rows), 1)
    bounds = np.cumsum(shares)[:-1]
    part = np.searchsorted(bounds, middle)[of_row]
    return [rows[part == i] for i in range(len(shares))]


def people(faces: FaceSet | Joined) -> NDArray[np.str_] | None:
    """Whose face each is [N], the face itself (by name) where nothing tells; None where the set tells of nobody.

    By identity, and where that is not known by film, whose frames are no witnesses of their own.
    """
    told = faces.shown() if isinstance(faces, Joined) else shown(faces)
    return None if told is None else np.where(told == "", np.char.add("name:", faces.names), told)


def _groups(faces: FaceSet) -> tuple[str, NDArray[np.str_]]:
    """What must stay on one side: the person where known, else the face."""
    known = people(faces)
    if known is None:
        return "name", np.char.add("name:", faces.names.astype(np.str_))
    kinds = np.char.partition(known, ":")[:, 0]
    return " and ".join(column for column in TOLD_BY if column in kinds) or "name", known
