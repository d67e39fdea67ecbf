"""Few labels: which faces of the training part a read-out may learn from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Rows, Splits

CHOOSE = 5  # every fifth of the few is kept apart to choose the regularisation by, and then learned from too


def labelled(parts: Sequence[Splits], protocol: Protocol, labels: NDArray[Any] | None = None) -> list[Splits]:
    """The parts as the protocol's shots leave them; as they are where it asks for all labels."""
    if protocol.shots is None:
        return list(parts)
    return [fewer(part, protocol.shots, protocol.seed, labels) for part in parts]


def fewer(splits: Splits, shots: float, seed: int, labels: NDArray[Any] | None = None) -> Splits:
    """The split with `shots` (see Protocol) of its training faces, of each class of `labels` [N] where given.

    Nothing else is known of the training and validation parts but their pictures: the regularisation is chosen on a
    fifth of the few, then all of them are fitted. The fifth is of other people where the set knows who is who. A single
    face of a class is learned from and chosen by at once.
    Raises ValueError where a class has fewer faces than asked for.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(splits.final)
    classes = np.zeros(len(rows), np.int64) if labels is None else labels[rows]
    drawn: list[Rows] = []
    for name in np.unique(classes):
        own = rows[classes == name]
        count = int(shots) if shots >= 1 else max(round(shots * len(own)), 1)
        if count > len(own):
            whose = "" if labels is None else f" of {name}"
            raise ValueError(f"{count} labelled faces{whose} asked for, the training part has {len(own)}: ask fewer")
        drawn.append(own[:count])
    learn, choose, apart = _divided(drawn, splits.people)
    told = f"{shots:g} labelled faces {'in all' if labels is None else 'a class'}"
    told = told if shots >= 1 else f"{shots:.3%} of the training faces labelled"
    told += "" if apart else ", chosen by faces of people who are learned from"
    return replace(
        splits,
        train=learn,
        validation=choose,
        refit=True,
        origin=f"{splits.origin}; {told}, drawn by seed {seed}",
        unlabelled=splits.final,
    )


def _divided(drawn: Sequence[Rows], people: NDArray[np.str_] | None) -> tuple[Rows, Rows, bool]:
    """The few of each class → faces to learn from, faces to choose by, and whether these show other people.

    They do unless that leaves nothing to choose by. A single face of a class stands on both sides.
    """
    single = [own for own in drawn if len(own) == 1]
    several = [own for own in drawn if len(own) > 1]
    chosen: set[int] = set()
    if several and people is not None:
        chosen = _by_person(several, people)
    apart = people is None or not several or bool(chosen)
    if several and not chosen:
        chosen = {row for own in several for row in own[: _fifth(own)].tolist()}
    rows = np.concatenate([np.empty(0, np.int64), *several])
    mask = np.isin(rows, list(chosen))
    both = np.concatenate([np.empty(0, np.int64), *single])
    return np.sort(np.concatenate([rows[~mask], both])), np.sort(np.concatenate([rows[mask], both])), apart


def _fifth(own: Rows) -> int:
    return max(len(own) // CHOOSE, 1)


def _by_person(drawn: Sequence[Rows], people: NDArray[np.str_]) -> set[int]:
    """About a fifth of each class's faces, whole people only, so that every class keeps a face to learn from."""
    rows = np.concatenate(drawn)
    who = np.unique(people[rows], return_inverse=True)[1]
    of_class = np.repeat(np.arange(len(drawn)), [len(own) for own in drawn])
    faces = np.zeros((who.max() + 1, len(drawn)), np.int64)  # of each person in each class
    np.add.at(faces, (who, of_class), 1)
    left, apart = faces.sum(axis=0), np.zeros(len(drawn), np.int64)
    kept = np.zeros(len(faces), np.bool_)  # people to choose by
    for number, own in enumerate(drawn):
        for person in who[of_class == number]:
            if apart[number] >= _fifth(own):
                break
            if not kept[person] and (left > faces[person]).all():
                kept[person] = True
                left, apart = left - faces[person], apart + faces[person]
    return set(rows[kept[who]].tolist())
