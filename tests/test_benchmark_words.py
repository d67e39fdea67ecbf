"""What the benchmark's tables say beside the values: cautions, terms, and which published figures stand beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from test_benchmark_tables import SAMPLES, hits
from vultus.benchmark import run
from vultus.benchmark.board import board
from vultus.benchmark.config import BenchmarkConfig
from vultus.benchmark.entries import entries
from vultus.benchmark.markdown import AT_A_GLANCE
from vultus.benchmark.plan import DONE, Plan, Question, Subject, Unlabelled
from vultus.benchmark.planning import plan
from vultus.benchmark.sources import Source
from vultus.benchmark.words import beside, terms
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.kept import add_figures


def asked(out, *questions, rows=("hog", "lbp", "pcl"), **config):
    """A plan of questions (set, task, read-out) whose rows are baselines."""
    made = tuple(
        Question(Source(Path("none"), None, data, f"{data}{'f' * 64}", 9), task, how, None, None, stages=stages)
        for data, task, how, stages in ((*one, False)[:4] for one in questions)
    )
    subjects = tuple(Subject(name, "baseline", name, out / name) for name in rows)
    given = {"budget": "none", "baselines": ("all",)} | config
    return Plan(BenchmarkConfig(("none",), out=out, **given), None, (), subjects, made, (), (), {})


def answered(made, detail=lambda row, question: {}, columns=1):
    """One figure of each reading, 50 % of the first read-out and 60 % of the others."""
    for subject in made.subjects:
        for number, one in enumerate(made.readings(subject)):
            q, right = one.question, hits(200 + 40 * (number > 0))
            about = {"readout": q.readout} if q.readout else {}
            figure = Figure(
                q.task, "f1" if q.task == "action_units" else "accuracy", float(right.mean()), 0.4, 0.6, SAMPLES, 9,
                0.2, 0, q.source.name, subject.name, subject.name, about | detail(subject.row, q),
                Scores(np.arange(SAMPLES), np.stack([right] * columns, axis=1)),
            )  # fmt: skip
            one.folder.mkdir(parents=True)
            add_figures(one.folder, [figure])
            (one.folder / DONE).write_text('{"seconds": 1}')
    return made


def own(made):
    """Values read here beside published ones, by the published table's set."""
    return {table.data: dict(values) for table, values in beside(made, board(made))}


def test_published_figures_stand_beside_linear_ones_of_the_same_sets_alone(tmp_path):
    both = asked(tmp_path / "a", ("fer2013", "expression", "knn"), ("fer2013", "expression", "linear"))
    assert own(answered(both))["FER2013"]["hog"].startswith("60.0")  # the second: linear
    knn = asked(tmp_path / "b", ("fer2013", "expression", "knn"))
    assert own(answered(knn)) == {"FER2013": {}, "RAF-DB": {}}
    joined = asked(tmp_path / "c", ("ckplus → fer2013", "expression", "linear"))
    assert own(answered(joined)) == {"FER2013": {}, "RAF-DB": {}}
    compared = asked(tmp_path / "d", ("lfw", "identity", ""))
    assert own(answered(compared))["LFW"]["pcl"].startswith("50.0")


def test_a_mean_of_other_action_units_does_not_stand_beside_the_published_one(tmp_path):
    eight = [f"au{unit:02d}" for unit in (1, 2, 4, 6, 9, 12, 25, 26)]
    for folder, units, there in (("a", eight, True), ("b", eight[:-1], False)):
        made = asked(tmp_path / folder, ("disfa", "action_units", "linear"))
        answered(made, lambda row, question, units=units: {"units": units}, columns=3)
        assert ("hog" in own(made)["DISFA"]) is there


def test_leaks_constant_values_and_what_was_skipped_are_told(tmp_path):
    made = asked(tmp_path, ("fer2013", "expression", "linear"), ("other", "attributes", "linear"))

    def detail(row, question):
        if question.task == "attributes":
            return {"skipped": {"bald": "shown by 1 of 90 training faces"}, "untaught": {"hat": "too rare"}}
        return {"leaked_test_faces": 288} | ({"constant_values": 12} if row == "lbp" else {})

    outcome = run.render(answered(made, detail, columns=2))
    for text in (outcome.markdown.read_text(), outcome.page.read_text()):
        assert "expression, accuracy, on fer2013: 288 of 400 test faces whose very picture" in text
        assert "the same for all training faces: lbp 12" in text
        assert "attributes, accuracy, on other: not read, and not in the mean: bald (shown by 1 of 90" in text
        assert "answered alike for all: hat" in text
    assert "## To be minded" in outcome.markdown.read_text()
    quiet = run.render(answered(asked(tmp_path / "quiet", ("fer2013", "expression", "linear"))))
    assert "To be minded" not in quiet.markdown.read_text()


def test_rows_are_ordered_by_rank_only_where_there_are_ranks(tmp_path):
    one = asked(tmp_path / "a", ("fer2013", "expression", "linear"))
    text = run.render(answered(one)).markdown.read_text()
    assert AT_A_GLANCE in text and "average rank over these columns" not in text
    three = asked(tmp_path / "b", *((name, "expression", "linear") for name in ("x", "y", "z")))
    assert "Rows by their average rank over these columns." in run.render(answered(three)).markdown.read_text()


def test_the_feature_that_was_read_is_told(tmp_path):
    plain = run.render(answered(asked(tmp_path / "a", ("fer2013", "expression", "linear"))))
    assert "Every model is read by the feature that its method chooses itself, frozen" in plain.markdown.read_text()
    staged = run.render(answered(asked(tmp_path / "b", ("fer2013", "expression", "linear", True), stages=True)))
    for text in (staged.markdown.read_text(), staged.page.read_text()):
        assert "Every model is read by every stage of its encoder, or where that has none by the feature" in text


def test_terms_tell_what_components_are_fitted_on_and_who_sees_labels(tmp_path):
    fitted = "on at most 8 principal values, fitted on training faces"
    made = asked(tmp_path, ("a", "expression", "linear"), pca=8)
    assert terms(made)["Read-out"].endswith(fitted)
    made = asked(tmp_path, ("a", "expression", "linear"), ("a", "retrieval", ""), pca=8)
    assert (
        f"{fitted} (where features are compared whitened by 0.7, and if the set has no training split, on"
        in terms(made)["Read-out"]
    )
    faces = Unlabelled(Path("none"), "faces", "f" * 64, 48, "train")
    for names, told in ((("pcl",), "without their labels"), (("pcl", "supervised"), "their labels but for supervised")):
        assert terms(replace(made, unlabelled=faces, entries=entries(names)))["Learned from"].endswith(told)


@pytest.mark.parametrize("methods", [("simclr",), ("simclr", "supervised")])
def test_a_set_learned_from_as_a_whole_is_told_of_truly(tiny_faces, tmp_path, methods):
    from conftest import tiny_records
    from vultus.faces.faceset import write

    records = [replace(one, labels={k: v for k, v in one.labels.items() if k != "split"}) for one in tiny_records(60)]
    write(records, tmp_path / "whole", source="tests", licence="CC0")
    given = {"faces": tmp_path / "whole", "settings": ("encoder=small", "batch=8"), "size": 32}
    (remark,) = plan(
        BenchmarkConfig((str(tmp_path / "whole"),), methods, out=tmp_path / "b", tasks=("expression",), **given)
    ).remarks
    assert ("without labels but for supervised" in remark) is ("supervised" in methods)
