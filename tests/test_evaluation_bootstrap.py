"""Intervals, figures, tables and collapse indicators against what is known of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from vultus.evaluation.bootstrap import (
    mean_interval,
    paired_differences,
    statistic_interval,
)
from vultus.evaluation.collapse import collapse
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.kept import add_figures, read_figures
from vultus.evaluation.paired import difference
from vultus.evaluation.table import grid, markdown, terminal


def test_the_interval_of_a_mean_is_the_normal_one_for_many_samples():
    scores = np.random.default_rng(0).exponential(size=2000)
    low, high = mean_interval(scores, resamples=4000)
    half = 1.96 * scores.std() / np.sqrt(2000)
    assert low == pytest.approx(scores.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.1 * half)


def test_nineteen_of_twenty_intervals_cover_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        low, high = mean_interval((rng.random(150) < 0.6).astype(float), seed=trial, resamples=400)
        covered += low <= 0.6 <= high
    assert 0.92 <= covered / 300 <= 0.98


def test_column_means_and_resampled_indices_agree():
    rng = np.random.default_rng(0)
    a, b = rng.random(400), rng.random(400) + 0.5
    by_means = statistic_interval(np.stack([a, b], 1), lambda m: m[:, 0] / m[:, 1], resamples=4000)
    rows = rng.integers(400, size=(4000, 400))
    by_rows = np.percentile(a[rows].mean(axis=1) / b[rows].mean(axis=1), [2.5, 97.5])
    np.testing.assert_allclose(by_means, by_rows, rtol=0.01)


def test_a_paired_difference_sees_what_two_intervals_cannot():
    rng = np.random.default_rng(0)
    first = rng.normal(size=500)
    second = first + 0.02 + 0.05 * rng.normal(size=500)
    change = paired_differences([first[:, None]], [[second[:, None]]])[0]
    assert change.low > 0 and change.p < 0.01
    assert change.value == pytest.approx((second - first).mean())
    assert mean_interval(first)[1] > mean_interval(second)[0]
    same = paired_differences([first[:, None]], [[rng.permutation(first)[:, None]]])[0]
    assert same.low < 0 < same.high and same.p > 0.1
    with pytest.raises(ValueError, match="same samples"):
        paired_differences([first[:, None]], [[second[:-1, None]]])


def test_rivals_of_one_column_are_each_compared_as_alone():
    """Against resampling row numbers by hand, for scores of which many are equal and of which none are."""
    rng = np.random.default_rng(1)
    for scores in ((rng.random((3, 300)) < 0.7).astype(float), rng.normal(size=(3, 300))):
        own, *rivals = (one[:, None] for one in scores)
        rows = rng.integers(300, size=(4000, 300))
        for found, rival in zip(paired_differences([own], [[one] for one in rivals]), rivals, strict=True):
            by_hand = (rival - own)[rows, 0].mean(axis=1)
            assert found.value == pytest.approx((rival - own).mean())
            half = (found.high - found.low) / 2
            np.testing.assert_allclose((found.low, found.high), np.percentile(by_hand, [2.5, 97.5]), atol=0.15 * half)


def figure(**changes):
    base = {"task": "expression", "metric": "accuracy", "value": 0.5, "low": 0.48, "high": 0.52, "n": 3589}
    base |= {"dim": 2304, "chance": 0.25, "seed": 0, "data": "fer", "method": "hog", "feature": "hog"}
    return Figure(**(base | changes))


def test_a_figure_survives_json():
    one = figure(detail={"C": 0.01, "recalls": {"happy": 0.8}})
    assert Figure.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    with pytest.raises(ValueError, match=r"missing keys \['dim'\].*unknown keys \['size'\]"):
        Figure.from_dict({k: v for k, v in one.to_dict().items() if k != "dim"} | {"size": 3})


def test_figures_of_another_set_of_the_same_name_make_way_and_are_not_compared(tmp_path):
    old = [figure(detail={"content": "a"}), figure(metric="f1", detail={"content": "a"}), figure(data="lfw")]
    new = figure(value=0.7, detail={"content": "b"})
    add_figures(tmp_path, old)
    add_figures(tmp_path, [new])
    assert [(f.data, f.value) for f in read_figures(tmp_path)] == [("lfw", 0.5), ("fer", 0.7)]
    scores = Scores(np.arange(4), np.ones((4, 1)))
    with pytest.raises(ValueError, match="two different sets that are both called fer"):
        difference(replace(old[0], scores=scores), replace(new, scores=scores))


def test_a_table_has_a_row_for_each_method_and_chance_at_the_foot():
    figures = [figure(), figure(metric="balanced_accuracy", value=0.4)]
    figures += [figure(task="head_pose", metric="mae", value=9.876, low=9.5, high=10.1, chance=20.0)]
    figures += [figure(method="pcl", feature="F_s", value=v, seed=s) for s, v in enumerate((0.55, 0.56, 0.57))]
    table = grid(figures)
    assert table.heads == ("method", "feature", "dim", "fer: expression accuracy %", "fer: head pose mae °")
    assert table.rows[0] == ("hog", "hog", "2,304", "50.0 [48.0, 52.0]", "9.88 [9.50, 10.10]")
    assert table.rows[1] == ("pcl", "F_s", "2,304", "56.0 ± 1.0 (3 seeds)", "–")
    assert table.rows[2] == ("chance", "", "", "25.0", "20.00")
    assert "balanced accuracy" in " ".join(grid(figures, everything=True).heads)
    assert markdown(figures).splitlines()[1] == "| --- | --- | --- | --- | --- |"
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(terminal(figures))
    assert "56.0 ± 1.0" in console.export_text()


def test_a_task_with_one_way_of_reading_shares_the_rows_of_the_others():
    identity = figure(task="identity")
    ways = [figure(detail={"readout": way}) for way in ("linear", "knn")]
    assert len(grid([identity, ways[0]]).rows) == 1 + 2
    both = grid([identity, *ways])
    assert [row[3] for row in both.rows[:2]] == ["linear", "knn"] and both.rows[0][4:] == both.rows[1][4:]
    assert grid([identity]).rows[0][3] == "50.0 [48.0, 52.0]"


def test_collapse_tells_a_full_sphere_from_a_line_and_a_point():
    rng = np.random.default_rng(0)
    full = rng.normal(size=(4000, 16))
    std, rank = collapse(full)
    assert std == pytest.approx(1, abs=0.03) and rank == pytest.approx(16, abs=0.1)
    line = np.outer(rng.normal(size=300), rng.normal(size=16))
    assert collapse(line)[1] == pytest.approx(1, abs=1e-6)
    assert collapse(np.full((300, 16), 0.3, np.float32)) == (pytest.approx(0, abs=1e-6), 1.0)
    two_equal = np.concatenate([np.eye(2), -np.eye(2)]) @ np.eye(2, 16)
    assert collapse(two_equal)[1] == pytest.approx(2)
