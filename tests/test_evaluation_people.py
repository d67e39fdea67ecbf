"""People are resampled with all their pictures: in intervals, paired tests, slices and on disk."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation_faces import Labelled, classes_in_space, parts
from vultus.evaluation.bootstrap import (
    independent_difference,
    mean_interval,
    paired_differences,
    statistic_interval,
)
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.joined import Joined
from vultus.evaluation.kept import _path, add_figures, read_figures, with_scores
from vultus.evaluation.order import drawn_weights
from vultus.evaluation.over_seeds import over_seeds
from vultus.evaluation.paired import difference
from vultus.evaluation.people import drawn, numbered, together
from vultus.evaluation.slices import slices
from vultus.evaluation.splits import people
from vultus.evaluation.tasks import TASKS


def clustered(people=40, pictures=10, seed=0):
    """Scores that hang on the person alone, in any order, and who each shows."""
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(people), pictures))
    return (rng.random(people) < 0.6).astype(float)[who], who


def by_hand(columns, who, statistic, resamples=4000):
    """The interval from drawing people, all of whose rows are taken."""
    rng, rows = np.random.default_rng(9), [np.flatnonzero(who == name) for name in np.unique(who)]
    draws = (np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))]) for _ in range(resamples))
    return np.percentile([statistic(columns[taken].mean(axis=0)) for taken in draws], [2.5, 97.5])


def test_an_interval_draws_people_with_all_their_pictures():
    right, who = clustered()
    who[who == 3] = 4  # people need not have equally many pictures
    found = mean_interval(right, groups=who, resamples=4000)
    np.testing.assert_allclose(found, by_hand(right[:, None], who, lambda m: m[0]), atol=0.02)
    single = mean_interval(right)
    assert found[1] - found[0] > 2.5 * (single[1] - single[0])  # √10 for scores that are a person's


def test_intervals_by_person_cover_the_truth_and_those_by_picture_do_not():
    rng = np.random.default_rng(0)
    who, covered = np.arange(50).repeat(8), np.zeros(2)
    for trial in range(200):
        right = (rng.random(400) < rng.beta(0.6, 0.4, size=50)[who]).astype(float)
        for way, groups in enumerate((who, None)):
            low, high = mean_interval(right, seed=trial, resamples=400, groups=groups)
            covered[way] += low <= 0.6 <= high
    assert 0.9 <= covered[0] / 200 <= 0.98 and covered[1] / 200 < 0.75


def test_a_statistic_of_several_columns_draws_people_too():
    rng = np.random.default_rng(0)
    counts = rng.random((300, 3)) * (1 + rng.random(30).repeat(10))[:, None]
    who = np.arange(30).repeat(10)
    found = statistic_interval(counts, lambda m: 2 * m[:, 0] / m.sum(axis=1), groups=who, resamples=4000)
    np.testing.assert_allclose(found, by_hand(counts, who, lambda m: 2 * m[0] / m.sum()), atol=0.005)


def test_one_picture_a_person_is_as_before_and_one_person_stands_for_single_pictures():
    rng = np.random.default_rng(0)
    for scores in (rng.random(200), (rng.random(200) < 0.5).astype(float)):
        plain = mean_interval(scores)
        assert mean_interval(scores, groups=rng.permutation(200)) == plain
        assert mean_interval(scores, groups=np.zeros(200, int)) == plain
        pair = [scores[:, None]], [[scores[::-1, None]]]
        assert paired_differences(*pair, groups=rng.permutation(200)) == paired_differences(*pair)


def test_weights_hold_whole_people():
    who = np.repeat(np.arange(6), [1, 2, 3, 1, 4, 5])
    (block,) = drawn_weights(16, 0, who)
    assert all((block[:, who == name] == block[:, [np.argmax(who == name)]]).all() for name in range(6))
    assert ((block / np.bincount(who)[who]).sum(axis=1).round() == 6).all()


def test_a_paired_difference_of_two_people_is_no_evidence():
    """Ninety of a hundred pictures are better read: of one person. By pictures that is beyond chance."""
    who = np.repeat([0, 1, 2, 3], [90, 4, 3, 3])
    first, second = np.zeros((100, 1)), np.where(who == 0, 1.0, 0.0)[:, None]
    assert paired_differences([first], [[second]])[0].p < 0.001
    (found,) = paired_differences([first], [[second]], groups=who)
    assert found.value == pytest.approx(0.9) and found.p > 0.3  # a third of all draws miss that person


def test_two_kinds_with_people_in_common_are_drawn_together():
    rng = np.random.default_rng(0)
    person = rng.normal(size=50)
    young, old = person[:, None], person[:, None] + 0.1
    apart = independent_difference(young, old)
    tied = independent_difference(young, old, groups=(np.arange(50), np.arange(50)))
    assert apart.low < 0 < apart.high
    assert (tied.value, tied.low, tied.high) == pytest.approx((0.1, 0.1, 0.1))
    assert independent_difference(young, old, groups=(np.arange(50), np.arange(50, 100))) == apart


def test_people_are_numbered_and_faces_without_an_identity_stand_alone():
    faces = Labelled(identity=["a", "", "b", "a", ""])
    rows = np.array([3, 0, 1, 4, 2])
    number = numbered(people(faces), rows)
    assert number[0] == number[1] and len(set(number.tolist())) == 4
    assert numbered(people(faces), rows[:2])[0] == number[0]  # whatever else is asked for
    assert numbered(people(faces), np.array([1, 4])) is None and numbered(None, rows) is None
    left, right = np.array([0, 3, 2, 1, 1]), np.array([2, 2, 3, 0, 4])
    pairs = together(faces, left, right)
    assert pairs[0] == pairs[1] == pairs[2] and len(set(pairs.tolist())) == 3
    assert drawn(number, 5) == {"resampled": "identity", "groups": 4}
    assert drawn(None, 5, "pair") == drawn(np.zeros(5), 5, "pair") == {"resampled": "pair", "groups": 5}


def test_of_two_sets_the_people_are_those_of_the_test_set():
    seen = {"expression": ["a", "b"] * 20, "pictures": [str(i) for i in range(40)]}
    learn = Labelled(identity=[f"{i % 20}" for i in range(40)], **seen)
    test = Labelled(identity=[f"{i // 4}" for i in range(40)], **seen)
    features = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float32)
    first = TASKS["expression"].evaluate(features, Joined(learn, test))[0]
    assert (first.detail["resampled"], first.detail["groups"]) == ("identity", 10)
    nobody = Labelled(**seen)
    first = TASKS["expression"].evaluate(features, Joined(learn, nobody))[0]
    assert (first.detail["resampled"], first.detail["groups"], first.scores.groups) == ("face", 40, None)


@pytest.fixture(scope="module")
def known():
    """Features and a set with every label and ten people of twelve pictures in its test split, and who is tested."""
    count = 600
    features, label = classes_in_space(count, spread=2.0)
    rng = np.random.default_rng(1)
    labels = {name: rng.normal(size=count).astype(np.float32) for name in ("yaw", "pitch", "roll", "age", "au01")}
    votes = np.zeros((count, 10), np.float32)
    votes[np.arange(count), np.searchsorted(["angry", "happy", "sad"], label)] = 10
    labels |= {"landmarks": rng.random((count, 10)).astype(np.float32), "votes": votes}
    who = np.array([f"p{i // 5}" for i in range(count)])
    faces = Labelled(split=parts(300, 50, 250), expression=label, pose=label, gender=label, identity=who, **labels)
    return features, faces


@pytest.mark.parametrize("task", [name for name in TASKS if name != "triplets"])
def test_every_task_draws_people_and_says_so(known, task):
    features, faces = known
    figures = TASKS[task].evaluate(features, faces)
    unit = "identities of a pair" if task == "identity" else "identity"
    assert {figure.detail["resampled"] for figure in figures} == {unit}
    first = figures[0]
    assert first.detail["groups"] == len(np.unique(first.scores.groups)) < len(first.scores.rows)
    if task != "identity":
        assert first.detail["groups"] == 50
        assert len(np.unique(first.scores.groups[first.scores.rows // 5 == 80])) == 1
        alone = Labelled(**{name: faces.labels(name) for name in faces.columns if name != "identity"})
        if task != "retrieval":
            plain = TASKS[task].evaluate(features, alone)[0]
            assert plain.detail["resampled"] == "face" and plain.scores.groups is None
            assert plain.value == pytest.approx(first.value, abs=0.1)


def figure(scores, task="expression", metric="accuracy", method="pcl", seed=0):
    value = TASKS[task].reads(metric).value(scores.columns)
    about = {"n": len(scores.rows), "dim": 8, "chance": 0.2, "data": "toy", "feature": "x", "detail": {"content": "c"}}
    return Figure(task, metric, value, value, value, seed=seed, method=method, scores=scores, **about)


def test_groups_are_kept_with_scores_and_older_files_are_read_without(tmp_path):
    right, who = clustered()
    old = figure(Scores(np.arange(400), right[:, None]))
    new = replace(old, method="hog", scores=Scores(np.arange(400), 1 - right[:, None], who))
    add_figures(tmp_path, [old, new])
    packed = _path(tmp_path, old)
    assert sorted(np.load(packed).files) == ["columns", "rows"]  # as older versions wrote it
    first, second = (with_scores(tmp_path, one) for one in read_figures(tmp_path))
    assert first.scores.groups is None and second.scores.groups.tolist() == who.tolist()
    both = replace(first, scores=replace(first.scores, groups=who))
    assert difference(first, second) == difference(both, second) == difference(both, replace(second, scores=replace(
        second.scores, groups=None)))  # fmt: skip
    plain = difference(first, replace(second, scores=replace(second.scores, groups=None)))
    known = difference(first, second)
    assert known.high - known.low > 2 * (plain.high - plain.low)


def test_the_mean_over_seeds_is_compared_as_the_table_shows_it():
    """One seed of A finds few, the other says yes to nearly all: F1 1/3 and 5/12, of their mean counts 2/5."""
    shown, n = np.arange(400) < 100, 400

    def of(said, name, seed):
        columns = np.stack([said & shown, said & ~shown, ~said & shown], axis=1).astype(float)
        return figure(Scores(np.arange(n), columns), "action_units", "f1", name, seed)

    few, many = np.arange(n) < 20, np.arange(n) < 380
    wavering = [of(few, "a", 0), of(many, "a", 1)]
    steady = [of((np.arange(n) < 50) | (np.arange(n) >= 290), "b", seed) for seed in (0, 1)]
    a, b = over_seeds(wavering), over_seeds(steady)
    assert a.value == pytest.approx((1 / 3 + 5 / 12) / 2) and a.value < b.value < 2 / 5
    found = difference(b, a)
    assert found.value == pytest.approx(b.value - a.value)
    assert found.low < found.value < found.high
    alone = difference(steady[0], a)  # one seed against two
    assert alone.value == pytest.approx(found.value)


def test_seeds_that_met_other_samples_count_those_they_met():
    def of(rights, method):
        columns = [(np.arange(60) < right).astype(float)[:, None] for right in rights]
        rows = np.arange(60), np.arange(40, 100)
        return [figure(Scores(*one), method=method, seed=i) for i, one in enumerate(zip(rows, columns, strict=True))]

    mean, rival = over_seeds(of((45, 15), "pcl")), over_seeds(of((30, 6), "hog"))
    assert mean.value == pytest.approx(0.5) and np.isnan(mean.scores.columns).sum() == 80
    found = difference(mean, rival)
    assert found.value == pytest.approx(0.5 - 0.3) and 0.1 < found.low < found.high < 0.3
    assert over_seeds([mean, mean]).scores.seeds == (1, 1, 1, 1)  # a mean over runs of means over readings


def test_slices_draw_people_and_few_people_are_not_compared():
    gender = np.repeat(["female", "male"], [100, 100])
    who = np.r_[np.repeat(np.arange(20), 5), np.repeat(np.arange(20, 24), 25)]
    right = (np.random.default_rng(0).random(24) < 0.5).astype(float)[who]
    (plain,) = slices(figure(Scores(np.arange(200), right[:, None])), Labelled(gender=gender))
    (found,) = slices(figure(Scores(np.arange(200), right[:, None], who)), Labelled(gender=gender))
    assert [(s.people, s.few) for s in found.slices] == [(20, ""), (4, "below 10 people")]
    assert [s.people for s in plain.slices] == [0, 0] and plain.gap is not None and found.gap is None
    wide, narrow = (one.slices[0].high - one.slices[0].low for one in (found, plain))
    assert wide > 1.7 * narrow


def test_frames_of_one_film_are_drawn_together_where_nobody_is_named():
    faces = Labelled(identity=["kim", "", "", "", ""], video=["a", "a", "b", "b", ""])
    names = people(faces)
    assert len(set(names)) == 4 and names[2] == names[3] and names[0] != names[1]
    assert together(faces, np.arange(5)).tolist()[2:4] == [together(faces, np.arange(5))[2]] * 2
