"""The benchmark's tables say what was measured: the best, what is level with it, ranks, terms, published figures."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vultus.benchmark import run
from vultus.benchmark.against import against
from vultus.benchmark.board import board, ranked
from vultus.benchmark.config import BenchmarkConfig
from vultus.benchmark.plan import DONE, Plan, Question, Subject
from vultus.benchmark.published import TABLES
from vultus.benchmark.sources import Source
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.kept import add_figures, read_figures
from vultus.report.results import Measure, Row

SAMPLES = 400
TASKS = ("expression", "head_pose", "retrieval")


def fake_plan(out, rows, seeds=1):
    """Rows (label, kind) asked three tasks on a set that is not there."""
    source = Source(Path("none"), None, "fer2013", "f" * 64, 1000)
    questions = tuple(Question(source, task, "linear", None, None) for task in TASKS)
    subjects = tuple(
        Subject(label, kind, "supervised" if label == "teacher" else label, out / f"{label}-{seed}", seed)
        for label, kind in rows
        for seed in range(seeds if kind == "learned" else 1)
    )
    config = BenchmarkConfig(("none",), out=out, budget="none", seeds=seeds, baselines=("all",))
    return Plan(config, None, (), subjects, questions, (), (), {})


def keep(made, values):
    """Answers as a reading would leave them: label → per-sample scores [3 tasks, N] of each seed."""
    for subject in made.subjects:
        for one, task in zip(made.readings(subject), range(3), strict=True):
            column = values[subject.row][subject.seed][task]
            metric, readout = (("accuracy", "linear"), ("mae", "linear"), ("map", "linear"))[task]
            mean = float(column.mean())
            shared = {"n": SAMPLES, "dim": 64, "chance": 0.25, "seed": 0, "data": "fer2013", "method": subject.row}
            scores = Scores(np.arange(SAMPLES), column[:, None])
            figure = Figure(
                TASKS[task], metric, mean, mean - 0.03, mean + 0.03, feature="encoder",
                detail={"readout": readout}, scores=scores, **shared,
            )  # fmt: skip
            one.folder.mkdir(parents=True)
            add_figures(one.folder, [figure])
            (one.folder / DONE).write_text('{"seconds": 1}')


def hits(count, shift=0):
    """1 for `count` of the samples."""
    return np.roll((np.arange(SAMPLES) < count).astype(np.float64), shift)


@pytest.fixture
def measured(tmp_path):
    """good and near differ in ten samples, both ways; bad is far, hog between; the teacher is out of the contest."""
    rows = [(name, "learned") for name in ("good", "near", "bad", "teacher")] + [("hog", "baseline")]
    made = fake_plan(tmp_path, rows, seeds=2)
    counts = {"good": (300, 304), "near": (300, 300), "bad": (150, 150), "teacher": (390, 390), "hog": (220,)}
    values = {}
    for name, seeds in counts.items():
        right = [hits(count, 5 * (name == "near")) for count in seeds]
        values[name] = [np.stack([each, 10 - 5 * each, each]) for each in right]
    keep(made, values)
    return made


def test_readings_of_other_questions_cost_their_cell_and_not_the_table(tmp_path):
    """As readings kept from before their set was mended: seed 0 was asked one unit more."""
    rows = [(name, "learned") for name in ("mended", "whole")]
    made = fake_plan(tmp_path, rows, seeds=2)
    keep(made, {name: [np.stack([hits(100)] * 3)] * 2 for name, _ in rows})
    old = next(one for one in made.readings(made.subjects[0]))
    (figure,) = read_figures(old.folder)
    add_figures(old.folder, [replace(figure, detail={**figure.detail, "units": ["au01", "au02"]})])
    found = board(made)
    mended, whole = ({m.task for m in row.cells} for row in found.rows)
    assert whole - mended == {"expression"} and len(mended) == 2
    (lost,) = found.failures
    assert lost.what == "mended: expression on fer2013" and "a mean of au01, au02 here" in lost.error
    run.render(made)
    assert "a mean of au01, au02 here" in (tmp_path / "benchmark.md").read_text()


def test_rows_are_compared_with_a_chosen_one_sample_by_sample(measured):
    found = board(measured)
    heads, rows = against(found, "hog")
    assert heads[:3] == ["method", "better, level, worse", "expression accuracy %, fer2013"]
    own = {row[0]: row[1:] for row in rows}
    assert list(own) == ["good", "near", "bad", "teacher"]
    assert own["good"][0] == "3, 0, 0" and own["bad"][0] == "0, 0, 3"
    first, second = (figure.value for figure in (found.rows[0].cells[m] for m in found.columns[:2]))
    by_hand = (first - 220 / SAMPLES, (10 - 5 * 220 / SAMPLES) - second)  # more hits and fewer degrees are both better
    assert own["good"][1].startswith(f"+{100 * by_hand[0]:.1f} (") and own["good"][2].startswith(f"+{by_hand[1]:.2f} (")
    low, high = map(float, re.findall(r"\((.*) to (.*)\)", own["good"][1])[0])
    assert 15 < low < 100 * by_hand[0] < high < 27
    near = {row[0]: row[1:] for row in against(found, "good")[1]}["near"]
    assert near[0] == "0, 3, 0" and all(cell.endswith("≈") for cell in near[1:])
    page = run.render(replace(measured, config=replace(measured.config, against=("hog",))))
    assert "## Against hog" in page.markdown.read_text() and "Row against row" in page.page.read_text()


def test_the_best_is_bold_and_what_cannot_be_told_from_it_is_marked(measured):
    found = board(measured)
    expression, pose, _ = found.columns
    level = {row.label: row.level for row in found.rows}
    assert level["near"] == set(found.columns)
    assert not level["good"] and not level["bad"] and not level["hog"] and not level["teacher"]
    assert [row.contest for row in found.rows] == [True, True, True, False, True]
    best = next(row for row in found.rows if row.label == "good").cells
    assert best[expression].value == pytest.approx(302 / 400) and best[expression].detail["seeds"] == 2
    assert best[expression].detail["std"] == pytest.approx(np.std([0.75, 0.76], ddof=1))
    assert best[pose].value == pytest.approx(10 - 5 * 302 / 400)
    assert found.ranks.names == ("good", "near", "hog", "bad") and found.ranks.average == (1, 2, 3, 4)


def test_markdown_and_page_say_what_was_measured(measured):
    outcome = run.render(measured)
    text, page = outcome.markdown.read_text(), outcome.page.read_text()
    glance, _, whole = text.partition("## Results")
    rows = [line.split(" | ") for line in glance.splitlines() if line.startswith("| ")]
    assert rows[0][2].startswith("expression accuracy %, fer2013 (± ") and "lower is better" in rows[0][3]
    assert [row[:3] for row in rows[2:4]] == [["| good", "1.0", "**75.5**"], ["| near", "2.0", "75.0 ≈"]]
    assert [row[:2] for row in rows[4:]] == [["| hog", "3.0"], ["| bad", "4.0"], ["| teacher", "–"]]
    line = next(line for line in whole.splitlines() if line.startswith("| good"))
    assert line.split(" | ")[2:4] == ["**75.5** ± 0.7 (2 seeds)", "**6.22** ± 0.04 (2 seeds)"]
    assert next(line for line in whole.splitlines() if line.startswith("| near")).count("≈") == 3
    assert "| hog | 64 | 55.0 (52.0–58.0) |" in text and "| chance |  | 25.0 | 0.25 | 25.0 |" in text
    assert "taught by labels, out of the contest" in text and "taught by labels, out of the contest" in page
    assert "expression, accuracy, on fer2013: good 75.5 % (± 0.7) is best; not to be told from it: near" in text
    assert "Average ranks over 3 tasks on 1 set, 1 the best" in text and "needs 3 sets or more" in page
    assert "critical difference" not in page and "<svg" in page
    assert (
        "| pcl | Liu et al., CVPR 2023 | 56.81 | – |" in text and "| hog | Dalal & Triggs, CVPR 2005 | 45.47 | " in text
    )
    assert "RAF-DB" not in text and "For orientation, not for comparison." in page
    assert [*dict.fromkeys(re.findall(r">(good|near|hog|bad|teacher)<", page))] == [
        "good",
        "near",
        "hog",
        "bad",
        "teacher",
    ]
    assert "<b>75.5</b>" in page and "± 0.7 · 2 seeds" in page and "http" not in page.lower()
    bare = run.render(replace(measured, config=replace(measured.config, published=False))).markdown.read_text()
    assert "Published figures" not in bare


def test_what_was_asked_other_samples_is_not_taken_for_clearly_worse(measured):
    folder = next(r for s in measured.subjects if s.row == "hog" for r in measured.readings(s)).folder
    (kept,) = (folder / "scores").iterdir()
    np.savez_compressed(kept, rows=np.arange(1, SAMPLES + 1), columns=hits(220)[:, None])
    outcome = run.render(measured)
    text, page = outcome.markdown.read_text(), outcome.page.read_text()
    assert "| hog | 3.0 | 55.0 – |" in text and "| hog | 64 | 55.0 – (52.0–58.0) |" in text
    assert "| bad | 4.0 | 37.5 |" in text and "– behind a value: not to be compared" in text
    assert '<span>55.0</span><span class="level"> –</span>' in page and "–: not to be compared" in page


def test_a_set_that_another_was_learned_for_counts_as_that_set(tmp_path):
    """Three sets under four names: x → y is tested on y."""
    rows = [Row(name, name, False) for name in ("a", "b", "c")]
    columns = []
    for number, content in enumerate(("x", "y", "x → y", "z")):
        source = Source(Path(content), None, content, content, 9)
        column = replace(
            Figure("expression", "accuracy", 0.5, 0.4, 0.6, 9, 8, 0.2, 0, content), detail={"readout": "linear"}
        )
        for place, row in enumerate(rows):
            row.cells[Measure.of(column)] = replace(column, value=(place + number) % 3 / 3)
        columns.append((Measure.of(column), Question(source, "expression", "linear", None, None)))
    found, _ = ranked(rows, columns)
    assert (found.tasks, found.sets) == (4, 3)


def test_fewer_than_three_rows_or_tasks_have_no_ranks_and_that_is_said(tmp_path):
    made = fake_plan(tmp_path, [("good", "learned"), ("hog", "baseline")])
    keep(made, {name: [np.stack([hits(200)] * 3)] for name in ("good", "hog")})
    found = board(made)
    assert found.ranks is None and "here are 3 and 2" in found.why_no_ranks
    assert "here are 3 and 2" in run.render(made).markdown.read_text()


def test_published_sets_are_known_by_their_whole_name():
    lfw, pose = (next(t for t in TABLES if t.data == d) for d in ("LFW", "300W-LP → AFLW2000"))
    assert lfw.is_of("lfw") and not lfw.is_of("cplfw") and not lfw.is_of("mtfl → lfw")
    assert pose.is_of("300w_lp → aflw2000") and not pose.is_of("AFLW2000") and not pose.is_of("300w-lp")
    pcl = next(f for t in TABLES if t.data == "DISFA" for f in t.figures if f.method == "pcl")
    assert np.mean([float(part) for part in pcl.parts.split(", ")]) == pytest.approx(pcl.value, abs=0.1)
