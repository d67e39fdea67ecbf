"""Figures that hang on the order of scores: weighed curves, their intervals, pairs of methods, groups of people."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation_faces import Labelled
from vultus.evaluation import action_units, identity
from vultus.evaluation.bootstrap import interval, paired_differences
from vultus.evaluation.kept import add_figures, read_figures, with_scores
from vultus.evaluation.order import Curve, OfOrder
from vultus.evaluation.over_seeds import over_seeds
from vultus.evaluation.paired import difference
from vultus.evaluation.slices import slices
from vultus.evaluation.tasks import TASKS
from vultus.faces.pairs import Pairs

AREA = OfOrder(Curve.roc_auc)
ONCE = np.ones((1, 14), np.float32)


def by_hand(score, same, far):
    """Acceptance of same pairs above the first score that lets too many others pass."""
    strangers = np.sort(score[~same])[::-1]
    allowed = int(np.floor(far * len(strangers) + 1e-9))
    return (score[same] > strangers[allowed]).mean() if allowed < len(strangers) else 1.0


def test_weighed_curves_are_those_of_repeated_samples():
    rng = np.random.default_rng(0)
    truth, score = rng.random(50) < 0.3, rng.normal(size=50).round(1)  # many scores are equal
    weight = rng.integers(0, 4, size=(20, 50))
    curve, times = Curve.of(score, truth), weight.astype(np.float32)
    found = zip(weight, curve.average_precision(times), curve.roc_auc(times), curve.tar_at_far(times, 0.1), strict=True)
    for own, precision, area, rate in found:
        said, known = score.repeat(own), truth.repeat(own)
        assert precision == pytest.approx(average_precision_score(known, said))
        assert area == pytest.approx(roc_auc_score(known, said))
        assert rate == pytest.approx(by_hand(said, known, 0.1))


def test_acceptance_on_a_hand_made_list():
    same = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bool)
    score = np.array([0.9, 0.8, 0.5, 0.2, 0.85, 0.6, 0.4, 0.3, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0])
    curve = Curve.of(score, same)
    # one of ten strangers (0.85) may pass: same above 0.6 pass, two of four
    assert [curve.tar_at_far(ONCE, far)[0] for far in (0.1, 0.2, 0.3, 1.0)] == [0.5, 0.75, 0.75, 1.0]
    few = np.where(score == 0.4, 0, ONCE[0]).astype(np.float32)[None]  # nine strangers drawn: none may pass
    assert curve.tar_at_far(few, 0.1)[0] == 0.25
    assert np.isnan(curve.tar_at_far(ONCE, 0.05)[0])  # ten strangers cannot show one false accept in twenty


def test_an_area_without_both_kinds_is_none():
    columns = np.array([[0.3, 1.0], [0.2, 1.0], [0.9, 0.0]])
    assert np.isnan(AREA.value(columns[:2])) and np.isnan(AREA.value(columns[2:]))
    assert AREA.value(columns) == 0.0
    unknown = np.full((3, 2), np.nan)
    assert AREA.value(np.concatenate([columns, unknown], axis=1)) == 0.0 and np.isnan(AREA.value(unknown))


def test_the_interval_of_an_area_is_that_of_samples_drawn_by_hand():
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.4).astype(float)
    columns = np.stack([truth + rng.normal(size=300), truth], axis=1)
    rows = rng.integers(300, size=(400, 300))
    drawn = [roc_auc_score(columns[own, 1], columns[own, 0]) for own in rows]
    np.testing.assert_allclose(interval(columns, AREA), np.percentile(drawn, [2.5, 97.5]), atol=0.01)


def test_two_areas_of_the_same_pairs_are_compared_pair_by_pair():
    rng = np.random.default_rng(0)
    truth = (rng.random(400) < 0.5).astype(float)
    weak = truth + 1.5 * rng.normal(size=400)
    strong = np.stack([weak + 0.1 * truth, truth], axis=1)
    weak = np.stack([weak, truth], axis=1)
    (found,) = paired_differences([weak], [[strong]], AREA)
    assert found.value == pytest.approx(AREA.value(strong) - AREA.value(weak))
    assert 0 < found.low < found.value < found.high and found.p == 1e-3
    assert interval(weak, AREA)[1] > interval(strong, AREA)[0]  # which their own intervals do not show
    twice = paired_differences([weak], [[strong, weak]], AREA)[0]
    assert twice.value == pytest.approx(found.value / 2)


def verified(rng, strength, genders):
    """Figures of identity on pairs whose cosine grows with `strength` where both are one person."""
    n = len(genders) // 2
    same = np.tile([True, False], n // 2)
    angle = np.where(same, 1.2 - strength, 1.2) + 0.4 * rng.normal(size=n)
    features = np.empty((2 * n, 2), np.float32)
    features[::2], features[1::2] = (1, 0), np.stack([np.cos(angle), np.sin(angle)], axis=1)
    pairs = Pairs(left=np.arange(0, 2 * n, 2), right=np.arange(1, 2 * n, 2), same=same, fold=np.arange(n) // 2 % 10)
    faces = Labelled(gender=genders)
    faces.pairs = pairs
    return identity.evaluate(features, faces), faces


def test_areas_of_identity_go_by_groups_of_people(tmp_path):
    genders = np.repeat(["female", "male"], [400, 800])
    figures, faces = verified(np.random.default_rng(0), 0.5, genders)
    add_figures(tmp_path, figures)
    kept = {f.metric: with_scores(tmp_path, f) for f in read_figures(tmp_path)}
    assert [*kept] == ["accuracy", "auc", "tar@far=0.01"]
    for metric, figure in kept.items():
        (found,) = slices(figure, faces)
        reads = TASKS["identity"].reads(metric)
        assert [s.group for s in found.slices] == ["female", "male"] and found.gap is not None
        for part in found.slices:
            own = figure.scores.columns[genders[::2][figure.scores.rows] == part.group]
            assert part.value == reads.value(own) and part.low < part.value < part.high
    score, same = kept["auc"].scores.columns.T
    assert kept["auc"].value == pytest.approx(roc_auc_score(same, score))
    women = genders[::2] == "female"
    (found,) = slices(kept["auc"], faces)
    assert found.slices[0].value == pytest.approx(roc_auc_score(same[women], score[women]))


def test_a_group_that_a_curve_says_nothing_of_is_passed_over():
    genders = np.repeat(["female", "male"], [1000, 60])
    figures, faces = verified(np.random.default_rng(0), 0.5, genders)
    by_metric = {f.metric: slices(f, faces)[0] for f in figures}
    assert [s.group for s in by_metric["auc"].slices] == ["female", "male"]
    assert [s.group for s in by_metric["tar@far=0.01"].slices] == ["female"]  # fifteen strangers show no 1 %
    assert by_metric["tar@far=0.01"].gap is None
    auc = next(f for f in figures if f.metric == "auc")
    auc.scores.columns[genders[::2] == "female", 1] = 1  # no two different women
    assert [s.group for s in slices(auc, faces)[0].slices] == ["male"]
    auc.scores.columns[:, 1] = 1
    assert slices(auc, faces) == ()


def test_two_methods_are_compared_by_their_areas():
    rng = np.random.default_rng(0)
    genders = np.repeat(["female", "male"], 600)
    weak, strong = ({f.metric: f for f in verified(rng, by, genders)[0]} for by in (0.3, 0.9))
    for metric in ("auc", "tar@far=0.01"):
        found = difference(strong[metric], weak[metric])
        assert found.value == pytest.approx(strong[metric].value - weak[metric].value) and found.low > 0
        mean = over_seeds([strong[metric], weak[metric]])
        assert difference(mean, weak[metric]).value == pytest.approx(found.value / 2)


def test_units_that_a_group_never_shows_are_passed_over():
    rng = np.random.default_rng(0)
    gender = np.tile(["female", "male"], 300)
    split = np.repeat(["train", "validation", "test"], 200)
    features = rng.normal(size=(600, 2)).astype(np.float32)
    au01, au12 = (features[:, i] + 0.5 * rng.normal(size=600) > 0.5 for i in (0, 1))
    au12 &= (gender == "female") | (split != "test")
    faces = Labelled(split=split, gender=gender, au01=au01.astype(np.float32), au12=au12.astype(np.float32))
    found = {f.metric: f for f in action_units.evaluate(features, faces)}
    mean, first, second = (slices(found[f"pr_auc{name}"], faces)[0].slices for name in ("", "_au01", "_au12"))
    assert [s.group for s in second] == ["female"]
    assert mean[0].value == pytest.approx((first[0].value + second[0].value) / 2)
    assert mean[1].value == pytest.approx(first[1].value)
    assert found["pr_auc"].detail["resamples"] == 1000
