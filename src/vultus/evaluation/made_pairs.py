"""Verification pairs from identity labels, for sets that publish none."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.leakage import pictures
from vultus.faces.faceset import FaceSet
from vultus.faces.pairs import Pairs

FOLDS = 10
MOST = 300  # same pairs a fold, as in LFW
A_PERSON = 20  # same pairs of one person at most: nobody's album should rule a fold


def make_pairs(faces: FaceSet, seed: int = 0) -> Pairs:
    """As many same as different pairs in ten folds; no person is in two folds.

    From the faces of the test split with a known identity, or of the whole set where it has no splits; of copies of a
    picture from the first, for two of them are no pair to be told.
    Raises ValueError with the counts when the people or their pictures are too few.
    """
    identity = faces.labels("identity")
    usable = identity != ""
    if "split" in faces.columns:
        usable = usable & (faces.labels("split") == "test")
    rows = _once(np.flatnonzero(usable), pictures(faces))
    people, of_face, counts = np.unique(identity[rows], return_inverse=True, return_counts=True)
    several = int((counts >= 2).sum())
    if several < FOLDS or len(people) < 2 * FOLDS:
        raise ValueError(
            f"{faces.card.name}: {len(people)} people in the test part, of whom {several} have two pictures or more; "
            f"{FOLDS} folds of pairs need {2 * FOLDS} people, of whom {FOLDS} have two pictures or more"
        )
    rng = np.random.default_rng(seed)
    fold_of = _deal(counts, rng)
    made = [_fold(rows, of_face, np.flatnonzero(fold_of == fold), rng) for fold in range(FOLDS)]
    fold = np.concatenate([np.full(len(same), i) for i, (_, same) in enumerate(made)])
    sides = np.concatenate([pair for pair, _ in made])
    return Pairs(fold.astype(np.int64), sides[:, 0], sides[:, 1], np.concatenate([same for _, same in made]))


def _once(rows: NDArray[np.int64], numbers: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Of rows with the same picture (`numbers` [N]) the first."""
    if numbers is None:
        return rows
    _, first = np.unique(numbers[rows], return_index=True)
    return rows[np.sort(first)]


def _deal(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each person, those with several pictures dealt round first so that every fold has some."""
    order = rng.permutation(len(counts))
    order = order[np.argsort(counts[order] < 2, kind="stable")]
    fold_of = np.empty(len(counts), np.int64)
    fold_of[order] = np.arange(len(counts)) % FOLDS
    return fold_of


def _fold(
    rows: NDArray[np.int64], of_face: NDArray[np.int64], people: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs [P, 2] of rows and whether they are same: equal numbers of both."""
    same: list[tuple[int, int]] = []
    for person in people:
        own = list(combinations(rng.permutation(rows[of_face == person])[:50].tolist(), 2))
        same += [own[i] for i in rng.permutation(len(own))[:A_PERSON]]
    same = [same[i] for i in rng.permutation(len(same))[:MOST]]
    inside = np.flatnonzero(np.isin(of_face, people))
    different: set[tuple[int, int]] = set()
    for _ in range(200 * len(same)):
        if len(different) == len(same):
            break
        a, b = sorted(rng.choice(inside, 2, replace=False).tolist())
        if of_face[a] != of_face[b]:
            different.add((int(rows[a]), int(rows[b])))
    count = len(different)  # a fold of few faces may not have as many different pairs as same ones
    pairs = np.array(same[:count] + sorted(different), dtype=np.int64).reshape(-1, 2)
    return pairs, np.arange(2 * count) < count
