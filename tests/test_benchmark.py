"""The benchmark matrix: what is planned, that only the missing is done, and what its parts leave behind."""

import json
import sys
from dataclasses import replace

import pytest

from conftest import tiny_records
from vultus.benchmark import paces, pretraining, reading, run
from vultus.benchmark.config import BenchmarkConfig
from vultus.benchmark.entries import entries
from vultus.benchmark.expected import Rates, expected
from vultus.benchmark.planning import asked_for, plan, settings_of
from vultus.benchmark.words import terms
from vultus.faces.faceset import write
from vultus.methods.catalogue import method_name
from vultus.training import turns
from vultus.training.place import ASKED
from vultus.training.run import pretrain

TINY = ("encoder=small", "batch=8", "precision=fp32", "hidden=8", "projection=8")
EVALUATE = reading.evaluate


def planned(tiny_faces, out, methods=("simclr", "byol"), **more):
    given = {"faces": tiny_faces, "budget": "0.5e", "tasks": ("expression",), "seeds": 2, "size": 32, "settings": TINY}
    return plan(BenchmarkConfig((str(tiny_faces),), methods, out=out, **given | more))


@pytest.fixture
def in_process(monkeypatch):
    """Pre-trainings without processes: names the subjects that learned, and lets those in `broken` fail."""
    done, broken = [], set()

    def learn(made, subject):
        done.append(subject.words)
        subject.folder.mkdir(parents=True, exist_ok=True)
        (subject.folder / ASKED).write_text(json.dumps(asked_for(made, subject)))
        if subject.row in broken:
            return "no luck"
        pretrain(settings_of(made, subject), made.unlabelled.path, subject.folder, quiet=True)
        return ""

    monkeypatch.setattr(run, "learn", learn)
    monkeypatch.setattr(run, "timed", lambda made, entries, rounds, tell: {e.label: 100.0 for e in entries})
    return done, broken


@pytest.fixture
def asked(monkeypatch):
    """The tasks and models that were read, in order; `stop_at`: which reading is interrupted."""
    calls, stop_at = [], []

    def counted(model, faces, task, protocol, **options):
        if len(calls) in stop_at:
            stop_at.remove(len(calls))
            raise KeyboardInterrupt
        calls.append((model.name, task, protocol.readout, protocol.shots))
        return EVALUATE(model, faces, task, protocol, **options)

    monkeypatch.setattr(reading, "evaluate", counted)
    return calls, stop_at


def test_a_plan_lists_trainings_readings_and_what_no_set_can_serve(tiny_faces, tmp_path):
    wide = {"tasks": ("all",), "readout": ("linear", "knn"), "shots": (2,)}
    made = planned(tiny_faces, tmp_path / "b", **wide, baselines=("all",))
    learned = [s.words for s in made.subjects if s.kind == "learned"]
    assert learned == ["simclr, seed 0", "simclr, seed 1", "byol, seed 0", "byol, seed 1"]
    assert [s.row for s in made.subjects if s.kind == "baseline"] == ["random", "pixels", "lbp", "hog", "dictionary"]
    words = [q.words for q in made.questions]
    assert words[:2] == ["expression on tiny", "expression on tiny, shots 2"]
    assert "expression on tiny, knn, shots 2" in words
    assert any("identity on tiny: tiny: 4 people" in reason for reason in made.left_out)
    assert any("head_pose" in reason and "no such labels" in reason for reason in made.left_out)
    # a model learned here meets the draw of its own seed, a baseline all draws; all labels are read once
    few = [q for q in made.questions if q.shots]
    seeds = {s.words: [r.seed for r in made.readings(s) if r.question == few[0]] for s in made.subjects}
    assert seeds["simclr, seed 1"] == [1] and seeds["hog"] == [0, 1]
    assert all(r.seed == 0 for s in made.subjects for r in made.readings(s) if r.question.first)
    assert "4 pre-trainings (2 methods × 2 seeds), 0 finished" in run.overview(made)
    assert not (tmp_path / "b").exists()


def test_time_expected_comes_from_the_budget_and_from_what_was_measured(tiny_faces, tmp_path):
    made = planned(tiny_faces, tmp_path, budget="2m")
    assert 480 < expected(made, Rates()).seconds < 600 and expected(made, Rates()).readings == 4
    assert "not counting 4 readings of a kind not timed yet" in str(expected(made, Rates()))
    made = planned(tiny_faces, tmp_path, budget="10e")
    assert expected(made, Rates()).trainings == 4
    rates = Rates({"simclr": 4.8, "byol": 0.48}, {made.questions[0].key: 3.0})
    known = expected(made, rates)
    assert known.trainings == known.readings == 0
    assert known.seconds == pytest.approx(2 * 100 + 2 * 1000 + 4 * 15 + 4 * 3)
    more = planned(tiny_faces, tmp_path, budget="10e", readout=("linear", "knn"))
    again = expected(more, rates)
    assert again.seconds == pytest.approx(known.seconds + 4 * 3) and (again.readings, again.guessed) == (0, 4)
    assert str(again).endswith("38 min, 4 readings of it guessed from others")


def test_faces_are_read_with_their_mirror_images_where_these_have_the_same_answer(tiny_faces, tmp_path, in_process):
    made = planned(tiny_faces, tmp_path, ("simclr",), seeds=1, readout=("linear", "kernel"), mirrored=True)
    turned = {f"{q.task}, {q.readout}": q.mirrored for q in made.questions}
    assert turned == {"expression, linear": True, "expression, kernel": True}
    outcome = run.run(made)
    assert not outcome.failures
    (row,) = outcome.board.rows
    assert row.feature == "encoder" and {f.feature for f in row.cells.values()} == {"encoder mirrored"}
    text = outcome.markdown.read_text()
    assert "linear probe; linear probe of similarities (kernel); each face with its mirror image" in text
    plain = {q.key for q in planned(tiny_faces, tmp_path, ("simclr",), seeds=1).questions}
    assert not plain & {q.key for q in made.questions}  # neither takes the other's figures
    sided = tuple(replace(made.questions[0], task=task, mirrored=False) for task in ("head_pose", "landmarks"))
    told = terms(replace(made, questions=(*made.questions, *sided)))["Read-out"]
    assert "its mirror image but for head pose, landmarks" in told


def test_stages_are_read_of_encoders_that_have_them(tiny_faces, tmp_path, in_process):
    made = planned(tiny_faces, tmp_path, ("simclr:encoder=patches", "byol"), seeds=1, stages=True)
    outcome = run.run(made)
    assert not outcome.failures
    assert sorted(row.feature for row in outcome.board.rows) == ["encoder", "stages"]
    assert "of encoders that have them every stage" in outcome.markdown.read_text()
    plain = {q.key for q in planned(tiny_faces, tmp_path, ("byol",), seeds=1).questions}
    assert not plain & {q.key for q in made.questions}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ("nothing",)}, "no method 'nothing'"),
        ({"methods": ("fabnet",)}, "fabnet has no setting 'hidden=8'"),
        ({"methods": ("simclr:epochs=3",)}, "epochs is one for all methods"),
        ({"methods": ("simclr:optimiser=none",)}, "settings of simclr:optimiser=none are not understood"),
        ({"methods": ("simclr", "simclr")}, "simclr is given twice"),
        ({"methods": ()}, "nothing to read"),
        ({"faces": None}, "give --faces"),
        ({"budget": "4 days"}, r"minutes \(20m\), epochs \(4e\) or none, got '4 days'"),
        ({"tasks": ("smile",)}, "no task 'smile'"),
        ({"tasks": ("head_pose",)}, "no set can serve a task:\n  head_pose needs column yaw"),
        ({"settings": ("batch=64", *TINY[2:])}, "48 faces in split 'train', fewer than a batch of 64"),
        ({"shots": (0.0,)}, "shots is a whole number"),
        ({"baselines": ("hog", "sift")}, "no baseline sift"),
        ({"against": ("hog",)}, "no row 'hog' to compare with: there are simclr, byol"),
        ({"pca": 0}, "pca is a number of values from 1 on"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(tiny_faces, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        planned(tiny_faces, tmp_path / "b", **change)
    assert not (tmp_path / "b").exists()


def test_entries_take_recipes_and_settings():
    plain, paper, v3 = entries(["pcl", "pcl-paper", "moco:version=v3"], ["batch=64"])
    assert (plain.label, plain.encoder, plain.config.batch) == ("pcl", "patches", 64)
    assert (paper.method, paper.recipe, paper.encoder, paper.config.batch) == ("pcl", "pcl-paper", "attentive", 64)
    assert v3.config.method.version == "v3" and v3.flags == ("--batch", "64", "--version", "v3")
    assert v3.slug == "moco-version-v3"


def test_a_failing_method_is_noted_others_complete_and_only_the_missing_is_done_again(
    tiny_faces, tmp_path, in_process, asked
):
    (learned, broken), (calls, stop_at) = in_process, asked
    broken.add("byol")
    made = planned(tiny_faces, tmp_path / "b", seeds=1, readout=("linear", "knn"))
    stop_at.append(1)
    with pytest.raises(KeyboardInterrupt):
        run.run(made)
    assert (learned, len(calls)) == (["simclr, seed 0"], 1)
    heard: list[str] = []
    outcome = run.run(made, heard.append)
    assert learned == ["simclr, seed 0", "byol, seed 0"]  # simclr was not trained again
    assert [c[2] for c in calls] == ["linear", "knn"]  # nor read linearly again
    assert [(f.what, f.error) for f in outcome.failures] == [("byol, seed 0", "no luck")]
    assert any("byol, seed 0 failed: no luck" in line for line in heard)
    assert [row.label for row in outcome.board.rows] == ["simclr"]
    folder = made.subjects[0].folder
    assert not (folder / "features").exists()  # read, so no longer needed
    assert {f["metric"] for f in json.loads((folder / "evaluation.json").read_text())} >= {"accuracy"}
    assert "byol, seed 0: no luck" in outcome.markdown.read_text()
    broken.clear()
    again = run.run(made)
    assert not again.failures and learned[2:] == ["byol, seed 0"] and len(calls) == 4
    assert [row.label for row in again.board.rows] == ["simclr", "byol"]
    run.run(made)
    assert (len(learned), len(calls)) == (3, 4)


def test_a_failing_reading_is_noted_and_the_others_go_on(tiny_faces, tmp_path, in_process):
    made = planned(tiny_faces, tmp_path / "b", methods=("simclr",), seeds=1, shots=(40,), keep_features=True)
    outcome = run.run(made)
    assert [f.what for f in outcome.failures] == ["simclr, seed 0: expression on tiny, shots 40"]
    assert "40 labelled faces of angry asked for" in outcome.failures[0].error
    assert [m.shots for m in outcome.board.columns] == [None]
    assert (made.subjects[0].folder / "features").exists()


def test_runs_made_elsewhere_and_encoders_as_they_begin_stand_as_rows(tiny_faces, tmp_path, in_process):
    first = planned(tiny_faces, tmp_path / "a", methods=("simclr",))
    for subject in first.subjects:
        pretrain(settings_of(first, subject), tiny_faces, subject.folder, quiet=True)
    runs = [subject.folder for subject in first.subjects]
    made = planned(tiny_faces, tmp_path / "b", methods=("simclr",), seeds=1, budget="none", runs=runs, pca=6)
    outcome = run.run(made)
    assert [(r.label, r.note) for r in outcome.board.rows] == [
        ("simclr", "before its first step"), ("simclr-0.5e", "a run made elsewhere, simclr"),
    ]  # fmt: skip
    figure = next(iter(outcome.board.rows[1].cells.values()))
    assert figure.detail["seeds"] == 2 and figure.dim == 6
    assert not (runs[0] / "evaluation.json").exists()  # other people's folders stay as they are
    assert in_process[0] == []


def test_a_read_out_learned_on_one_set_is_tested_on_another(tiny_faces, tmp_path):
    write(tiny_records(60, seed=5), tmp_path / "other", source="tests", licence="CC0")
    given = {"faces": tiny_faces, "budget": "none", "seeds": 1, "size": 32, "settings": TINY, "tasks": ("expression",)}
    made = plan(BenchmarkConfig((f"{tiny_faces}:{tmp_path / 'other'}",), ("simclr",), out=tmp_path / "b", **given))
    (row,) = run.run(made).board.rows
    (figure,) = row.cells.values()
    assert figure.data == "tiny → other" and figure.n == 9  # the other's test faces
    with pytest.raises(ValueError, match="are all called tiny"):
        plan(BenchmarkConfig((str(tiny_faces),) * 2, ("simclr",), out=tmp_path / "b", **given))


def test_another_setting_in_the_same_folder_is_refused(tiny_faces, tmp_path):
    made = planned(tiny_faces, tmp_path, methods=("simclr",), seeds=1)
    folder = made.subjects[0].folder
    folder.mkdir(parents=True)
    (folder / "asked.json").write_text(json.dumps(asked_for(made, made.subjects[0])))
    planned(tiny_faces, tmp_path, methods=("simclr",), seeds=1)
    with pytest.raises(ValueError, match=r"other settings.*\n  batch: 8 → 4"):
        planned(tiny_faces, tmp_path, methods=("simclr",), seeds=1, settings=(TINY[0], "batch=4", *TINY[2:]))


def test_minutes_become_faces_by_paces_timed_in_turn(tiny_faces, tmp_path, monkeypatch, in_process):
    """Each sees what its pace makes of the minutes; one that comes later is measured against one that was there."""
    rates, order = {"simclr": 48.0, "byol": 24.0, "moco": 30.0}, []

    def rate(config, faces, seconds):
        order.append(method_name(config.method))
        return rates[order[-1]]

    monkeypatch.setattr(turns, "_pace", rate)
    budget = {"budget": "0.05m", "seeds": 1}
    first = run.run(planned(tiny_faces, tmp_path, **budget))
    assert order == ["simclr", "byol"] * 3 and not first.failures
    rates |= {name: value / 2 for name, value in rates.items()}  # the machine is half as quick by now
    run.run(planned(tiny_faces, tmp_path, ("simclr", "byol", "moco"), **budget))
    assert order[6:] == ["simclr", "moco"] * 3
    seen = [pretraining.cost(tmp_path / "runs" / f"{name}-0.05m-s0").faces for name in ("simclr", "byol", "moco")]
    assert seen == [144, 72, 88]  # of 144, 72 and 90, in whole batches of 8
    assert in_process[0] == ["simclr, seed 0", "byol, seed 0", "moco, seed 0"]


def test_a_pre_training_whose_pace_is_not_known_is_not_begun(tiny_faces, tmp_path, monkeypatch):
    def broken(config, faces, seconds):
        raise RuntimeError("no memory")

    monkeypatch.setattr(turns, "_pace", broken)
    told = []
    outcome = run.run(planned(tiny_faces, tmp_path, ("simclr",), budget="1m", seeds=1), told.append)
    assert any("simclr could not be timed: no memory" in line for line in told)
    assert "pace could not be timed" in outcome.failures[0].error and not [*(tmp_path / "runs").glob("*/run.json")]


def test_a_pre_training_runs_in_its_own_process_and_tells_what_it_took(tiny_faces, tmp_path, monkeypatch):
    monkeypatch.setattr(paces, "ROUNDS", 1)
    monkeypatch.setattr(paces, "SECONDS", 0.0)
    made = paces.paced(planned(tiny_faces, tmp_path, methods=("simclr",), seeds=1, budget="0.005m"), print)
    (subject,) = made.subjects
    assert pretraining.learn(made, subject) == "" and subject.trained
    cost = pretraining.cost(subject.folder)
    (rate,) = made.paces.values()
    assert cost.faces == max(0.3 * rate // 8, 1) * 8
    assert 0.1 < cost.memory < 8 and cost.wall > cost.seconds > 0 and cost.rank >= 1


def test_an_error_of_a_process_becomes_one_line(tiny_faces, tmp_path, monkeypatch):
    made = planned(tiny_faces, tmp_path, methods=("simclr",), seeds=1)
    for said, expected_line in (
        ("warning\\nvultus: error: too\\n  few faces\\n", "too few faces"),
        ("Traceback\\n  line 1\\nKilled: 9\\n", "Killed: 9"),
        ("", "the process ended with code 3"),
    ):
        script = f"import sys; sys.stderr.write('{said}'); sys.exit(3)"
        monkeypatch.setattr(pretraining, "command", lambda made, subject, s=script: [sys.executable, "-c", s])
        assert pretraining.learn(made, made.subjects[0]) == expected_line


def test_the_command_plans_runs_and_fails_aloud(say, tiny_faces, tmp_path, in_process):
    in_process[1].add("byol")
    out = tmp_path / "b"
    flags = ["benchmark", "--methods", "byol", "--faces", tiny_faces, "--data", tiny_faces, "--tasks", "expression"]
    flags += ["--budget", "0.5e", "--seeds", "1", "--size", "32", "--out", out, "--settings", ",".join(TINY)]
    text = say(*flags, "--dry-run")
    assert "1 pre-training (1 method × 1 seed), 0 finished" in text and not out.exists()
    assert "time expected: 15 s, not counting 1 reading of a kind" in text and "few steps of each method" in text
    text = say(*flags, code=1)
    assert "byol, seed 0: no luck" in text and (out / "benchmark.html").exists()
