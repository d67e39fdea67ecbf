"""FER+ votes: the majority by hand, and a read-out that learns distributions."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evaluation_faces import Labelled, parts
from vultus.evaluation import expression_votes
from vultus.evaluation.logistic import Design, solve
from vultus.evaluation.protocol import Protocol
from vultus.faces.readers.ferplus import COLUMNS


def by_metric(figures):
    return {f.metric: f for f in figures}


def votes(**given):
    return [float(given.get(name, 0)) for name in COLUMNS]


@pytest.mark.parametrize(
    ("given", "label", "share"),
    [
        ({"happiness": 10}, "happiness", {"happiness": 1}),
        ({"neutral": 6, "sadness": 3, "fear": 1}, "neutral", {"neutral": 6 / 9, "sadness": 3 / 9}),
        # five of ten are no majority, but five of nine are: a single vote is an outlier
        ({"anger": 5, "disgust": 5}, "", {"anger": 0.5, "disgust": 0.5}),
        ({"anger": 5, "disgust": 4, "NF": 1}, "anger", {"anger": 5 / 9, "disgust": 4 / 9}),
        ({"unknown": 6, "neutral": 4}, "", {"neutral": 1}),
        ({"NF": 10}, "", {}),
        (dict.fromkeys(COLUMNS, 1), "", {}),
        ({"contempt": 4, "neutral": 3, "sadness": 3}, "", {"contempt": 0.4, "neutral": 0.3, "sadness": 0.3}),
    ],
)
def test_majority_and_distribution_of_a_face(given, label, share):
    seen = expression_votes.counted(Labelled(votes=[votes(**given)]))
    labels, left_out = expression_votes.majority(seen)
    assert labels.tolist() == [label] and sum(left_out.values()) == (label == "")
    expected = [share.get(name, 0) for name in expression_votes.EMOTIONS]
    np.testing.assert_allclose(expression_votes.shares(seen)[0], expected)


def test_distributions_are_learned_as_weighted_copies_of_the_face_would_be():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)).astype(np.float32)
    share = rng.dirichlet(np.ones(3), size=200)
    found = solve(Design(X), share, 3, 0.3).probabilities(X)
    copies, classes = np.repeat(X, 3, axis=0).astype(float), np.tile(np.arange(3), 200)
    oracle = LogisticRegression(C=0.3, tol=1e-10, max_iter=5000).fit(copies, classes, sample_weight=share.ravel())
    np.testing.assert_allclose(found, oracle.predict_proba(X), atol=2e-3)
    numbers = rng.integers(3, size=200)
    hard = solve(Design(X), numbers, 3, 0.3).probabilities(X)
    np.testing.assert_allclose(solve(Design(X), np.eye(3)[numbers], 3, 0.3).probabilities(X), hard, atol=1e-6)


def annotated(count=500, seed=0):
    """Features that tell the distribution of ten votes over four expressions."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 4)).astype(np.float32)
    odds = np.exp(2.5 * features)
    cast = np.zeros((count, len(COLUMNS)), np.float32)
    for row, odd in enumerate(odds):
        cast[row, :4] = rng.multinomial(10, odd / odd.sum())
    return features, cast


def test_both_readouts_are_measured_on_the_faces_with_a_majority():
    features, cast = annotated()
    cast[:5], cast[5:8] = np.nan, votes(NF=10)
    faces = Labelled(split=parts(330, 60, 110), votes=cast)
    found = by_metric(expression_votes.evaluate(features, faces))
    assert list(found) == ["accuracy", "balanced_accuracy", "cross_entropy", "accuracy_mode"]
    labels, left_out = expression_votes.majority(np.where(cast <= 1, 0, cast))
    tested = labels[390:] != ""
    for figure in found.values():
        assert figure.task == "expression_votes" and figure.n == tested.sum()
        assert {key: figure.detail[key] for key in left_out} == left_out
        assert figure.low <= figure.value <= figure.high
    assert (left_out["without_votes"], left_out["unknown_or_no_face"]) == (5, 3)
    assert found["accuracy"].value > 0.8 and found["accuracy_mode"].value > 0.8
    soft = found["cross_entropy"]
    share = expression_votes.shares(np.where(cast <= 1, 0, cast))
    kept = [row for row in range(390, 500) if labels[row]]
    mean = share[[row for row in range(330) if labels[row]]].mean(axis=0)
    by_hand = [-sum(p * np.log(q) for p, q in zip(share[row], mean, strict=True) if p) for row in kept]
    assert soft.chance == pytest.approx(np.mean(by_hand))
    assert soft.detail["annotators_entropy"] < soft.value < soft.chance
    assert (soft.unit, soft.lower_is_better) == ("nats", True)


@pytest.mark.parametrize("protocol", [Protocol("knn"), Protocol(pca=3), Protocol(shots=20)])
def test_votes_are_read_under_every_protocol(protocol):
    features, cast = annotated()
    found = by_metric(expression_votes.evaluate(features, Labelled(split=parts(330, 60, 110), votes=cast), protocol))
    assert found["accuracy"].value > found["accuracy"].chance + 0.2
    assert found["cross_entropy"].value < found["cross_entropy"].chance


def test_votes_of_another_form_and_rare_expressions_are_refused():
    features, cast = annotated()
    with pytest.raises(ValueError, match=r"votes of shape \(7,\) a face; expected counts for neutral, happiness"):
        expression_votes.evaluate(features, Labelled(votes=cast[:, :7]))
    cast[0] = votes(contempt=10)
    with pytest.raises(ValueError, match=r"votes: \['contempt'\] have one training face"):
        expression_votes.evaluate(features, Labelled(split=parts(330, 60, 110), votes=cast))
