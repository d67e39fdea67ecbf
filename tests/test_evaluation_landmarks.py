"""Landmarks: the normalised mean error against hand loops, and what it must not depend on."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from evaluation_faces import Labelled, parts
from vultus.evaluation import landmarks
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.tasks import hindrance

WIDTH = 8


class Boxed(Labelled):
    """With boxes of the faces."""

    boxes = None

    def in_boxes(self, boxes):
        self.boxes = np.asarray(boxes, np.float32)
        return self


def by_metric(figures):
    return {f.metric: f for f in figures}


def shapes(count=5, noise=0.01, seed=0, faces=300):
    """Features [N, D], and landmarks [N, L, 2] that follow them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(faces, WIDTH)).astype(np.float32)
    mean = rng.uniform(0.2, 0.8, size=(count, 2))
    moved = np.tensordot(features, rng.normal(size=(WIDTH, count, 2)), 1) * 0.02
    return features, (mean + moved + noise * rng.normal(size=(faces, count, 2))).astype(np.float32)


def known(points, **labels):
    labels = {"split": parts(200, 40, len(points) - 240), "landmarks": points.reshape(len(points), -1), **labels}
    return Boxed(**labels).in_boxes(np.tile([0, 0, 1, 1], (len(points), 1)))


def predicted(features, points, alphas):
    """scikit-learn's ridge, one coordinate at a time."""
    x, y = (features - features[:200].mean(0)) / features[:200].std(0), points.reshape(len(points), -1).astype(float)
    fits = [Ridge(alpha=a).fit(x[:200], y[:200, t]).predict(x[240:]) for t, a in enumerate(alphas)]
    return np.stack(fits, axis=1).reshape(-1, points.shape[1], 2)


def slowly(truth, given, normaliser):
    """Error of each face, a point at a time; unknown points do not count."""
    errors = []
    for shape, said in zip(truth.astype(float), given, strict=True):
        far = [np.hypot(*(a - b)) for a, b in zip(shape, said, strict=True) if np.isfinite(a).all()]
        errors.append(sum(far) / len(far) / normaliser(shape))
    return np.array(errors)


def between(i, j):
    return lambda shape: np.hypot(*(shape[i] - shape[j]))


def extent(shape):
    return np.nanmax(shape, axis=0) - np.nanmin(shape, axis=0)


@pytest.mark.parametrize(
    ("count", "kind", "normaliser"),
    [
        (5, "auto", between(0, 1)),
        (68, "auto", between(36, 45)),
        (98, "auto", between(60, 72)),
        (19, "auto", lambda shape: np.hypot(*extent(shape))),
        (29, "auto", lambda shape: np.sqrt(np.prod(extent(shape)))),
        (68, "box", lambda shape: np.sqrt(np.prod(extent(shape)))),
        (5, "diagonal", lambda shape: np.hypot(*extent(shape))),
    ],
)
def test_the_error_is_that_of_a_slow_loop(count, kind, normaliser):
    features, points = shapes(count)
    found = by_metric(landmarks.evaluate(features, known(points), Protocol(normaliser=kind)))
    nme = found["nme"]
    assert nme.detail["readout"] == ("linear" if kind == "auto" else f"linear, errors by {kind}")
    truth = points[240:]
    expected = slowly(truth, predicted(features, points, nme.detail["alpha"]), normaliser)
    np.testing.assert_allclose(nme.scores.columns[:, 0], expected, rtol=2e-3)
    assert nme.value == pytest.approx(expected.mean(), rel=1e-3) and nme.low < nme.value < nme.high
    mean = points[:200].astype(float).mean(0)
    assert nme.chance == pytest.approx(slowly(truth, [mean] * len(truth), normaliser).mean(), rel=1e-4)
    assert found["failure_rate@0.1"].value == pytest.approx((expected > 0.1).mean(), abs=0.02)
    grid = np.linspace(0, 0.1, 20_001)
    curve = (expected[None] <= grid[:, None]).mean(axis=1)
    assert found["auc@0.1"].value == pytest.approx(np.trapezoid(curve, grid) / 0.1, abs=2e-3)
    better = {name: f.lower_is_better for name, f in found.items()}
    assert better == {"nme": True, "failure_rate@0.1": True, "auc@0.1": False}


def test_the_scale_of_the_picture_and_the_place_of_the_face_cancel_out():
    features, points = shapes()
    plain = landmarks.evaluate(features, known(points))
    rng = np.random.default_rng(0)
    size, corner = rng.uniform(0.1, 0.5, (300, 1)), rng.uniform(0, 0.4, (300, 2))
    small = known((points * size[:, None] + corner[:, None]).astype(np.float32))
    small.in_boxes(np.concatenate([corner, corner + size], axis=1))
    for a, b in zip(plain, landmarks.evaluate(features, small), strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-3)


def test_unknown_points_are_left_out_of_the_error_and_their_faces_of_learning():
    features, points = shapes()
    spoilt = points.copy()
    spoilt[:30, 3, 0] = np.nan  # one coordinate is enough
    spoilt[220:223, 2] = np.nan
    spoilt[250:260, 4] = np.nan
    spoilt[270:272, 0] = np.nan  # an eye: no normaliser
    spoilt[:30, 4] += 100.0  # would be noticed
    figure = landmarks.evaluate(features, known(spoilt))[0]
    assert figure.detail["incomplete_training_faces"] == 33
    assert (figure.n, figure.detail["train"], figure.detail["left_out"]) == (58, 170, 35)
    x = (features - features[30:200].mean(0)) / features[30:200].std(0)
    alphas = np.array(figure.detail["alpha"])
    y = points.reshape(300, -1).astype(float)
    fits = [Ridge(alpha=a).fit(x[30:200], y[30:200, t]).predict(x) for t, a in enumerate(alphas)]
    rows = figure.scores.rows
    expected = slowly(spoilt[rows], np.stack(fits, 1).reshape(-1, 5, 2)[rows], between(0, 1))
    np.testing.assert_allclose(figure.scores.columns[:, 0], expected, rtol=2e-3)


def test_named_parts_of_the_test_split_and_another_limit_have_figures_of_their_own():
    features, points = shapes()
    subset = np.array([""] * 240 + ["common"] * 40 + ["challenging"] * 20)
    points[280:] += 0.05
    found = by_metric(landmarks.evaluate(features, known(points, subset=subset), limit=0.08))
    assert list(found) == ["nme", "failure_rate@0.08", "auc@0.08", "nme_challenging", "nme_common"]
    assert found["nme_common"].n == 40 and found["nme_common"].value < found["nme_challenging"].value
    parts_together = (40 * found["nme_common"].value + 20 * found["nme_challenging"].value) / 60
    assert parts_together == pytest.approx(found["nme"].value)


@pytest.mark.parametrize("protocol", [Protocol("knn"), Protocol(pca=6), Protocol(shots=50)])
def test_landmarks_are_read_better_than_by_the_mean_shape_under_every_protocol(protocol):
    features, points = shapes()
    figure = landmarks.evaluate(features, known(points), protocol)[0]
    assert figure.value < 0.95 * figure.chance


def test_what_cannot_be_measured_is_refused():
    features, points = shapes()
    few = known(points[:, :4])
    with pytest.raises(ValueError, match="4 landmarks a face; expected 5 or more"):
        landmarks.evaluate(features, few)
    assert "4 landmarks" in hindrance("landmarks", few)
    with pytest.raises(ValueError, match="the eyes are known of 5, 68, 98 points, the set has 19"):
        landmarks.evaluate(features, known(shapes(19)[1]), Protocol(normaliser="eyes"))
    spoilt = points.copy()
    spoilt[:195, 3] = np.nan
    with pytest.raises(ValueError, match="'train': 5"):
        landmarks.evaluate(features, known(spoilt))
    features[4, 1] = np.inf
    with pytest.raises(ValueError, match="NaN or infinite"):
        landmarks.evaluate(features, known(points))
