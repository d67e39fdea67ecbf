"""`vultus finetune` end to end: folds, few labels, seeds, fresh weights, mistakes."""

from dataclasses import replace

import pytest

import vultus
from finetuning_faces import SPLITS, small_run, spotted_set
from vultus.evaluation.kept import read_figures
from vultus.faces.faceset import FaceSet
from vultus.report.results import Measure
from vultus.training.finetuning.config import FinetuneConfig
from vultus.training.finetuning.narrowed import Narrowed
from vultus.training.finetuning.run import SCRATCH, finetune

QUICK = ["--epochs", "1", "--batch", "16", "--precision", "fp32", "--colour", "0"]
CONFIG = FinetuneConfig(epochs=1, batch=16, precision="fp32", colour=0.0)


@pytest.fixture
def told(say):
    """Run the command; returns what it printed, as one line."""
    return lambda *arguments, code=0: " ".join(say(*arguments, code=code).split())


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return spotted_set(tmp_path_factory.mktemp("sets") / "spots")


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """Faces in two folds, without a split."""
    labels = {"fold": lambda i, known: str(i % 2), "split": lambda i, known: None}
    return spotted_set(tmp_path_factory.mktemp("sets") / "folded", count=64, **labels)


@pytest.fixture
def run(tmp_path):
    return small_run(tmp_path / "run", encoder="patches")


def test_seeds_are_shown_as_mean_and_deviation_beside_fresh_weights(told, run, faces, tmp_path):
    text = told("finetune", run, "--data", faces, "--out", tmp_path / "out", "--seeds", 2, "--shots", 10, *QUICK)
    for word in ("simclr", "encoder", "expression accuracy", "±", "(2 seeds)", "chance", "finished: 2 models"):
        assert word in text
    assert f"fine-tuned on {faces.name}" in text
    assert "already finished" in told(
        "finetune", run, "--data", faces, "--out", tmp_path / "out", "--seeds", 2, "--shots", 10, *QUICK
    )
    told("finetune", run, "--data", faces, "--out", tmp_path / "fresh", "--scratch", "--shots", 10, *QUICK)
    kept = [f for f in read_figures(run) if f.metric == "accuracy"]
    assert [(f.method, f.seed) for f in kept] == [("simclr", 0), ("simclr", 1), (SCRATCH, 0)]
    assert all(f.detail["shots"] == 10 and f.detail["train"] == 16 and f.detail["chosen_by"] == 4 for f in kept)
    assert kept[0].detail["epochs"] == 1 and (run / "scores").is_dir()


def test_the_best_test_epoch_stands_in_a_row_of_its_own(told, run, faces, tmp_path):
    text = told("finetune", run, "--data", faces, "--out", tmp_path / "out", "--best-test-epoch", *QUICK)
    assert "fine-tuned, epoch selected on the test split" in text


def test_other_settings_leave_the_figures_of_the_first(told, run, faces, tmp_path):
    told("finetune", run, "--data", faces, "--out", tmp_path / "slow", *QUICK, "--lr", "1e-6")
    told("finetune", run, "--data", faces, "--out", tmp_path / "quick", *QUICK, "--lr", "1e-2")
    kept = [f for f in read_figures(run) if f.metric == "accuracy"]
    common = "epochs 1, batch 16"
    assert [f.detail["readout"] for f in kept] == [
        f"fine-tuned ({common}, lr {lr}, colour 0.0, precision fp32)" for lr in ("1e-06", "0.01")
    ]
    assert len({Measure.of(f) for f in kept}) == 2


def test_a_set_with_folds_is_tested_on_each_or_on_one_alone(told, run, folded, tmp_path):
    text = told("finetune", run, "--data", folded, "--out", tmp_path / "all", *QUICK)
    assert "2 folds are fine-tuned one after another" in text and "2 models" in text
    whole = next(f for f in read_figures(run) if f.metric == "accuracy")
    assert whole.n == 64 and len(whole.detail["folds"]) == 2
    one = finetune(run, folded, tmp_path / "one", replace(CONFIG, fold="1"), quiet=True)
    assert one.figures[0].n == 32 and one.figures[0].data == "folded, fold 1"
    assert one.courses[0].train + one.courses[0].validation == 32
    assert len(read_figures(run)) == 4


def test_one_set_can_teach_and_another_test(run, faces, tmp_path):
    other = spotted_set(tmp_path / "other", count=48, seed=1, split=lambda i, known: None)
    result = finetune(run, faces, tmp_path / "out", CONFIG, test=other, quiet=True)
    assert result.figures[0].n == 48 and result.figures[0].data == "spots → other"
    assert result.courses[0].train == 64


def test_a_part_of_the_labels_can_be_asked_for(run, faces, tmp_path):
    few = replace(CONFIG, task="attributes", shots=0.25, flip=False)
    result = finetune(run, faces, tmp_path / "out", few, quiet=True)
    assert result.courses[0].train + result.courses[0].validation == 16
    assert result.over_seeds("accuracy").value == result.figures[0].value
    with pytest.raises(KeyError, match="no figure 'f1'"):
        result.over_seeds("f1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "label"], "--task label --label NAME"),
        (["--task", "label", "--label", "hat"], "no text label 'hat'; it has expression"),
        (["--task", "label", "--label", "yaw"], "no text label 'yaw'"),
        (["--task", "attributes", "--label", "hat"], "no label 'hat'"),
        (["--label", "smile"], "leave --label smile out"),
        (["--task", "pose_class"], "pose_class needs column pose; the set spots has"),
        (["--task", "head_pose", "--mixup", "0.2"], "not the numbers of head_pose"),
        (["--task", "landmarks", "--smoothing", "0.1"], "not the numbers of landmarks"),
        (["--task", "landmarks", "--pool", "mean"], "leave --pool out"),
        (["--fold", "3"], "it has a split of its own"),
        (["--shots", "1000"], "ask fewer"),
        (["--lr", "0"], "lr must be above 0"),
        (["--smoothing", "2"], "smoothing lies in 0…1"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(told, run, faces, tmp_path, arguments, message):
    text = told("finetune", run, "--data", faces, "--out", tmp_path / "out", *QUICK, *arguments, code=2)
    assert message in text and "Traceback" not in text


def test_after_a_mistake_the_folder_is_free(told, run, faces, tmp_path):
    told("finetune", run, "--data", faces, "--out", tmp_path / "out", *QUICK, "--shots", 1000, code=2)
    assert "finished" in told("finetune", run, "--data", faces, "--out", tmp_path / "out", *QUICK)


def test_a_model_of_the_other_kind_is_told_how_to_load(run, faces, tmp_path):

    finetune(
        run, faces, tmp_path / "out", FinetuneConfig(**vars(CONFIG) | {"task": "label", "label": "smile"}), quiet=True
    )
    with pytest.raises(ValueError, match="load_finetuned"):
        vultus.load(tmp_path / "out" / "seed-0")
    with pytest.raises(ValueError, match="not fine-tuned"):
        vultus.load_finetuned(run)
    with pytest.raises(FileNotFoundError, match="vultus finetune"):
        vultus.load_finetuned(tmp_path / "nothing")


def test_a_fold_is_a_split_and_a_label_hides_the_others(folded, faces):
    fold = Narrowed(FaceSet.open(folded), fold="0")
    assert set(fold.labels("split")[fold.labels("fold") == "0"]) == {"test"}
    assert set(fold.labels("split")[fold.labels("fold") == "1"]) == {"train"}
    alone = Narrowed(FaceSet.open(faces), label="smile")
    assert set(alone.columns) == {"split", "smile"} and len(alone) == 96
    assert set(FaceSet.open(faces).labels("split")) == set(SPLITS)
    with pytest.raises(ValueError, match="it has 0, 1"):
        Narrowed(FaceSet.open(folded), fold="7")
