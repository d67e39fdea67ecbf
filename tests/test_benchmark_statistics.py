"""Ranks, critical differences and corrections against published values and sums by hand; means over seeds."""

import json
from dataclasses import replace

import numpy as np
import pytest

from vultus.benchmark.diagram import rank_chart
from vultus.benchmark.ranks import Ranks, average_ranks, compare, critical_difference
from vultus.benchmark.significance import best_of, holm, level_with_best, not_comparable
from vultus.benchmark.words import ranks_in_words
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.over_seeds import over_seeds
from vultus.report.collect import Run, groups
from vultus.report.evidence import named_figures, results
from vultus.report.results import best, measures, rows


def figure(value, *, seed=0, scores=None, method="pcl", **more):
    given = {"task": "expression", "metric": "accuracy", "n": 4, "dim": 8, "chance": 0.25, "data": "toy"}
    given |= {"feature": "shared", "detail": {"readout": "linear"}} | more
    return Figure(value=value, low=value - 0.02, high=value + 0.02, seed=seed, method=method, scores=scores, **given)


def test_the_critical_difference_is_the_published_one():
    """Demšar (JMLR 2006): 14 data sets, 4 methods: 1.25; q of 5 methods is 2.728, of 10 methods 3.164."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(5, 30) == pytest.approx(2.728 * np.sqrt(30 / 180), abs=5e-4)
    assert critical_difference(10, 20) == pytest.approx(3.164 * np.sqrt(110 / 120), abs=5e-4)


def test_average_ranks_share_places_among_equals():
    losses = np.array([[3.0, 3.0, 1.0], [1.0, 2.0, 3.0], [0.5, 0.7, 0.7]])
    assert average_ranks(losses).tolist() == pytest.approx([4.5 / 3, 7 / 3, 6.5 / 3])


def test_friedman_agrees_with_the_formula_by_hand():
    """χ² = 12 N / k (k + 1) · (Σ R² − k (k + 1)² / 4), without ties."""
    values = np.array([[9.0, 8, 7, 6], [9, 7, 8, 6], [8, 9, 7, 6], [9, 8, 6, 7], [9, 8, 7, 6]])
    found = compare(["a", "b", "c", "d"], values, [False] * 5)
    by_hand = 12 * 5 / 20 * (sum(r**2 for r in found.average) - 4 * 25 / 4)
    assert found.average == pytest.approx((1.2, 2.0, 3.0, 3.8))
    assert found.statistic == pytest.approx(by_hand) and found.p < 0.05
    errors = values.copy()
    errors[::2] *= -1  # a task whose error is small says the same as one whose score is high
    again = compare(["a", "b", "c", "d"], errors, [True, False, True, False, True])
    assert (again.names, again.average, again.statistic) == (found.names, found.average, found.statistic)
    alike = compare(["a", "b", "c"], np.ones((4, 3)), [False] * 4)
    assert alike.p == 1 and alike.average == (2, 2, 2)


def test_tasks_on_one_set_count_as_one():
    """Ranks are averaged within each set before they are averaged over sets; the test counts sets."""
    names, lower = ["a", "b", "c"], [False] * 5
    values = np.array([[3.0, 2, 1], [3, 2, 1], [3, 2, 1], [1, 3, 2], [2, 3, 1]])
    found = compare(names, values, lower, ["x", "x", "x", "y", "z"])
    assert dict(zip(found.names, found.average, strict=True)) == pytest.approx({"a": 2, "b": 4 / 3, "c": 8 / 3})
    assert (found.tasks, found.sets, found.names[0]) == (5, 3, "b")
    assert found.difference == critical_difference(3, 3) > compare(names, values, lower).difference
    once = compare(names, values[2:], lower[2:])
    assert (found.statistic, found.p) == (once.statistic, once.p)
    few = compare(names, values, lower, ["x", "x", "x", "y", "y"])
    assert (few.sets, few.difference, few.groups) == (2, None, [])
    assert dict(zip(few.names, few.average, strict=True)) == pytest.approx({"a": 1.75, "b": 1.5, "c": 2.75})
    assert "5 tasks on 2 sets" in ranks_in_words(few) and "not tested" in ranks_in_words(few)
    assert "5 tasks on 3 sets" in ranks_in_words(found) and "critical difference" in ranks_in_words(found)


def test_ranks_are_refused_where_they_say_nothing():
    with pytest.raises(ValueError, match="three tasks and three methods, got 2 and 4"):
        compare(list("abcd"), np.ones((2, 4)), [False] * 2)
    with pytest.raises(ValueError, match="every method's value"):
        compare(list("abc"), np.array([[1, 2, np.nan]] * 3), [False] * 3)


def test_groups_are_the_longest_runs_within_the_difference():
    def level(*average, difference):
        return Ranks(tuple("abcdef"[: len(average)]), average, 5, 5, 1.0, 0.1, difference).groups

    assert level(1.0, 1.5, 3.0, 3.2, difference=1.0) == [(0, 1), (2, 3)]
    assert level(1.0, 1.8, 2.6, 3.4, difference=1.7) == [(0, 2), (1, 3)]
    assert level(1.0, 2.5, 4.0, difference=1.0) == []
    assert level(1.0, 1.5, 2.0, difference=1.0) == [(0, 2)]


def test_the_picture_names_every_method_and_draws_a_bar_for_each_group():
    ranks = Ranks(("good", "near", "far", "last"), (1.0, 1.5, 3.0, 3.2), 9, 9, 8.0, 0.01, 1.0)
    axes = rank_chart(ranks).axes[0]
    texts = " ".join(t.get_text() for t in axes.texts)
    assert all(name in texts for name in ranks.names) and "critical difference 1.00" in texts
    bars = [line for line in axes.lines if line.get_linewidth() > 3]
    assert [bar.get_xdata()[0] < bar.get_xdata()[1] for bar in bars] == [True, True]
    places = {t.get_text().split()[0]: t.get_ha() for t in axes.texts if "good" in t.get_text()}
    assert places == {"good": "right"}
    untested = rank_chart(replace(ranks, difference=None)).axes[0]
    assert not any("critical" in t.get_text() for t in untested.texts)
    assert not any(line.get_linewidth() > 3 for line in untested.lines)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_keeps_a_row_that_would_fall_alone():
    """Five samples lost and none won is beyond chance (p about 2 e⁻⁵) for one rival, and not for five of them."""
    n = 400
    top = np.zeros(n)
    top[:200] = 1
    close = top.copy()
    close[:5] = 0
    far = np.zeros(n)

    def of(name, column):
        return figure(float(column.mean()), method=name, scores=Scores(np.arange(n), column[:, None]))

    two = {"top": of("top", top), "close": of("close", close)}
    many = two | {f"close {i}": of(f"close {i}", close) for i in range(4)} | {"far": of("far", far)}
    assert best_of(two) == "top" and level_with_best(two) == ()
    assert set(level_with_best(many)) == many.keys() - {"top", "far"}


def test_rows_without_comparable_scores_are_not_judged():
    scores = Scores(np.arange(4), np.ones((4, 1)))
    other = Scores(np.arange(1, 5), np.ones((4, 1)))
    column = {"a": figure(0.5, scores=scores), "b": figure(0.4), "c": figure(0.4, scores=other)}
    column["d"] = figure(0.1, scores=replace(scores, columns=0 * scores.columns))
    assert level_with_best(column) == () and not_comparable(column) == ("b", "c")


def test_the_mean_over_seeds_averages_values_and_intervals_and_keeps_the_scores_of_each():
    first = Scores(np.array([3, 1, 2]), np.array([[1.0], [0.0], [1.0]]))
    second = Scores(np.array([1, 2, 5]), np.array([[1.0], [1.0], [0.0]]))
    mean = over_seeds([figure(0.4, scores=first), figure(0.5, seed=1, scores=second)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.45, 0.43, 0.47))
    assert mean.detail["seeds"] == 2 and mean.detail["std"] == pytest.approx(0.1 / np.sqrt(2))
    assert mean.scores.rows.tolist() == [1, 2, 3, 5] and mean.scores.seeds == (1, 1)
    np.testing.assert_array_equal(mean.scores.columns, [[0, 1], [1, 1], [1, np.nan], [np.nan, 0]])
    alone = over_seeds([figure(0.4, scores=first)])
    assert alone.scores.rows.tolist() == [1, 2, 3] and "std" not in alone.detail
    assert over_seeds([figure(0.4), figure(0.5, scores=second)]).scores is None
    with pytest.raises(ValueError, match="one figure under each"):
        over_seeds([figure(0.4), figure(0.4, data="other")])


def run_of(folder, seed, values, *, label="", method="pcl", **plan):
    plan = {"method": {"name": method}, "seed": seed, "batch": 8, "steps": 3 + seed} | plan
    figures = tuple(figure(v, method=method, dim=d) for d, v in values.items())
    return Run(folder, label or f"{method}-s{seed}", plan, (), None, figures)


def test_runs_that_differ_in_their_seed_alone_are_called_together(tmp_path):
    runs = [run_of(tmp_path, s, {8: 0.4}) for s in (0, 1)] + [run_of(tmp_path, 0, {8: 0.4}, method="simclr")]
    assert groups(runs) == {"pcl-s0": "pcl", "pcl-s1": "pcl"}
    assert groups([*runs, run_of(tmp_path, 1, {8: 0.4}, label="other", method="simclr", lr=1.0)]) == groups(runs)
    twice = [run_of(tmp_path, 1, {8: 0.4}, label=name) for name in ("a", "b")]
    assert groups(twice) == {}  # copies are no repetition
    many = runs[:2] + [run_of(tmp_path, s, {8: 0.4}, label=f"long-s{s}", lr=1.0) for s in (0, 1)]
    assert groups(many) == {"pcl-s0": "pcl", "pcl-s1": "pcl", "long-s0": "long", "long-s1": "long"}


def test_the_reports_table_has_the_mean_over_seeds_and_keeps_single_seeds_out_of_the_contest(tmp_path):
    runs = [run_of(tmp_path, s, {8: v, 4: 0.3}) for s, v in ((0, 0.40), (1, 0.60))]
    runs.append(run_of(tmp_path, 0, {8: 0.55}, method="simclr"))
    named = named_figures(runs, ())
    table = rows(named)
    assert [(r.label, r.dims, r.contest) for r in table] == [
        ("pcl", [8], True), ("pcl-s0", [8], False), ("pcl-s1", [8], False),
        ("pcl", [4], True), ("pcl-s0", [4], False), ("pcl-s1", [4], False), ("simclr-s0", [8], True),
    ]  # fmt: skip
    (measure,) = measures(named)
    assert table[0].cells[measure].value == pytest.approx(0.5)
    assert best(table, measure).value == 0.55  # not the lucky seed's 0.60
    page = results(runs, named).body
    assert "50.0</span><small>± 14.1 · 2 seeds" in page and "<b>55.0</b>" in page
    assert "simclr-s0 shared 55.0" in page and "mean of pcl-s0, pcl-s1" in page


def test_readings_with_few_labels_stand_apart_and_their_draws_as_a_mean():
    draws = [figure(v, seed=s, detail={"readout": "linear", "shots": 10.0}) for s, v in enumerate((0.3, 0.4, 0.5))]
    named = named_figures([], [figure(0.6), *draws])
    (row,) = rows(named)
    full, few = measures(named)
    assert (full.place, few.place) == ("toy", "toy, 10 shots")
    assert row.cells[full].value == 0.6
    assert row.cells[few].value == pytest.approx(0.4) and row.cells[few].detail["seeds"] == 3
    assert json.dumps(replace(row.cells[few], scores=None).to_dict())
