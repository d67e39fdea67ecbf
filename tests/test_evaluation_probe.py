"""Read-outs against scikit-learn and SciPy, and what they must not see."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge

from evaluation_faces import Labelled, classes_in_space, parts
from vultus.evaluation import expression, logistic, neighbours, ridge
from vultus.evaluation.evaluate import read
from vultus.evaluation.logistic import Design, solve
from vultus.evaluation.preparation import prepare
from vultus.evaluation.probe import Probe, accuracy, knn_accuracy
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits


def correlated(rows, width, seed=0):
    rng = np.random.default_rng(seed)
    shape = np.arange(1, width + 1) ** -1.0
    X = (rng.normal(size=(rows, width)) * shape) @ rng.normal(size=(width, width))
    return ((X - X.mean(0)) / X.std(0)).astype(np.float32)


@pytest.mark.parametrize("exact", [0, logistic.EXACT], ids=["float32", "float64"])
@pytest.mark.parametrize("C", [1e-5, 1e-2, 10.0])
def test_logistic_regression_reaches_scikit_learns_optimum(C, exact, monkeypatch):
    monkeypatch.setattr(logistic, "EXACT", exact)
    X = correlated(600, 20)
    y = np.random.default_rng(1).integers(4, size=600) * (X[:, 0] > 0) + (X[:, 1] > 0.5)
    classes = int(y.max()) + 1
    found = solve(Design(X), y.astype(np.int64), classes, C)
    oracle = LogisticRegression(C=C, tol=1e-8, max_iter=20000).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(found.probabilities(X), oracle.predict_proba(X), atol=2e-3)


def test_a_two_class_softmax_is_the_sigmoid_at_twice_its_penalty_constant():
    X = correlated(300, 10)
    y = (X[:, 0] + X[:, 3] > 0).astype(np.int64)
    found = solve(Design(X), y, 2, 0.05).probabilities(X)[:, 1]
    oracle = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(found, oracle.predict_proba(X)[:, 1], atol=2e-3)


def test_a_feature_wider_than_the_whole_eigenbasis_converges_to_the_same_optimum(monkeypatch):
    monkeypatch.setattr(logistic, "WHOLE", 64)
    X = correlated(500, 90)
    y = (X[:, :3].argmax(1)).astype(np.int64)
    found = solve(Design(X), y, 3, 0.1)
    oracle = LogisticRegression(C=0.1, tol=1e-8, max_iter=20000).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(found.probabilities(X), oracle.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("exact", [0, logistic.EXACT], ids=["float32", "float64"])
def test_fewer_faces_than_values_reach_the_same_optimum_in_few_passes(exact, monkeypatch):
    monkeypatch.setattr(logistic, "EXACT", exact)
    X = correlated(60, 300)
    y = (X[:, :3].argmax(1)).astype(np.int64)
    found = solve(Design(X), y, 3, 0.1)
    oracle = LogisticRegression(C=0.1, tol=1e-8, max_iter=20000).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(found.probabilities(X), oracle.predict_proba(X), atol=2e-3)
    design = Design(X)
    kept = design.vectors @ design.vectors.T @ design.features.T
    torch.testing.assert_close(kept, design.features.T, atol=2e-2, rtol=0)  # the basis holds every face
    assert found.passes < 100


def test_a_warm_start_ends_where_a_cold_one_does():
    X = correlated(400, 20)
    y = X[:, :3].argmax(1).astype(np.int64)
    design = Design(X)
    warm = solve(design, y, 3, 1.0, solve(design, y, 3, 0.01))
    cold = solve(design, y, 3, 1.0)
    np.testing.assert_allclose(warm.probabilities(X), cold.probabilities(X), atol=2e-3)


def test_an_unconverged_regression_is_an_error(monkeypatch):
    monkeypatch.setattr(logistic, "PASSES", 1)
    X = correlated(400, 20)
    with pytest.raises(ArithmeticError, match="did not converge"):
        solve(Design(X), X[:, :3].argmax(1).astype(np.int64), 3, 10.0)


@pytest.mark.parametrize("shape", [(200, 15), (30, 80)])
def test_ridge_equals_scikit_learns(shape):
    rng = np.random.default_rng(0)
    X = correlated(*shape)
    Y = rng.normal(size=(shape[0], 3))
    for alpha, weights in zip((0.1, 10.0), ridge.path(X, Y, (0.1, 10.0)), strict=True):
        oracle = Ridge(alpha=alpha, fit_intercept=False).fit(X.astype(np.float64), Y)
        np.testing.assert_allclose(weights, oracle.coef_.T, rtol=1e-3, atol=1e-5)


def test_regression_finds_a_planted_linear_map():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 10)).astype(np.float32)
    Y = X @ rng.normal(size=(10, 2)) * 20 + [30.0, -5.0]
    rows = np.arange(400)
    for refit in (False, True):
        probe = Probe(X, Splits(rows[:250], rows[250:320], rows[320:], refit, "", 0))
        np.testing.assert_allclose(probe.regress(Y).answers, Y[320:], atol=0.3)


@pytest.mark.parametrize("readout", ["linear", "knn"])
def test_the_test_part_changes_nothing_but_its_own_answers(readout):
    X, y = classes_in_space(300)
    numbers = np.unique(y, return_inverse=True)[1].astype(np.int64)
    rows = np.arange(300)
    splits = Splits(rows[:200], rows[200:240], rows[240:], True, "", 0)
    strange = X.copy()
    strange[241:] *= 1e3  # every test face but the first
    for pca in (None, 5):
        a = Probe(X, splits, Protocol(pca=pca)).classify(numbers, 3, accuracy, readout)
        b = Probe(strange, splits, Protocol(pca=pca)).classify(numbers, 3, accuracy, readout)
        np.testing.assert_array_equal(a.answers[0], b.answers[0])
        assert a.choice == b.choice


def test_the_measured_readout_learns_from_the_whole_training_split_when_validation_was_cut_from_it():
    X, y = classes_in_space(300, spread=2.0)
    numbers = np.unique(y, return_inverse=True)[1].astype(np.int64)
    rows = np.arange(300)
    probe = Probe(X, Splits(rows[:200], rows[200:240], rows[240:], True, "", 0))
    reading = probe.classify(numbers, 3, accuracy)
    Z = (X - X[:240].mean(0)) / X[:240].std(0)
    oracle = LogisticRegression(C=reading.choice["C"], tol=1e-8, max_iter=5000).fit(Z[:240], numbers[:240])
    np.testing.assert_allclose(reading.answers, oracle.predict_proba(Z[240:]), atol=3e-3)


@pytest.mark.parametrize("together", [False, True])
def test_a_rare_class_is_found_though_strong_penalties_always_say_the_common_one(together):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 20)).astype(np.float32)
    rare = X[:, 0] + 0.3 * rng.normal(size=900) > 1.5
    rows = np.arange(900)
    probe = Probe(X, Splits(rows[:500], rows[500:700], rows[700:], False, "", 0))
    if together:
        given, choices = probe.detect(rare[:, None], accuracy)
        said, tries = given[:, 0] > 0.5, choices[0]["validation"]
    else:
        reading = probe.classify(rare.astype(np.int64), 2, accuracy)
        said, tries = reading.answers[:, 1] > 0.5, reading.choice["validation"]
    first = list(tries.values())[:3]
    assert first == [(~rare[500:700]).mean()] * 3  # no gain for longer than PATIENCE
    assert (said == rare[700:]).mean() > (~rare[700:]).mean() + 0.02


def test_random_labels_are_read_at_chance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 30)).astype(np.float32)
    y = rng.integers(4, size=1500)
    rows = np.arange(1500)
    probe = Probe(X, Splits(rows[:600], rows[600:800], rows[800:], False, "", 0))
    for readout in ("linear", "knn"):
        assert abs(accuracy(y[800:], probe.classify(y, 4, accuracy, readout).answers) - 0.25) < 0.05
    assert abs(knn_accuracy(X[:800], y[:800], X[800:], y[800:]) - 0.25) < 0.05


def test_neighbours_vote_as_the_formula_says_face_by_face(monkeypatch):
    """Over chunks, with k beyond the training faces, and of a feature that is nought everywhere."""
    monkeypatch.setattr(neighbours, "CHUNK", 7)
    rng = np.random.default_rng(3)
    train, test = rng.normal(size=(40, 6)).astype(np.float32), rng.normal(size=(18, 6)).astype(np.float32)
    test[5] = 0
    targets = rng.normal(size=(40, 2))
    found = neighbours.votes(train, targets, test, (1, 4, 90))
    for i, face in enumerate(test):
        cosine = [float(face @ t) / (np.linalg.norm(face) * np.linalg.norm(t) + 1e-12) for t in train]
        order = sorted(range(40), key=lambda j: -cosine[j])
        for k in (90,) if i == 5 else (1, 4, 90):  # to nought every face is as near as any other
            weights = [np.exp(cosine[j] / 0.07) for j in order[:k]]
            expected = sum(w * targets[j] for w, j in zip(weights, order, strict=False)) / sum(weights)
            np.testing.assert_allclose(found[k][i], expected, rtol=1e-4, atol=1e-5)


def test_knn_accuracy_reads_separate_classes_and_counts_an_unseen_class_as_wrong():
    X, y = classes_in_space(200, spread=0.05)
    assert knn_accuracy(X[:150], y[:150], X[150:], y[150:]) == 1.0
    assert knn_accuracy(X[:150], y[:150], X[150:], np.full(50, "unseen")) == 0.0


def test_whitened_components_have_unit_covariance_and_constants_become_zero():
    X = correlated(500, 12) * 7 + 3
    X[:, 4] = 11.0
    ready = prepare(X, 6, whiten=1)
    half = np.cov(prepare(X, 6, whiten=0.5)(X).T)
    np.testing.assert_allclose(half, np.diag(np.diag(np.cov(prepare(X, 6)(X).T)) ** 0.5), atol=1e-3)
    np.testing.assert_allclose(np.cov(ready(X).T), np.eye(6), atol=1e-3)
    assert ready.constant == 1
    assert not prepare(X)(X)[:, 4].any()


def test_principal_components_are_those_of_the_faces_asked_for_whatever_was_fitted_before(monkeypatch):
    """The last fit is used again for the same faces alone: one changed value, another width or seed fits anew."""
    fits = []

    class Counted(PCA):
        def fit(self, X, y=None):
            fits.append(X.shape)
            return super().fit(X)

    monkeypatch.setattr("sklearn.decomposition.PCA", Counted)
    X = correlated(60, 8)
    other = X.copy()
    other[0, 0] += 1.0
    asked = [(X, 3, False), (X, 3, True), (other, 3, False), (X, 3, False), (X, 4, False), (X[:30], 4, False)]
    made = [prepare(rows, pca, whiten=white).axes for rows, pca, white in asked]
    assert len(fits) == 5
    for (rows, pca, white), axes in zip(asked, made, strict=True):
        values = (rows - rows.mean(0)) / rows.std(0)
        _, size, own = np.linalg.svd(values - values.mean(0), full_matrices=False)
        scale = size[:pca] / np.sqrt(len(rows) - 1) if white else 1.0
        np.testing.assert_allclose(np.abs(axes), np.abs(own[:pca].T / scale), atol=1e-4)


@pytest.mark.parametrize("readout", ["linear", "knn", "kernel"])
def test_components_fitted_once_for_all_tasks_are_read_as_those_of_one_task(readout):
    """Principal values keep their variances on either route: at unit variance the noise would count as the signal."""
    rng = np.random.default_rng(0)
    places, labels = classes_in_space(600, width=4, spread=1.5)
    features = (places @ rng.normal(size=(4, 40)) + 2 * rng.normal(size=(600, 40))).astype(np.float32)
    faces = Labelled(split=parts(400, 80, 120), expression=labels)
    own = expression.evaluate(features, faces, Protocol(readout, pca=20))[0]
    (once, *_) = read({"f": features}, faces, ["expression"], Protocol(readout, pca=20), method="m")
    assert once.dim == own.dim and np.mean(once.scores.columns == own.scores.columns) > 0.98
    white = prepare(features[:400], 20, whiten=True)(features)
    other = expression.evaluate(white, faces, Protocol(readout))[0]
    assert np.mean(other.scores.columns == own.scores.columns) < 0.96


def test_features_that_are_not_finite_are_refused_and_no_more_components_kept_than_there_are():
    X = correlated(50, 8)
    assert prepare(X, 9).width == 8 and prepare(X[:6], 9).width == 5 and prepare(X).width == 8
    with pytest.raises(ValueError, match="pca=3 asked of 1 training faces"):
        prepare(X[:1], 3)
    X[3, 2], X[7, 1] = np.nan, np.inf
    with pytest.raises(ValueError, match="2 values in 2 of 50 faces"):
        prepare(X)


def test_answers_solved_together_are_those_of_scikit_learn_solved_alone():
    rng = np.random.default_rng(5)
    features = rng.standard_normal((300, 12)).astype(np.float32)
    present = (features @ rng.standard_normal((12, 3)) + rng.standard_normal((300, 3))) > 0.5
    C = np.array([0.01, 0.3, 2.0])
    model = logistic.solve_each(logistic.Design(features), present, C)
    for k in range(3):
        alone = LogisticRegression(C=C[k], tol=1e-8, max_iter=2000).fit(features, present[:, k])
        expected = alone.predict_proba(features)[:, 1]
        np.testing.assert_allclose(model.probabilities(features)[:, k], expected, atol=2e-3)


def test_what_single_precision_cannot_end_double_precision_does(monkeypatch):
    """A tolerance below what float32 resolves; the answer is that of float64 throughout."""
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-9)
    X = correlated(400, 30)
    y = X[:, :3].argmax(1).astype(np.int64)
    whole = solve(Design(X), y, 3, 1.0)
    monkeypatch.setattr(logistic, "EXACT", 0)
    design = Design(X)
    found = solve(design, y, 3, 1.0)
    assert design.features.dtype == torch.float32 and found.weights.dtype == torch.float64
    np.testing.assert_allclose(found.probabilities(X), whole.probabilities(X), atol=1e-6)


def test_features_of_uneven_size_converge_in_single_precision(monkeypatch):
    """Largest 60, smallest 0.01: rounding of the large ones' gradient is no reason to go on for ever."""
    rng = np.random.default_rng(0)
    sizes = np.geomspace(60, 0.01, 110).astype(np.float32)
    X = rng.normal(size=(20_000, 110)).astype(np.float32) * sizes
    y = (X / sizes @ rng.normal(size=(110, 3)) + 3 * rng.normal(size=(20_000, 3))).argmax(1)
    single = solve(Design(X), y, 3, 0.1)
    assert single.weights.dtype == torch.float32
    monkeypatch.setattr("vultus.evaluation.logistic.EXACT", 10**9)
    exact = solve(Design(X), y, 3, 0.1)
    np.testing.assert_allclose(single.probabilities(X), exact.probabilities(X), atol=2e-3)
