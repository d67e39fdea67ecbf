"""Who else shows the same person: partners for methods that learn from two pictures of one face."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vultus.faces.mixture import Faces
from vultus.faces.record import TOLD_BY

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Companions:
    """The faces of a set, ordered by person.

    order: [N] rows, those of a person together; place: [N] where in `order` each row stands; first, count: [N] where
    its person's rows begin and how many they are.
    """

    order: Ints
    place: Ints
    first: Ints
    count: Ints

    @classmethod
    def of(cls, faces: Faces) -> "Companions | None":
        """As `shown` tells them; None where it does not, or where nobody is shown twice."""
        people = shown(faces)
        if people is None:
            return None
        known = people != ""
        _, person = np.unique(people, return_inverse=True)
        person = np.where(known, person, len(people) + np.arange(len(people)))  # the unknown are alone
        order = np.argsort(person, kind="stable")
        _, starts, counts = np.unique(person[order], return_index=True, return_counts=True)
        if counts.max(initial=0) < 2:
            return None
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        group = np.searchsorted(starts, place, side="right") - 1
        return cls(order, place, starts[group], counts[group])

    @property
    def share(self) -> float:
        """Part of the faces that have a partner."""
        return float((self.count > 1).mean())

    def draw(self, rows: npt.NDArray[np.integer], rng: np.random.Generator) -> Ints:
        """For each row another row of the same person, uniformly drawn; the row itself where there is no other."""
        others = self.count[rows] - 1
        step = np.floor(rng.random(len(rows)) * others).astype(np.int64) + (others > 0)
        within = (self.place[rows] - self.first[rows] + step) % self.count[rows]
        chosen: Ints = self.order[self.first[rows] + within]
        return chosen


def shown(faces: Faces, prefix: str = "") -> npt.NDArray[np.str_] | None:
    """A name [N] for whom each face shows, '' where nothing tells; None where the set has no such label.

    By identity, and where that is not known by video: as `identity:` or `video:`, `prefix`, and the label itself.
    """
    if not set(TOLD_BY) & set(faces.columns):
        return None
    names = np.full(len(faces), "")
    for column in TOLD_BY:
        if column in faces.columns:
            told = faces.labels(column).astype(np.str_)
            names = np.where((names == "") & (told != ""), np.char.add(f"{column}:{prefix}", told), names)
    return names
