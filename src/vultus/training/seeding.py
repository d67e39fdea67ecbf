"""Randomness as a function of (seed, step, rank): nothing to save, nothing to restore."""

from collections.abc import Iterator

import numpy as np


def seed_of(*key: int) -> int:
    """A 63-bit seed, well mixed, for a key such as (run seed, purpose, step, rank)."""
    low, high = np.random.SeedSequence(key).generate_state(2)
    return (int(high) << 32 | int(low)) & (2**63 - 1)


INITIAL, SHUFFLE, VIEWS, METHOD, PARTNERS = range(5)  # purposes


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
