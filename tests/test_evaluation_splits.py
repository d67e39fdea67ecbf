"""Which faces are learned from and tested on: of one set, and of two that are read as one."""

from types import SimpleNamespace

import numpy as np
import pytest

from evaluation_faces import Labelled, parts
from vultus.evaluation.few_shot import fewer
from vultus.evaluation.joined import Joined
from vultus.evaluation.splits import parts_of, split


def test_a_set_without_splits_is_cut_by_person():
    people = np.array([f"p{i // 5}" for i in range(500)])
    faces = Labelled(identity=people)
    made = split(faces, np.ones(500, bool))
    sides = [set(people[rows]) for rows in (made.train, made.validation, made.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert sum(map(len, sides)) == 100
    assert len(made.train) == pytest.approx(400, abs=10)
    assert made.refit and "by identity" in made.origin
    np.testing.assert_array_equal(made.test, split(faces, np.ones(500, bool)).test)
    np.testing.assert_array_equal(made.test, split(faces, np.ones(500, bool), seed=1).test)  # readings stay comparable


def test_frames_of_a_film_stay_on_one_side_where_nobody_says_who_they_show():
    films = np.array([f"f{i // 8}" for i in range(400)])
    made = split(Labelled(video=films), np.ones(400, bool))
    sides = [set(films[rows]) for rows in (made.train, made.validation, made.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2]) and "by video" in made.origin
    known = np.where(np.arange(400) < 200, "kim", "")  # one person's films together, the others' each by itself
    both = split(Labelled(video=films, identity=known), np.ones(400, bool))
    assert len({np.isin(np.arange(200), rows).sum() for rows in (both.train, both.validation, both.test)} - {0}) == 1
    assert "by identity and video" in both.origin


def test_validation_is_cut_from_train_where_the_set_has_none_and_kept_where_it_has():
    cut = split(Labelled(split=parts(90, 0, 30)), np.ones(120, bool))
    assert (len(cut.train), len(cut.validation), len(cut.test), cut.refit) == (81, 9, 30, True)
    np.testing.assert_array_equal(cut.final, np.arange(90))
    own = split(Labelled(split=parts(90, 10, 30)), np.ones(130, bool))
    assert (len(own.final), len(own.validation), own.refit) == (90, 10, False)


def test_too_few_faces_or_a_missing_part_say_their_counts():
    with pytest.raises(ValueError, match="'train': 5"):
        split(Labelled(split=parts(5, 5, 5)), np.ones(15, bool))
    with pytest.raises(ValueError, match=r"the set has \{'train': 20\}"):
        split(Labelled(split=parts(20, 0, 0)), np.ones(20, bool))


def test_a_set_without_a_split_is_tested_on_the_same_faces_whatever_the_seed():
    faces = Labelled(identity=[f"p{i // 4}" for i in range(400)])
    found = [parts_of(faces, np.ones(400, bool), seed)[0] for seed in range(3)]
    assert all(np.array_equal(part.test, found[0].test) for part in found)
    drawn = [fewer(part, 20, seed) for seed, part in enumerate(found)]
    assert not np.array_equal(drawn[0].final, drawn[1].final)


class Set(Labelled):
    """What Joined needs of a set more than labels."""

    def __init__(self, name, **columns):
        super().__init__(**columns)
        self.card = SimpleNamespace(name=name, duplicates=SimpleNamespace(images=0, dropped=False))

    def image_bytes(self, index):
        return f"{self.card.name} {index}".encode()


def angles(count):
    return np.random.default_rng(count).normal(size=count)


def test_two_sets_read_as_one_keep_people_apart():
    names = [f"p{i // 5}" for i in range(200)]
    learn = Set("posed", identity=names, expression=np.tile(["a", "b"], 100), split=["train"] * 200)
    for more in ({}, {"identity": ["p1"] * 50}):
        both = Joined(learn, Set("wild", expression=np.tile(["a", "b"], 25), split=["test"] * 50, **more))
        assert "identity" not in both.columns  # people are no label to be read across sets
        (part,) = parts_of(both, np.ones(250, bool))
        assert "by identity" in part.origin and len(part.test) == 50 and len(part.validation)
        assert not set(part.people[part.train]) & set(part.people[part.validation])
        assert not set(part.people[:200]) & set(part.people[200:])


@pytest.mark.parametrize(
    ("first", "second", "remarks"),
    [
        (["train"] * 60, ["test"] * 40, []),
        (None, None, []),
        (None, ["train"] * 40, ["second has no split test: all its 40 faces are asked"]),
        (["test"] * 60, None, ["first has no split train: all its 60 faces are learned from"]),
        (["test"] * 60, ["train"] * 40, ["first has no split train", "second has no split test"]),
    ],
)
def test_a_set_without_the_split_that_is_wanted_counts_whole_and_says_so(first, second, remarks):
    sets = [
        Set(name, yaw=angles(count), **({} if own is None else {"split": own}))
        for name, count, own in (("first", 60, first), ("second", 40, second))
    ]
    both = Joined(*sets)
    (part,) = parts_of(both, np.ones(100, bool))
    assert (len(part.final), len(part.test)) == (60, 40)
    assert len(both.remarks) == len(remarks)
    for told, wanted in zip(both.remarks, remarks, strict=True):
        assert told.startswith(wanted) and told in part.origin
