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

    Nothing else is known of the training and validation parts: the regularisation is chosen on a fifth of the few,
    then all of them are fitted. A single face of a class is learned from and chosen by at once.
    Raises ValueError where a class has fewer faces than asked for.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(splits.final)
    classes = np.zeros(len(rows), np.int64) if labels is None else labels[rows]
    learn: list[Rows] = []
    choose: list[Rows] = []
    for name in np.unique(classes):
        own = rows[classes == name]
        count = int(shots) if shots >= 1 else max(round(shots * len(own)), 1)
        if count > len(own):
            whose = "" if labels is None else f" of {name}"
            raise ValueError(f"{count} labelled faces{whose} asked for, the training part has {len(own)}: ask fewer")
        apart = max(count // CHOOSE, 1) if count > 1 else 0
        choose.append(own[:apart] if apart else own[:1])
        learn.append(own[apart:count])
    told = f"{shots:g} labelled faces {'in all' if labels is None else 'a class'}"
    told = told if shots >= 1 else f"{shots:.3%} of the training faces labelled"
    return replace(
        splits,
        train=np.sort(np.concatenate(learn)),
        validation=np.sort(np.concatenate(choose)),
        refit=True,
        origin=f"{splits.origin}; {told}, drawn by seed {seed}",
    )
