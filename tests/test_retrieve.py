"""Faces like examples, and a few faces balanced over clusters."""

import numpy as np
import pytest

from vultus.curate import balance, retrieve
from vultus.search.index import VectorIndex


def around(centres, each, spread=0.05, seed=0):
    """Unit vectors [sum(each), d], `each[k]` of them around centre k."""
    rng = np.random.default_rng(seed)
    found = np.repeat(np.asarray(centres, float), each, 0)
    found += spread * rng.normal(size=found.shape)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


AXES = np.eye(16)[:4]


def test_the_nearest_come_rank_by_rank_and_each_once():
    pool = around(AXES, [5, 5, 5, 5])
    found = retrieve.nearest(VectorIndex.build(pool), pool[[0, 5]], 3)
    similar = pool[[0, 5]] @ pool.T
    for example in (0, 1):
        expected = set(np.argsort(-similar[example])[:3].tolist())
        assert set(found.rows[found.examples == example].tolist()) == expected
    assert set(found.examples[:2].tolist()) == {0, 1}
    assert len(np.unique(found.rows)) == len(found.rows)


def test_mutual_neighbours_leave_out_a_far_example():
    pool = around(AXES, [8, 8, 8, 8])
    far = np.ones((1, 16), np.float32) / 4
    index = VectorIndex.build(pool)
    assert len(retrieve.mutual(index, far, 3).rows) == 0
    near = around(AXES[:1], [1], seed=9)
    reciprocal = set(retrieve.mutual(index, near, 7).rows.tolist())
    both = np.concatenate([pool, near])
    ranks = (both @ both.T).argsort(1)[:, ::-1]
    mine = set((near @ pool.T)[0].argsort()[::-1][:7].tolist())
    assert reciprocal == {row for row in mine if 32 in [other for other in ranks[row].tolist() if other != row][:7]}


def test_gathering_ends_with_the_count_or_with_the_pool():
    index = VectorIndex.build(around(AXES, [6, 6, 6, 6]))
    examples = around(AXES[:2], [1, 1], seed=3)
    found = retrieve.gather(index, examples, 10)
    assert len(found.rows) == 10 and (found.rows < 12).all()
    assert len(retrieve.gather(index, examples, 500).rows) == 24
    with pytest.raises(ValueError, match="one example"):
        retrieve.nearest(index, examples[:0], 3)


def test_a_rare_kind_keeps_more_than_its_share():
    vectors = around(AXES, [900, 60, 30, 10], spread=0.1)
    rare = np.arange(1000) >= 990
    clusters = balance.cluster(vectors, (40, 4))
    drawn = balance.sample(clusters, 100)
    assert len(drawn) == 100 and len(np.unique(drawn)) == 100
    assert rare[drawn].sum() >= 8  # of 10; by chance one
    assert len(balance.sample(clusters, 5000)) == 1000


def test_balancing_is_a_function_of_vectors_and_seed_alone():
    vectors = around(AXES, [300, 40, 40, 20], spread=0.2)
    drawn = [balance.sample(balance.cluster(vectors, threads=threads), 50) for threads in (1, 2)]
    assert drawn[0].tolist() == drawn[1].tolist()
    assert drawn[0].tolist() != balance.sample(balance.cluster(vectors), 50, seed=1).tolist()


def test_equal_faces_are_clustered_and_drawn_like_any():
    clusters = balance.cluster(np.ones((60, 4), np.float32), (12, 3))
    assert len(np.unique(balance.sample(clusters, 25))) == 25


@pytest.mark.parametrize("counts", [(10, 20), (500,), (5, 0)])
def test_counts_that_do_not_fall_are_refused(counts):
    with pytest.raises(ValueError, match="fall from level to level"):
        balance.cluster(around(AXES, [50, 50, 50, 50]), counts)


def test_shares_are_even_as_far_as_the_groups_allow():
    assert balance.shares(np.array([100, 3, 50]), 33).tolist() == [15, 3, 15]
    assert balance.shares(np.array([2, 2]), 3).sum() == 3
