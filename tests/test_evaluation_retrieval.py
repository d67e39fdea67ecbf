"""Retrieval, triplets and average precision against slow loops, ties and copies among them."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.metrics import average_precision_score

from evaluation_faces import Labelled, parts
from vultus.evaluation import action_units, retrieval, triplets
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.ranking import average_precision, blind_average_precision, precision_at
from vultus.evaluation.yes_no import detect
from vultus.faces.triplets import Triplets


def by_metric(figures):
    return {f.metric: f for f in figures}


def people(count=30, each=4, width=16, spread=0.8, seed=0):
    rng = np.random.default_rng(seed)
    names = np.repeat([f"p{i}" for i in range(count)], each)
    centre = np.repeat(rng.normal(size=(count, width)), each, axis=0)
    return (centre + spread * rng.normal(size=(len(names), width))).astype(np.float32), names


def slowly(features, labels, copies=None):
    """Mean average precision and precision at 1, 5, 10, a query at a time."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    copies = np.arange(len(labels)) if copies is None else np.asarray(copies)
    found = []
    for query in range(len(labels)):
        others = np.flatnonzero(copies != copies[query])
        similar, alike = unit[others] @ unit[query], labels[others] == labels[query]
        if alike.any():
            order = np.argsort(-similar, kind="stable")
            at = [alike[order][:k].sum() / k for k in retrieval.PLACES]
            found.append([average_precision_score(alike, similar), *at])
    return np.array(found)


@pytest.mark.parametrize("block", [1, 500, 10**6])
def test_retrieval_is_that_of_a_slow_loop(block, monkeypatch):
    monkeypatch.setattr(retrieval, "_BLOCK", block)
    features, names = people()
    names[:3] = ["", "x", "y"]
    figures = retrieval.evaluate(features, Labelled(identity=names))
    expected = slowly(features[1:], names[1:])
    np.testing.assert_allclose([f.value for f in figures], expected.mean(0), atol=1e-6)
    np.testing.assert_allclose(figures[0].scores.columns[:, 0], expected[:, 0], atol=1e-6)
    detail = figures[0].detail
    assert (figures[0].n, detail["searched"], detail["left_out"]) == (len(expected), 119, 1)
    # the two, and the last picture of the first person
    assert detail["queries_without_another_alike"] == 3
    assert [f.metric for f in figures] == ["map", "precision@1", "precision@5", "precision@10"]
    assert all(f.low <= f.value <= f.high and f.unit == "%" for f in figures)


def test_retrieval_does_not_see_the_axes_that_features_are_written_in():
    features, names = people()
    turned = (3 * features @ ortho_group.rvs(16, random_state=0)).astype(np.float32)
    straight, rotated = (retrieval.evaluate(x, Labelled(identity=names)) for x in (features, turned))
    np.testing.assert_allclose([f.value for f in straight], [f.value for f in rotated], atol=1e-5)


def test_a_picture_and_its_copies_are_no_answer_to_themselves():
    features, names = people(20, 3)
    copies = [f"picture {i}" for i in range(60)]
    copies[1], features[1] = copies[0], features[0]  # the same person's
    copies[5], features[5] = copies[8], features[8] + 1e-3  # under two names
    found = retrieval.evaluate(features, Labelled(pictures=copies, identity=names))
    np.testing.assert_allclose([f.value for f in found], slowly(features, names, copies).mean(0), atol=1e-6)


def test_people_apart_from_each_other_are_found_and_strangers_at_chance():
    features, names = people(spread=0.01)
    found = by_metric(retrieval.evaluate(features, Labelled(identity=names)))
    assert found["map"].value == found["precision@1"].value == 1.0
    assert found["precision@5"].value == pytest.approx(3 / 5)  # of four pictures three are left to find
    noise = np.random.default_rng(0).normal(size=(600, 30)).astype(np.float32)
    figure = retrieval.evaluate(noise, Labelled(identity=np.repeat(["a", "b", "c"], 200)))[0]
    assert figure.value == pytest.approx(figure.chance, abs=0.01)


def test_equal_similarities_favour_nobody():
    features = np.zeros((40, 3), np.float32)
    features[0, 0] = 1.0  # all others are zeros, and equally near to each other
    names = np.repeat(["a", "b"], 20)  # in an order that a careless sort would take for an answer
    found = by_metric(retrieval.evaluate(features, Labelled(identity=names)))
    assert found["precision@1"].value == pytest.approx(found["precision@1"].chance, abs=0.02)
    ranked, relevant = np.array([0.1, 0.5, 0.5, 0.5, 0.9]), np.array([0.1, 0.5, 0.5])
    truth, scores = [0, 1, 1, 0, 1], [0.9, 0.5, 0.5, 0.5, 0.1]
    assert average_precision(ranked, relevant) == pytest.approx(average_precision_score(truth, scores))
    for k in range(1, 6):
        orders = [(0, *middle, 1) for middle in permutations((1, 1, 0))]
        assert precision_at(k, ranked, relevant) == pytest.approx(np.mean([sum(order[:k]) / k for order in orders]))


def test_chance_is_the_mean_over_all_orders():
    orders = set(permutations((1, 1, 1, 0, 0, 0)))
    mean = np.mean([average_precision_score(order, np.arange(6, 0, -1)) for order in orders])
    assert blind_average_precision(np.array([3.0]), np.array([6.0]))[0] == pytest.approx(mean)


def test_retrieval_reads_the_test_split_and_the_label_it_is_asked_for():
    features, names = people(20, 6)
    labels = {"identity": names, "expression": np.tile(["happy", "sad"], 60), "split": parts(60, 20, 40)}
    first = retrieval.evaluate(features, Labelled(**labels))[0]
    assert first.detail["label"] == "identity" and first.detail["searched"] == 40
    other = retrieval.evaluate(features, Labelled(**labels), label="expression")[0]
    assert other.detail["label"] == "expression" and other.scores.rows.min() == 80
    assert retrieval.evaluate(features, Labelled(expression=labels["expression"]))[0].n == 120
    white = retrieval.evaluate(features, Labelled(**labels), Protocol(pca=10))[0]
    assert white.dim == 10 and "training split" in white.detail["whitening"]
    alone = retrieval.evaluate(features, Labelled(identity=names), Protocol(pca=10))[0]
    assert "compared faces" in alone.detail["whitening"]


@pytest.mark.parametrize(
    ("spoil", "labels", "message"),
    [
        (np.nan, ["a", "a", "b", "b"], "1 values in 1 of 4 faces are NaN"),
        (None, ["a", "b", "c", ""], "3 of 4 test faces have a known identity, and no two"),
        (0.0, ["a", "a", "b", "b"], "2 values of the feature are the same for all 4 faces"),
    ],
)
def test_what_cannot_be_compared_is_refused(spoil, labels, message):
    features = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    if spoil is not None:
        features[slice(None) if spoil == 0 else 2, slice(None) if spoil == 0 else 1] = spoil
    with pytest.raises(ValueError, match=message):
        retrieval.evaluate(features, Labelled(identity=labels))


def told(count=200, width=6, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.array([rng.permutation(80)[:3] for _ in range(count)])
    return rng.normal(size=(80, width)).astype(np.float32), Triplets(
        *rows.T, rng.choice(["one_class", "two_class"], count)
    )


def test_triplets_are_told_as_by_a_slow_loop():
    features, given = told()
    right = []
    for a, p, n in zip(given.anchor, given.positive, given.negative, strict=True):
        unit = [features[row] / np.linalg.norm(features[row]) for row in (a, p, n)]
        far = [sum(np.linalg.norm(one - other) for other in unit) for one in unit]
        right.append(np.argmax(far) == 2)  # the odd one out
    found = by_metric(triplets.evaluate(features, Labelled(None, given, name=np.zeros(80))))
    assert set(found) == {"accuracy", "accuracy_one_class", "accuracy_two_class"}
    assert found["accuracy"].value == pytest.approx(np.mean(right))
    mine = given.kind == "two_class"
    assert found["accuracy_two_class"].value == pytest.approx(np.mean(np.array(right)[mine]))
    assert found["accuracy_two_class"].n == mine.sum() and found["accuracy"].chance == pytest.approx(1 / 3)


def test_triplets_of_the_test_split_alone_count_and_only_of_the_whole_set():
    features, given = told()
    faces = Labelled(None, given, split=parts(20, 0, 60))
    figure = triplets.evaluate(features, faces, Protocol(pca=4))[0]
    assert figure.n == sum(min(t) >= 20 for t in zip(given.anchor, given.positive, given.negative, strict=True))
    assert figure.n + figure.detail["left_out"] == 200 and figure.dim == 4
    faces.content_hash = "a part"
    with pytest.raises(ValueError, match="triplets that count rows of the whole set"):
        triplets.evaluate(features, faces)


def test_pairs_that_tie_share_the_point():
    unit = np.eye(3, dtype=np.float32)[[0, 0, 0, 1]]
    corners = np.array([[0, 0, 0], [1, 1, 3], [3, 2, 1]])
    # the pair is the closest; all three are one; the odd face is closer to the anchor
    np.testing.assert_allclose(triplets.rightly(unit, corners), [1, 1 / 3, 0])


def test_average_precision_of_action_units_is_scikit_learns():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 6)).astype(np.float32)
    au = {f"au{i:02d}": (features[:, i] + rng.normal(size=500) > 1).astype(np.float32) for i in (1, 2)}
    au["au02"][470:] = np.nan
    faces = Labelled(split=parts(300, 50, 150), **au)
    found = by_metric(action_units.evaluate(features, faces))
    answers = detect(
        features,
        action_units._units(faces, 0.4),
        [0, 1],
        action_units.parts_of(faces, np.ones(500, bool)),
        action_units.f1_then_likelihood,
        Protocol(),
    )
    for k, name in enumerate(au):
        truth = au[name][answers[k].rows] == 1
        expected = average_precision_score(truth, answers[k].given[:, 1])
        figure = found[f"pr_auc_{name}"]
        assert figure.value == pytest.approx(expected) and figure.chance == pytest.approx(truth.mean())
        assert figure.low < expected < figure.high and figure.n == len(truth)
    mean = found["pr_auc"]
    assert mean.value == pytest.approx((found["pr_auc_au01"].value + found["pr_auc_au02"].value) / 2)
    assert mean.high - mean.low < found["pr_auc_au01"].high - found["pr_auc_au01"].low
