"""Fine-tuning: what it learns, what it keeps, what it must not see, and that it resumes."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

import vultus
from finetuning_faces import SIZE, small_run, spotted_set
from vultus.evaluation import action_units, classes, head_pose
from vultus.evaluation.kept import read_figures
from vultus.evaluation.probe import Probe, Reading
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import parts_of
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load_weights, method_of
from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.finetuner import learn
from vultus.training.finetuning.lesson import Lesson
from vultus.training.finetuning.network import Network
from vultus.training.finetuning.objectives import Classes
from vultus.training.finetuning.run import ON_TEST, READOUT, finetune
from vultus.training.finetuning.tuner import Tuner
from vultus.training.journal import read_lines

FEW = FinetuneConfig(epochs=2, batch=16, lr=1e-2, layer_decay=1.0, colour=0.0, precision="fp32", log_every=5)
OWN = " (epochs 2, batch 16, lr 0.01, layer decay 1.0, colour 0.0, precision fp32)"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return spotted_set(tmp_path_factory.mktemp("sets") / "spots")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def unbroken(run, faces, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "unbroken"
    return out, finetune(run, faces, out, FEW, quiet=True)


def weights(folder):
    return load_weights(folder, "a test")[1]


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert torch.equal(value, b[key]), key


# dark with a spot high on the left, and light with one low on the right
PICTURES = np.full((2, 3, 20, 20), [[[[40]]], [[[130]]]], np.uint8)
PICTURES[0, :, 4:9, 4:9] = PICTURES[1, :, 11:16, 11:16] = (
    230  # dark with a spot high on the left, light with one low on the right
)


def test_expression_is_learned_and_two_lines_predict_it(unbroken, run):
    out, result = unbroken
    accuracy, balanced = result.figures
    assert (result.status, accuracy.metric, balanced.metric) == ("finished", "accuracy", "balanced_accuracy")
    assert accuracy.value > 0.9 > accuracy.chance and accuracy.n == 16 and accuracy.scores is not None
    assert (accuracy.method, accuracy.feature, accuracy.dim) == ("simclr", "encoder", 256)
    assert accuracy.detail["readout"] == READOUT + OWN and accuracy.detail["epochs"] == 2
    assert (accuracy.detail["train"], accuracy.detail["chosen_by"]) == (64, 16)
    model = vultus.load_finetuned(out)
    said = model.predict(PICTURES)
    assert said.labels == ("left", "right") and said.names == ("left", "right")
    torch.testing.assert_close(said.probabilities.sum(1), torch.ones(2))
    kept = read_figures(run)
    assert [f.metric for f in kept if f.detail["readout"] == READOUT + OWN and f.task == "expression"] == [
        "accuracy",
        "balanced_accuracy",
    ]
    events = read_lines(out / "seed-0" / "log.jsonl")
    assert [e["epoch"] for e in events if e["kind"] == "validation"] == [1, 2]
    assert not list((out / "seed-0").glob("checkpoint*"))


def test_attributes_are_learned_where_they_are_known(run, faces, tmp_path):
    result = finetune(
        run, faces, tmp_path, replace(FEW, task="attributes", epochs=3, mixup=0.2, smoothing=0.1), quiet=True
    )
    mean = result.figures[0]
    assert mean.metric == "accuracy" and mean.detail["attributes"] == ["glasses", "smile"] and mean.value > 0.9
    glasses = next(f for f in result.figures if f.metric == "accuracy_glasses")
    assert glasses.n < 16 and glasses.scores is not None
    said = vultus.load_finetuned(tmp_path).predict(PICTURES)
    assert said.labels == (("glasses", "smile"), ())
    assert said.probabilities.shape == (2, 2)


def test_action_units_and_angles_and_landmarks_are_learned(run, faces, tmp_path):
    units = finetune(run, faces, tmp_path / "units", replace(FEW, task="action_units"), quiet=True)
    assert units.figures[0].metric == "f1" and units.figures[0].value > max(0.9, units.figures[0].chance)
    assert vultus.load_finetuned(tmp_path / "units").predict(PICTURES).labels == (("au06", "au12"), ())
    pose = finetune(run, faces, tmp_path / "pose", replace(FEW, task="head_pose", crop=1.0), quiet=True)
    assert pose.figures[0].metric == "mae" and pose.figures[0].value < 0.6 * pose.figures[0].chance
    angles = vultus.load_finetuned(tmp_path / "pose").predict(PICTURES)
    assert angles.names == ("yaw", "pitch", "roll") and (angles.values[0, :2] < angles.values[1, :2]).all()
    places = finetune(run, faces, tmp_path / "places", replace(FEW, task="landmarks"), quiet=True)
    nme = places.figures[0]
    assert nme.metric == "nme" and nme.value < 0.6 * nme.chance
    assert nme.detail["train"] == 64  # a face with an unknown point teaches the others
    said = vultus.load_finetuned(tmp_path / "places").predict(PICTURES)
    assert said.points.shape == (2, 5, 2) and (said.points[0, 2] < said.points[1, 2]).all()


def test_a_set_s_attributes_of_several_kinds_get_a_network_each(run, tmp_path):
    kinds = {"gender": lambda i, known: ("male", "female")[i % 2], "age": lambda i, known: 20.0 + 40 * known["yaw"]}
    data = spotted_set(tmp_path / "set", **kinds)
    config = replace(FEW, task="attributes", epochs=1)
    result = finetune(run, data, tmp_path / "all", config, quiet=True)
    assert {c.lesson for c in result.courses} == {"yes_no", "gender", "age"}
    assert result.figures[-1].metric == "mae_age"
    alone = finetune(run, data, tmp_path / "age", replace(config, label="age"), quiet=True)
    assert [f.metric for f in alone.figures] == ["mae_age"]
    with pytest.raises(ValueError, match=r"3 fine-tuned models.*seed-0/age"):
        vultus.load_finetuned(tmp_path / "all")
    assert vultus.load_finetuned(tmp_path / "all" / "seed-0" / "gender").predict(PICTURES).names == ("female", "male")


def test_annotators_votes_are_learned_as_a_majority_and_as_shares(run, tmp_path):
    votes = {"yes": (8.0, 2.0, *[0.0] * 8), "no": (3.0, 7.0, *[0.0] * 8)}
    data = spotted_set(tmp_path / "set", votes=lambda i, known: votes[known["smile"]])
    result = finetune(run, data, tmp_path / "out", replace(FEW, task="expression_votes"), quiet=True)
    assert [c.lesson for c in result.courses] == ["majority", "distribution"]
    found = {f.metric: f for f in result.figures}
    assert found["accuracy"].value > 0.9 > found["accuracy"].chance
    entropy = found["cross_entropy"].detail["annotators_entropy"]
    assert entropy < found["cross_entropy"].value < entropy + 0.2
    said = vultus.load_finetuned(tmp_path / "out" / "seed-0" / "distribution").predict(PICTURES)
    assert said.names[:2] == ("neutral", "happiness") and said.probabilities[0, 0] > 0.6 > said.probabilities[1, 0]


def cut_short(monkeypatch, at, how):
    """Let `how` happen after so many steps."""
    step, done = Tuner.step, []

    def counted(self, images, target):
        if len(done) == at:
            done.append(None)
            how()
        done.append(None)
        return step(self, images, target)

    monkeypatch.setattr(Tuner, "step", counted)


def test_what_was_killed_ends_bit_for_bit_like_the_unbroken(unbroken, run, faces, tmp_path, monkeypatch):
    def killed():
        raise KeyboardInterrupt

    cut_short(monkeypatch, 33, killed)  # between two checkpoints
    with pytest.raises(KeyboardInterrupt):
        finetune(run, faces, tmp_path, FEW, quiet=True)
    assert json.loads((tmp_path / "seed-0" / "checkpoint.json").read_text())["step"] == 20
    monkeypatch.undo()
    result = finetune(run, faces, tmp_path, FEW, quiet=True)
    assert result.status == "finished"
    assert_same_bits(weights(tmp_path / "seed-0"), weights(unbroken[0] / "seed-0"))
    assert [f.value for f in result.figures] == [f.value for f in unbroken[1].figures]


def test_a_signal_saves_at_once_and_the_same_command_goes_on(unbroken, run, faces, tmp_path, monkeypatch):
    cut_short(monkeypatch, 26, lambda: signal.raise_signal(signal.SIGTERM))
    result = finetune(run, faces, tmp_path, FEW, quiet=True)
    assert (result.status, result.figures) == ("interrupted", ())
    assert json.loads((tmp_path / "seed-0" / "checkpoint.json").read_text())["step"] == 27
    monkeypatch.undo()
    finetune(run, faces, tmp_path, FEW, quiet=True)
    assert_same_bits(weights(tmp_path / "seed-0"), weights(unbroken[0] / "seed-0"))


def test_a_finished_fine_tuning_says_so_and_another_s_folder_is_refused(unbroken, run, faces):
    out, first = unbroken
    again = finetune(run, faces, out, FEW, quiet=True)
    assert again.status == "already finished" and again.courses == first.courses
    assert [f.value for f in again.figures] == [f.value for f in first.figures]
    with pytest.raises(ValueError, match=r"(?s)other settings.*lr: 0\.01 → 0\.5.*scratch: False → True"):
        finetune(run, faces, out, replace(FEW, lr=0.5, scratch=True), quiet=True)


def test_labels_of_the_test_split_do_not_reach_the_weights(unbroken, run, tmp_path):
    other = {"left": "right", "right": "left"}
    strange = {"expression": lambda i, known: other[known["expression"]] if i % 6 == 5 else known["expression"]}
    data = spotted_set(tmp_path / "set", **strange)
    result = finetune(run, data, tmp_path / "out", FEW, quiet=True)
    assert result.figures[0].value < 0.1  # every test label is wrong
    assert_same_bits(weights(tmp_path / "out" / "seed-0"), weights(unbroken[0] / "seed-0"))


def test_the_epoch_that_reads_the_test_split_best_is_told_apart(unbroken, run, faces, tmp_path):
    result = finetune(run, faces, tmp_path, replace(FEW, best_test_epoch=True), quiet=True)
    both = {f.detail["readout"].removesuffix(OWN): f for f in result.figures if f.metric == "accuracy"}
    assert set(both) == {READOUT, ON_TEST} and "test split" in ON_TEST
    assert both[READOUT].value == unbroken[1].figures[0].value  # looking changes nothing
    events = [e for e in read_lines(tmp_path / "seed-0" / "log.jsonl") if e["kind"] == "validation"]
    assert both[ON_TEST].value == pytest.approx(max(e["test_score"] for e in events))
    assert "optimistic" in both[ON_TEST].detail["warning"]


def test_scores_are_told_as_the_tables_have_them(faces):
    lesson = lesson_of(FaceSet.open(faces), None)
    assert lesson.told(0.7123) == "accuracy 71.2 %"
    assert replace(lesson, measure=("mean error", " years")).told(-5.4321) == "mean error 5.43 years"


def lesson_of(faces, score):
    labels = faces.labels("expression")
    numbers = (labels == "right").astype(np.int64)
    return Lesson(Classes(("left", "right")), numbers, score, parts_of(faces, labels != "")[0])


def test_it_ends_without_gain_and_keeps_the_best(run, faces, tmp_path, monkeypatch):
    monkeypatch.setattr("vultus.training.finetuning.tuner.SHORTEST", 4)
    found = FaceSet.open(faces)
    card, _ = load_weights(run, "a test")
    scores, seen = [0.2, 0.7, 0.7, 0.6, 0.9, 0.9], []

    def scripted(truth, said):
        seen.append({k: v.clone() for k, v in tuner.kept.network.state_dict().items()})
        return scores[len(seen) - 1]

    lesson = lesson_of(found, scripted)
    network = Network(method_of(card), lesson.objective, SIZE, "map")
    tuner = Tuner(lesson, found, network, replace(FEW, epochs=6, patience=2, lr=1e-6), 0, "cpu", SIZE)
    losses = iter([3.0, 2.0, 2.5, 1.0, 1.0, 1.0])
    ask = tuner.ask
    tuner.ask = lambda *about: (ask(*about)[0], next(losses))  # between equal scores the loss decides
    learn(tuner, tmp_path, "scripted", quiet=True)
    assert (len(seen), tuner.progress.best, tuner.progress.best_epoch) == (4, 0.7, 2)
    assert_same_bits(tuner.kept.best.state_dict(), seen[1])
    assert not torch.equal(seen[1]["head.weight"], seen[3]["head.weight"])


def test_figures_are_those_of_a_linear_read_out_that_says_the_same(faces):
    found = FaceSet.open(faces)
    features = np.random.default_rng(0).normal(size=(len(found), 6)).astype(np.float32)
    features[:, 0] += found.labels("yaw") / 9
    features[:, 1] += found.labels("pitch") / 9

    class Linear:
        """A probe for each part, as a network would be."""

        def probe(self, part):
            own = Probe(features, part)
            own.detect_known = lambda names, yes, score: Reading(together(own, yes, score), {})
            return own

    def together(probe, yes, score):
        known = np.isfinite(yes)
        columns = []
        for k in range(yes.shape[1]):
            part = replace(probe.splits, train=rows(probe.splits.train, known[:, k]))
            part = replace(part, validation=rows(part.validation, known[:, k]))
            columns.append(Probe(features, part).detect(yes[:, k : k + 1] == 1, score)[0][:, 0])
        return np.stack(columns, 1)

    def rows(of, known):
        return of[known[of]]

    for evaluate in (
        lambda given: classes.classify(given, found, "expression", Protocol()),
        lambda given: head_pose.evaluate(given, found),
        lambda given: action_units.evaluate(given, found),
    ):
        for tuned, linear in zip(evaluate(Linear()), evaluate(features), strict=True):
            assert (tuned.metric, tuned.value, tuned.low, tuned.high, tuned.chance, tuned.n) == (
                linear.metric, linear.value, linear.low, linear.high, linear.chance, linear.n,
            )  # fmt: skip
            if linear.scores is not None:
                np.testing.assert_array_equal(tuned.scores.columns, linear.scores.columns)
