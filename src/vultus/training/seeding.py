"""Randomness as a function of (seed, step, rank): nothing to save, nothing to restore."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np


def seed_of(*key: int) -> int:
    """A 63-bit seed, well mixed, for a key such as (run seed, purpose, step, rank)."""
    low, high = np.random.SeedSequence(key).generate_state(2)
    return (int(high) << 32 | int(low)) & (2**63 - 1)


INITIAL, SHUFFLE, VIEWS, METHOD, PARTNERS, SHARES, PARTS = range(7)  # purposes
_FINE = 32  # binary digits behind the point of a share, which is counted in whole numbers: no rounding, ever


def schedule(faces: int, batch: int, steps: int, seed: int, start: int = 0) -> Iterator[np.ndarray]:
    """The rows of steps start … steps − 1: each epoch a new permutation, its incomplete last batch dropped.

    Yields int arrays (batch,). The caller has made sure that there are at least `batch` faces.
    """
    per_epoch = faces // batch
    order, shuffled = np.empty(0, np.int64), -1
    for step in range(start, steps):
        epoch, place = divmod(step, per_epoch)
        if epoch != shuffled:
            order, shuffled = np.random.default_rng(seed_of(seed, SHUFFLE, epoch)).permutation(faces), epoch
        yield order[place * batch : (place + 1) * batch]


def slots(weights: Sequence[float], batch: int) -> list[int]:
    """How many faces of each set a batch holds at most: its weight's share (weights in sum 1), rounded up."""
    return [-(-own >> _FINE) or 1 for own in np.diff(_ends(weights, batch), prepend=0).tolist()]


def mixed(
    sizes: Sequence[int], weights: Sequence[float], batch: int, steps: int, seed: int, start: int = 0
) -> Iterator[np.ndarray]:
    """The rows of steps start … steps − 1 of sets that stand one after the other, each with its share of every batch.

    Every set has a `schedule` of its own, of as many faces a step as its share rounded up. Of a share that is no whole
    number the last of them stays out of some batches, chosen by systematic sampling (Madow & Madow 1944): a set's part
    of a batch is its share rounded down or up, and the share itself in the mean. A batch is in random order, so that
    its parts and the processes see every set.

    Yields int arrays (batch,). The caller has made sure that each set fills its `slots`.
    """
    ends, most = _ends(weights, batch), slots(weights, batch)
    own = [
        schedule(faces, count, steps, seed_of(seed, PARTS, part), start)
        for part, (faces, count) in enumerate(zip(sizes, most, strict=True))
    ]
    firsts = list(accumulate(sizes, initial=0))[:-1]
    for step in range(start, steps):
        rng = np.random.default_rng(seed_of(seed, SHARES, step))
        counts = np.diff((ends + rng.integers(1 << _FINE)) >> _FINE, prepend=0)
        drawn = [next(rows)[:n] + first for rows, n, first in zip(own, counts.tolist(), firsts, strict=True)]
        yield rng.permutation(np.concatenate(drawn))


def _ends(weights: Sequence[float], batch: int) -> np.ndarray:
    """Where each set's share of a batch ends, in parts of 2 ** −_FINE; the last ends with the batch."""
    ends: np.ndarray = np.rint(np.cumsum(weights) * (batch << _FINE)).astype(np.int64)
    ends[-1] = batch << _FINE
    return ends
