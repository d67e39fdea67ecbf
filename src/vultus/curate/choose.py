"""The stages that look at all candidates at once, in their order: each says whom it leaves out, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vultus.curate import balance, duplicates, retrieve
from vultus.curate.candidate import Fate
from vultus.curate.config import CurateConfig
from vultus.curate.pool import Pool
from vultus.curate.threads import on_one_thread
from vultus.curate.vectors import Space
from vultus.search.directions import Floats
from vultus.search.index import VectorIndex

Say = Callable[[str], None]
Rows = NDArray[np.int64]
EQUAL, NEAR = "equal picture", "copy of a better picture"
GALLERY, SHOWN = 12, 4_000  # clusters of the page's gallery, and faces at most that they are made of


@dataclass(frozen=True, eq=False)
class Chosen:
    """What became of the candidates."""

    fates: tuple[Fate, ...]  # of those that are not kept, in the order of the stages
    clusters: tuple[Rows, ...]  # candidates alike, kept or not: the largest clusters first; for the page


def choose(
    pool: Pool, excluded: Mapping[str, Pool], examples: Sequence[Pool], config: CurateConfig, say: Say
) -> Chosen:
    """excluded: sets by name, and examples: faces to look for; both cut as the pool's are."""
    fates = copies(pool, say) if config.copies == "drop" else []
    for name, others in excluded.items():
        fates += _within(pool, fates, partial(shared, others=others, name=name, say=say))
    if config.like:
        say("looking for faces like the examples")
        fates += _within(pool, fates, lambda left: unlike(left, examples, config))
    left = _left(pool, fates)
    if not config.most or len(left) <= config.most:
        return Chosen(tuple(fates), _gallery(pool, left, config))
    say(f"balancing {len(left):,} faces over clusters")
    clusters = balance.cluster(_for_clusters(pool.take(left), config), seed=config.seed)
    drawn = balance.sample(clusters, config.most, seed=config.seed)
    fates += [Fate(int(row), "balance", "enough of its kind") for row in np.delete(left, drawn)]
    return Chosen(tuple(fates), _sorted(left, clusters.faces()[-1]))


def copies(pool: Pool, say: Say) -> list[Fate]:
    """Copies among the candidates, but for the best of each group."""
    found = duplicates.find(pool, pool.quality, hashes=pool.hashes, say=say)
    return [
        Fate(row, "duplicates", EQUAL if found.equal[row] else NEAR, str(pool.names[found.kept[row]]))
        for row in found.left_out.tolist()
    ]


def shared(pool: Pool, others: Pool, name: str, say: Say) -> list[Fate]:
    """Candidates that are copies of faces of another set."""
    found = duplicates.leaks(pool, others, hashes=pool.hashes, say=say)
    return [
        Fate(row, "exclude", f"also in {name}", str(others.names[other]))
        for row, other in zip(found.rows.tolist(), found.found.tolist(), strict=True)
    ]


def unlike(pool: Pool, examples: Sequence[Pool], config: CurateConfig) -> list[Fate]:
    """Candidates that are not among those retrieved for the examples."""
    space = Space.of(pool, config.run, "whitened", config.seed)
    asked = np.concatenate([space.vectors(faces) for faces in examples if len(faces)] or [np.empty((0, 1), np.float32)])
    with on_one_thread():
        index = VectorIndex.build(space.vectors(pool), seed=config.seed)
    if config.gather:
        found = retrieve.gather(index, asked, config.gather)
    else:
        find = retrieve.mutual if config.mutual else retrieve.nearest
        found = find(index, asked, config.nearest)
    rows = np.setdiff1d(np.arange(len(pool)), found.rows)
    return [Fate(row, "retrieve", "unlike the examples") for row in rows.tolist()]


def _within(pool: Pool, fates: Sequence[Fate], stage: Callable[[Pool], list[Fate]]) -> list[Fate]:
    """The fates of a stage that sees only those who are left."""
    left = _left(pool, fates)
    return [replace(fate, index=int(left[fate.index])) for fate in stage(pool.take(left))] if len(left) else []


def _left(pool: Pool, fates: Sequence[Fate]) -> Rows:
    return np.setdiff1d(np.arange(len(pool)), np.array([fate.index for fate in fates], np.int64))


def _gallery(pool: Pool, left: Rows, config: CurateConfig) -> tuple[Rows, ...]:
    """A few clusters of some of the faces, to be looked at."""
    some = np.sort(np.random.default_rng(config.seed).permutation(left)[:SHOWN])
    if len(some) < 4 * GALLERY:
        return ()
    faces = pool.take(some)
    _, own = balance.kmeans(_for_clusters(faces, config), GALLERY, np.random.default_rng(config.seed))
    return _sorted(some, own)


def _for_clusters(pool: Pool, config: CurateConfig) -> Floats:
    return Space.of(pool, config.run, "cosine", config.seed).vectors(pool)


def _sorted(rows: Rows, own: Rows) -> tuple[Rows, ...]:
    groups = [rows[own == number] for number in np.unique(own)]
    return tuple(sorted(groups, key=lambda group: (-len(group), int(group[0]))))
