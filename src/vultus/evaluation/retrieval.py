"""Retrieval: are the faces nearest to a face alike in a label? Each test face is a query among the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import mean_interval
from vultus.evaluation.comparing import directions, tested_rows
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.leakage import pictures
from vultus.evaluation.people import drawn, together
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.ranking import average_precision, blind_average_precision, precision_at
from vultus.evaluation.splits import Rows
from vultus.faces.faceset import FaceSet

LABELS = ("identity", "expression")  # the first that a set has is read
PLACES = (1, 5, 10)
PLAIN = Protocol()
_BLOCK = 4_000_000  # similarities held at once: 16 MB, and as much again to rank them


def evaluate(
    features: NDArray[np.floating], faces: FaceSet, protocol: Protocol = PLAIN, label: str | None = None
) -> list[Figure]:
    """Figures `map` (mean average precision), `precision@1`, `precision@5`, `precision@10`, by cosine.

    features: [N, D], rows as in `faces`. label: any text label; else identity, or expression where that is not known.
    A query's own picture and copies of it are not searched; a query that no other face is alike to is left out and
    counted. Of equal similarities precision takes the mean over their orders, average precision one place,
    the last of theirs (`ranking.py`). pca: whitened components are compared.
    Chance is what a random order scores. Raises ValueError where no face has another alike.
    """
    label, search = label or _label(faces), searched(faces, label)
    unit, detail = directions(features, faces, search.rows, protocol)
    scores = np.array(list(_scores(unit, search)))
    alike = search.alike[search.queries].astype(np.float64)
    others = search.others[search.queries].astype(np.float64)
    blind = [blind_average_precision(alike, others), *(alike / others for _ in PLACES)]
    detail |= {"label": label, "searched": len(search.rows), "left_out": search.left_out}
    detail |= {"queries_without_another_alike": len(search.rows) - len(search.queries)}
    shared: dict[str, Any] = {"task": "retrieval", "n": len(scores), "dim": unit.shape[1], "seed": protocol.seed}
    shared |= {"data": faces.card.name, "detail": detail}
    figures = []
    groups = together(faces, search.rows[search.queries])
    detail |= drawn(groups, len(scores))
    for name, own, chance in zip(("map", *(f"precision@{k}" for k in PLACES)), scores.T, blind, strict=True):
        low, high = mean_interval(own, protocol.seed, groups=groups)
        shared |= {"value": float(own.mean()), "chance": float(chance.mean()), "low": low, "high": high}
        scored = Scores(search.rows[search.queries], own[:, None], groups)
        figures.append(Figure(metric=name, scores=scored, **shared))
    return figures


@dataclass(frozen=True, eq=False)
class Search:
    """What is searched: M faces of the set, by row, and among them (counted from 0) the queries."""

    rows: Rows  # [M]
    classes: NDArray[np.int64]  # [M] number of each one's label
    copies: NDArray[np.int64]  # [M] equal for copies of one picture
    alike: NDArray[np.int64]  # [M] other faces of the class, without copies
    others: NDArray[np.int64]  # [M] other faces, without copies
    left_out: int  # test faces without the label

    @property
    def queries(self) -> Rows:
        """Faces that have another one alike."""
        return np.flatnonzero(self.alike > 0)


def searched(faces: FaceSet, label: str | None = None) -> Search:
    """The test faces with a known label. Raises ValueError where none of them has another alike."""
    label = label or _label(faces)
    labels = faces.labels(label)
    rows = tested_rows(faces, labels != "")
    tested = len(tested_rows(faces, np.ones(len(faces), np.bool_)))
    every = pictures(faces)
    copies = np.arange(len(rows)) if every is None else np.unique(every[rows], return_inverse=True)[1]
    classes = np.unique(labels[rows], return_inverse=True)[1]
    kinds = np.unique(classes * (len(rows) + 1) + copies, return_inverse=True)[1]  # copies that agree on the label
    alike = np.bincount(classes)[classes] - np.bincount(kinds)[kinds]
    others = len(rows) - np.bincount(copies)[copies]
    if not (alike > 0).any():
        raise ValueError(
            f"{faces.card.name}: {len(rows)} of {tested} test faces have a known {label}, and no two different "
            "pictures share one; expected some that do"
        )
    return Search(rows, classes, copies, alike, others, tested - len(rows))


def _label(faces: FaceSet) -> str:
    found = next((name for name in LABELS if name in faces.columns), None)
    if found is None:
        raise ValueError(
            f"{faces.card.name} has neither {' nor '.join(LABELS)}; it has {', '.join(faces.columns) or 'no labels'}"
        )
    return found


def _scores(unit: NDArray[np.float32], search: Search) -> Iterator[list[float]]:
    """Average precision and precision at 1, 5 and 10 [4] of one query after another; unit: [M, D]."""
    queries, members = search.queries, {name: np.flatnonzero(search.classes == name) for name in set(search.classes)}
    step = max(1, _BLOCK // len(unit))
    for at in range(0, len(queries), step):
        own = queries[at : at + step]
        similar = unit[own] @ unit.T
        similar[search.copies[own][:, None] == search.copies] = -np.inf  # the picture itself is no answer
        ranked = np.sort(similar, axis=1)
        for row, query in enumerate(own):
            copies = len(unit) - search.others[query]
            alike = np.sort(similar[row, members[search.classes[query]]])[-search.alike[query] :]
            found = ranked[row, copies:]
            yield [average_precision(found, alike), *(precision_at(k, found, alike) for k in PLACES)]
