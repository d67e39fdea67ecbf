"""The kernel read-out: its map against the kernel itself, and what it reads that a line cannot."""

import numpy as np
import pytest

from vultus.evaluation.kernel import kernel_map
from vultus.evaluation.probe import Probe, accuracy
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits


def parts(count):
    rows = np.arange(count)
    return Splits(rows[: count // 2], rows[count // 2 : 3 * count // 4], rows[3 * count // 4 :], False, "cut", 0)


def test_scalar_products_of_descriptions_are_the_kernel():
    x = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    made, _ = kernel_map(x, most=200)  # every face is an exemplar: nothing is approximated
    described = made(x) + made.mean
    for i, j in ((0, 1), (5, 30), (7, 7), (59, 2)):
        expected = np.exp(-made.gamma * sum((a - b) ** 2 for a, b in zip(x[i], x[j], strict=True)))
        assert described[i] @ described[j] / described.shape[1] == pytest.approx(expected, abs=2e-3)


def test_the_width_is_the_median_distance_and_the_training_faces_are_centred():
    x = np.random.default_rng(1).normal(size=(80, 3)).astype(np.float32)
    made, _ = kernel_map(x, seed=3, most=50)
    e = made.exemplars
    assert len(e) == 50 and all((row == x).all(1).any() for row in e)
    distances = [((e[i] - e[j]) ** 2).sum() for i in range(50) for j in range(i)]
    assert made.gamma == pytest.approx(1 / np.median(distances), rel=1e-4)
    np.testing.assert_allclose(made(x).mean(0), 0, atol=1e-4)
    again, described = kernel_map(x, seed=3, most=50)
    np.testing.assert_array_equal(again(x), made(x))
    np.testing.assert_array_equal(described, made(x))


def test_it_reads_rings_that_no_line_parts_and_noise_at_chance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 2)).astype(np.float32)
    rings = (np.square(x).sum(1) > 1.386).astype(np.int64)  # the median: half inside, half outside
    cut = parts(1200)
    bent, plain = Probe(x, cut, Protocol("kernel")), Probe(x, cut)
    assert accuracy(rings[cut.test], bent.classify(rings, 2, accuracy, "kernel").answers) > 0.93
    assert accuracy(rings[cut.test], plain.classify(rings, 2, accuracy).answers) < 0.65
    noise = rng.integers(0, 2, 1200)
    assert abs(accuracy(noise[cut.test], bent.classify(noise, 2, accuracy, "kernel").answers) - 0.5) < 0.1


def test_it_regresses_and_detects_what_bends():
    x = np.random.default_rng(2).uniform(-2, 2, size=(1200, 2)).astype(np.float32)
    cut = parts(1200)
    probe = Probe(x, cut, Protocol("kernel"))
    bowl = np.square(x).sum(1, keepdims=True).astype(np.float32)
    off = np.abs(probe.regress(bowl, "kernel").answers - bowl[cut.test]).mean()
    assert off < 0.1 * np.abs(bowl[cut.test] - bowl[cut.train].mean()).mean()
    inside = np.square(x) < 1
    found, _ = probe.detect(inside, accuracy, "kernel")
    assert ((found > 0.5) == inside[cut.test]).mean() > 0.93
