"""Figures by groups of people: hand-made scores, the gap's sign, small and unknown groups, pairs, and the page."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from conftest import jpeg
from evaluation_faces import Labelled
from vultus import cli
from vultus.evaluation import action_units, expression
from vultus.evaluation.bootstrap import independent_difference
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.slices import BANDS, add_slices, age_bands, read_slices, slice_figures, slices
from vultus.evaluation.slices_table import grids
from vultus.evaluation.tasks import TASKS
from vultus.faces.faceset import write
from vultus.faces.pairs import Pairs
from vultus.faces.record import Record
from vultus.methods.catalogue import build_method
from vultus.methods.model import save_model
from vultus.methods.simclr import SimCLRConfig
from vultus.report.slices import slices as section


def scored(columns, rows=None, task="expression", metric="accuracy", **more):
    columns = np.asarray(columns, float).reshape(len(columns), -1)
    rows = np.arange(len(columns)) if rows is None else np.asarray(rows)
    about = {
        "n": len(columns),
        "dim": 8,
        "chance": 0.2,
        "seed": 0,
        "data": "fake",
        "method": "pcl",
        "feature": "shared",
    }
    return Figure(task, metric, 0.5, 0.4, 0.6, **about | more, scores=Scores(rows, columns))


def people(**groups):
    """Genders of a set: so many of each."""
    return np.repeat([name if name != "unknown" else "" for name in groups], list(groups.values()))


def test_each_group_has_its_own_share_of_right_answers():
    gender = people(female=40, male=60, unknown=5)
    right = np.r_[np.repeat([1, 0], [30, 10]), np.repeat([1, 0], [36, 24]), np.ones(5)]
    order = np.random.default_rng(0).permutation(105)  # the scores' rows need not be in the set's order
    (found,) = slices(scored(right[order], rows=order), Labelled(gender=gender))
    assert [(s.group, s.value, s.n) for s in found.slices] == [("female", 0.75, 40), ("male", 0.6, 60)]
    assert found.slices[0].low < 0.75 < found.slices[0].high
    assert (found.by, found.unknown, found.figure.scores) == ("gender", 5, None)
    gap = found.gap
    assert (gap.best, gap.worst, gap.pairs) == ("female", "male", 1)
    assert gap.value == pytest.approx(0.15) and gap.low < 0.15 < gap.high
    assert 0.05 < gap.p < 0.3


def test_the_best_group_of_an_error_is_the_one_with_the_least():
    errors = np.r_[np.full(40, 3.0), np.full(40, 8.0)] + np.random.default_rng(0).normal(size=80)
    figure = scored(errors, task="head_pose", metric="mae")
    (found,) = slices(figure, Labelled(gender=people(female=40, male=40)))
    assert (found.gap.best, found.gap.worst) == ("female", "male")
    assert 4 < found.gap.low < found.gap.value < found.gap.high < 6
    assert found.gap.p == 1e-4


def test_groups_below_thirty_are_listed_and_not_compared():
    right = np.r_[np.ones(29), np.repeat([1, 0], [20, 20]), np.repeat([1, 0], [15, 25])]
    age = np.repeat([1.0, 25.0, 71.5], [29, 40, 40]).astype(np.float32)
    (found,) = slices(scored(right), Labelled(age=age))
    assert [(s.group, s.n) for s in found.slices] == [("0–2", 29), ("20–29", 40), ("70+", 40)]
    assert (found.gap.best, found.gap.worst, found.gap.pairs) == ("20–29", "70+", 1)
    assert found.gap.value == pytest.approx(0.5 - 0.375)
    (alone,) = slices(scored(right[:69]), Labelled(age=age[:69]))
    assert alone.gap is None and len(alone.slices) == 2


def test_the_gap_of_many_groups_is_corrected_for_having_been_chosen():
    rng = np.random.default_rng(1)
    ethnicity = np.repeat(["a", "b", "c", "d"], 50)
    (found,) = slices(scored(rng.random(200) < 0.5), Labelled(ethnicity=ethnicity))
    assert found.gap.pairs == 6
    assert found.gap.corrected == pytest.approx(min(1, 6 * found.gap.p))


def test_ages_fall_into_the_published_bands():
    years = np.array([0, 2.9, 3, 9, 10, 19.5, 20, 69, 70, 99, np.nan, -1])
    expected = ["0–2", "0–2", "3–9", "3–9", "10–19", "10–19", "20–29", "60–69", "70+", "70+", "", ""]
    assert age_bands(years).tolist() == expected
    assert BANDS == ("0–2", "3–9", "10–19", "20–29", "30–39", "40–49", "50–59", "60–69", "70+")


def test_bands_of_a_set_stand_in_the_order_of_years():
    band = np.repeat(["20-39", "4-19", "", "70+", "0-3"], 2)
    (found,) = slices(scored(np.ones(10)), Labelled(age_band=band))
    assert [s.group for s in found.slices] == ["0-3", "4-19", "20-39", "70+"]


def test_a_group_of_action_units_has_the_f1_of_its_own_counts():
    counts = np.zeros((80, 3))  # true positives, false positives, misses of one unit
    counts[:20, 0], counts[20:30, 1] = 1, 1  # female: F1 = 40 / 50
    counts[40:50, 0], counts[50:80, 2] = 1, 1  # male: F1 = 20 / 50
    figure = scored(counts, task="action_units", metric="f1")
    (found,) = slices(figure, Labelled(gender=people(female=40, male=40)))
    assert [s.value for s in found.slices] == pytest.approx([0.8, 0.4])
    assert found.gap.value == pytest.approx(0.4)


def test_pairs_are_sorted_by_the_gender_of_both():
    gender = np.array(["female", "female", "male", "male", ""])
    left, right = np.array([0, 2, 0, 0, 1]), np.array([1, 3, 2, 4, 0])
    pairs = Pairs(np.array([0, 0, 1, 1, 1]), left, right, np.array([True, False, False, False, True]))
    faces = Labelled(pairs, gender=gender, age=np.full(5, 30.0))
    (found,) = slices(scored([1, 0, 1, 1, 0], task="identity"), faces)  # two pictures of one person differ in age
    assert [(s.group, s.value, s.n) for s in found.slices] == [("female", 0.5, 2), ("male", 0.0, 1)]
    assert found.unknown == 2


def test_scores_must_be_there_and_of_this_set():
    with pytest.raises(ValueError, match="carries no scores"):
        slices(Figure("expression", "accuracy", 0.5, 0.4, 0.6, 9, 8, 0.2, 0, "fake"), Labelled(gender=["male"]))
    with pytest.raises(ValueError, match=r"rows up to 9, the set given has 5"):
        slices(scored(np.ones(10)), Labelled(gender=["male"] * 5))


def test_independent_groups_vary_each_by_itself():
    rng = np.random.default_rng(0)
    first, second = (rng.random(400) < 0.5)[:, None], (rng.random(100) < 0.7)[:, None]
    found = independent_difference(first, second)
    assert found.value == pytest.approx(second.mean() - first.mean())
    error = np.sqrt(first.var() / 400 + second.var() / 100)  # of a difference of means
    assert (found.low, found.high) == pytest.approx((found.value - 1.96 * error, found.value + 1.96 * error), abs=0.01)


@pytest.fixture(scope="module")
def two_sets(tmp_path_factory):
    """A set to learn from, without gender, and one to be tested on."""
    out = tmp_path_factory.mktemp("sets")
    grey = jpeg(np.full((8, 8, 3), 128, np.uint8))
    learn = (Record(grey, f"{i}.jpg", {"expression": "happy"}) for i in range(7))
    test = (Record(grey, f"{i}.jpg", {"gender": ("female", "male")[i % 2]}) for i in range(80))
    write(learn, out / "learn", source="tests", licence="CC0")
    write(test, out / "test", source="tests", licence="CC0")
    return out / "learn", out / "test"


def test_another_set_is_sliced_by_its_own_labels(two_sets):
    learn, test = two_sets
    right = np.tile([1, 0], 40)
    figures = [
        scored(right, rows=7 + np.arange(80)),  # rows of both sets, the first set first
        scored(right, rows=7 + np.arange(80), feature="face"),
        scored(right, rows=7 + np.arange(80), method="hog"),  # a baseline beside it
        scored(right, task="triplets"),
        Figure("expression", "balanced_accuracy", 0.5, 0.4, 0.6, 80, 8, 0.2, 0, "fake", "pcl", "shared"),
    ]
    found = slice_figures(figures, learn, test)
    assert [(s.figure.method, s.figure.feature) for s in found] == [("pcl", "shared"), ("pcl", "face")]
    assert [(s.group, s.value) for s in found[0].slices] == [("female", 1.0), ("male", 0.0)]
    with pytest.raises(ValueError, match="no label gender, age, age_band or ethnicity"):
        slice_figures(figures, learn)


def test_slices_are_kept_and_the_newer_replaces_the_older(tmp_path):
    faces = Labelled(gender=people(female=40, male=40), age=np.full(80, 30.0))
    first = slices(scored(np.tile([1, 0], 40)), faces)
    add_slices(tmp_path, first)
    assert read_slices(tmp_path) == first
    second = slices(scored(np.ones(80)), faces)
    other = slices(scored(np.ones(80), feature="face"), faces)
    add_slices(tmp_path, (*second, *other))
    assert read_slices(tmp_path) == (*second, *other)
    (tmp_path / "slices.json").write_text(json.dumps([{"by": "gender"}]))
    with pytest.raises(ValueError, match="evaluate … --slices"):
        read_slices(tmp_path)


def test_tables_show_groups_gap_and_what_is_left_out(tmp_path):
    gender = people(female=40, male=40, unknown=3)
    right = np.r_[np.ones(40), np.repeat([1, 0], [20, 20]), np.ones(3)]
    found = slices(scored(right), Labelled(gender=gender))
    (made,) = grids(found).values()
    assert made.heads == ("group", "n", "shared")
    assert [row[0] for row in made.rows] == ["female", "male", "largest gap", "not known"]
    assert made.rows[1][2].startswith("50.0\n")
    assert made.rows[2][2].startswith("50.0\n") and made.rows[2][2].endswith("\nfemale over male\np < 0.001")
    assert section([SimpleNamespace(label="pcl", folder=tmp_path)]) is None
    add_slices(tmp_path, found)
    page = section([SimpleNamespace(label="<pcl>", folder=tmp_path)]).html()
    assert "&lt;pcl&gt;" in page and "female over male" in page


def test_the_command_prints_them_below_the_table_and_keeps_them(tmp_path, monkeypatch, capsys):
    def faces():
        for i in range(240):
            split, label = ("train", "test")[i % 2], ("happy", "sad")[i // 2 % 2]
            pixels = np.full((16, 16, 3), 60 + 100 * (i // 2 % 2), np.uint8) + np.uint8(i // 4)
            labels = {"split": split, "expression": label, "gender": ("female", "male")[i // 4 % 2], "age": float(i)}
            yield Record(jpeg(pixels), f"{i}.jpg", labels)

    write(faces(), tmp_path / "set", source="tests", licence="CC0")
    config = SimCLRConfig(encoder="small", hidden=8, projection=8)
    save_model(build_method(config, 16), config, 16, tmp_path / "run")
    asked = ["evaluate", str(tmp_path / "run"), "--data", str(tmp_path / "set"), "--task", "expression", "--slices"]
    monkeypatch.setattr(sys, "argv", ["vultus", *asked])
    monkeypatch.setenv("COLUMNS", "160")
    cli.main()
    printed = capsys.readouterr().out
    assert printed.index("test samples") < printed.index("by gender") < printed.index("by age")
    kept = read_slices(tmp_path / "run")
    assert [(one.figure.metric, one.by) for one in kept] == [("accuracy", "gender"), ("accuracy", "age")]
    assert [one.n for one in kept[0].slices] == [60, 60]


def test_balanced_accuracies_and_single_units_have_groups_too():
    rng = np.random.default_rng(0)
    gender = rng.choice(["female", "male"], 600)
    split = np.repeat(["train", "validation", "test"], [300, 100, 200])
    known = {"expression": rng.choice(["happy", "sad", "angry"], 600, p=[0.6, 0.3, 0.1])}
    known["au12"] = (known["expression"] == "happy").astype(np.float32)
    features = np.stack([known["expression"] == name for name in ("happy", "sad")], axis=1) + rng.normal(size=(600, 2))
    faces = Labelled(split=split, gender=gender, **known)
    for task, metric, theirs in (
        (expression, "balanced_accuracy", balanced_accuracy_score),
        (action_units, "f1_au12", f1_score),
    ):
        figure = next(f for f in task.evaluate(features.astype(np.float32), faces) if f.metric == metric)
        (found,) = slices(figure, faces)
        assert task_value(figure) == pytest.approx(figure.value)
        for part in found.slices:
            own = gender[figure.scores.rows] == part.group
            truth, said = answers_in(figure.scores.columns[own])
            assert part.value == pytest.approx(theirs(truth, said)) and part.low < part.value < part.high


def task_value(figure):
    return TASKS[figure.task].reads(figure.metric).value(figure.scores.columns)


def answers_in(columns):
    """Truth and answer of each row: of K classes (is it, was it hit), where a miss counts as another; of yes and no."""
    if columns.shape[1] == 3:
        hit, wrong, missed = columns.astype(bool).T
        return hit | missed, hit | wrong
    present, hit = np.split(columns, 2, axis=1)
    truth = present.argmax(axis=1)
    return truth, np.where(hit.any(axis=1), truth, (truth + 1) % present.shape[1])
