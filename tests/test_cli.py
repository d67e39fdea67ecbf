"""Every command end to end on small data, as a user types it."""

import json
import shutil
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest

from conftest import jpeg
from vultus import cli
from vultus.faces.readers import READERS
from vultus.methods.catalogue import METHODS
from vultus.methods.model import load
from vultus.recipes import recipe

TINY = ["--size", "32", "--batch", "8", "--epochs", "1", "--hidden", "8", "--projection", "8", "--precision", "fp32"]


@pytest.fixture(scope="module")
def run(tiny_faces, tmp_path_factory):
    """A finished PCL run."""
    out = tmp_path_factory.mktemp("runs") / "pcl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vultus", "pretrain", "pcl", str(tiny_faces), "--out", str(out), *TINY])
        cli.main()
    return out


def test_help_names_every_command(say):
    text = say("--help")
    for command in (
        "pack",
        "curate",
        "search",
        "synthesise",
        "forget",
        "pretrain",
        "evaluate",
        "disentangle",
        "benchmark",
        "embed",
        "report",
        "demo",
    ):
        assert command in text


@pytest.mark.parametrize(
    "command",
    ["pack", "curate", "synthesise", "forget", "evaluate", "disentangle", "benchmark", "embed", "report", "demo"],
)
def test_help_of_a_command_explains_each_flag(say, command):
    text = say(command, "--help")
    assert "usage: vultus " + command in text
    flags = [line for line in text.splitlines() if line.startswith("│ --")]
    assert all(len(line.split()) > 4 or "{" in line for line in flags)


def test_pretrain_help_lists_recipes_and_every_setting(say):
    assert "pcl-paper" in say("pretrain", "--help")
    text = say("pretrain", "pcl", "--recipe", "pcl-paper", "--help")
    for flag in ("--temperature", "--whole-part", "--lr", "--minutes", "--probe"):
        assert flag in text
    assert "default: attentive" in text  # the recipe decides the defaults


def test_pack_keeps_good_pictures_and_lists_bad_ones(say, tmp_path):
    for name in ("angry", "happy"):
        (tmp_path / "src" / name).mkdir(parents=True)
        (tmp_path / "src" / name / "0.jpg").write_bytes(jpeg(np.full((16, 16, 3), len(name) * 20, np.uint8)))
    (tmp_path / "src" / "happy" / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    text = say("pack", tmp_path / "src", tmp_path / "set", "--label", "expression", "--reader", "folder")
    assert "2 faces" in text and "1 skipped" in text and "happy/torn.jpg" in text
    card = json.loads((tmp_path / "set" / "card.json").read_text())
    assert card["faces"] == 2


def test_pack_names_every_reader_and_hands_options_to_theirs(say, tmp_path):
    text = say("pack", "--help")
    assert all(name in text for name in READERS)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "0.jpg").write_bytes(jpeg(np.full((16, 16, 3), 20, np.uint8)))
    for flag, option in ((["--published-split"], "published_split"), (["--every", "2"], "every")):
        text = say("pack", tmp_path / "src", tmp_path / "set", *flag, code=2)
        assert f"reader folder has no option {option}" in text
    text = say("pack", tmp_path / "src", tmp_path / "set", "--reader", "mtlf", code=2)
    assert "reader is auto or one of" in text and "'mtlf'" in text


def test_a_run_resumes_by_the_same_command_and_refuses_another(say, run, tiny_faces):
    assert "already finished" in say("pretrain", "pcl", tiny_faces, "--out", run, *TINY)
    text = say("pretrain", "pcl", tiny_faces, "--out", run, *TINY, "--lr", "0.5", code=2)
    assert "vultus: error:" in text and "lr: 0.003 → 0.5" in text


def test_evaluate_prints_a_table_and_keeps_the_figures(say, run, tiny_faces, tmp_path):
    text = say("evaluate", run, "--data", tiny_faces, "--task", "expression", "--markdown", tmp_path / "t.md")
    for word in ("shared", "face+pose", "chance", "expression"):
        assert word in text
    kept = json.loads((run / "evaluation.json").read_text())
    assert {f["feature"] for f in kept} == {"shared", "face", "pose", "face+pose"}
    assert (tmp_path / "t.md").read_text().startswith("| method |")
    again = len(json.loads((run / "evaluation.json").read_text()))
    say("evaluate", run, "--data", tiny_faces, "--task", "expression")
    assert len(json.loads((run / "evaluation.json").read_text())) == again


def test_mirrored_reading_leaves_out_what_a_mirror_changes(say, run, tiny_faces, tmp_path):
    say("evaluate", run, "--data", tiny_faces, "--task", "expression", "--mirrored", "--feature", "shared")
    assert "shared mirrored" in {f["feature"] for f in json.loads((run / "evaluation.json").read_text())}
    assert "mirror" in say("evaluate", run, "--data", tiny_faces, "--task", "pose_class", "--mirrored", code=2)
    say("embed", run, tiny_faces, "--out", tmp_path / "f.parquet", "--mirrored")
    assert pq.read_schema(tmp_path / "f.parquet").names == ["name", "shared mirrored"]


def test_tasks_and_baselines_are_chosen_by_name(say, run, tiny_faces, tmp_path):
    task = ("--data", tiny_faces, "--task", "expression,retrieval", "--feature", "shared")
    say("evaluate", run, *task, "--baselines", "hog,pixels")
    kept = {(f["method"], f["task"]) for f in json.loads((run / "evaluation.json").read_text())}
    assert {(name, task) for name in ("pixels", "hog") for task in ("expression", "retrieval")} <= kept
    assert not {"lbp", "random"} & {name for name, _ in kept}
    assert "no baseline sift; there are random, untrained, pixels" in say(
        "evaluate", run, *task, "--baselines", "hog,sift", code=2
    )
    plan = ("benchmark", "--data", tiny_faces, "--tasks", "expression", "--out", tmp_path / "b", "--dry-run")
    text = say(*plan, "--baselines", "--pca", "8")
    assert all(name in text for name in ("pixels", "lbp", "hog", "dictionary"))
    text = say(*plan, "--baselines", "lbp")
    assert "lbp" in text and "hog" not in text


def test_evaluate_names_the_labels_a_task_lacks(say, run, tiny_faces):
    assert "yaw" in say("evaluate", run, "--data", tiny_faces, "--task", "head_pose", code=2)


def test_evaluate_reads_what_it_can_and_says_what_not(say, run, tiny_faces):
    text = " ".join(say("evaluate", run, "--data", tiny_faces).split())
    assert "identity is left out" in text and "expression" in text


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_command_and_its_model_loads(say, tiny_faces, tmp_path, name):
    flags = ["--encoder", "small", "--size", "32", "--batch", "8", "--epochs", "1", "--precision", "fp32"]
    assert "finished" in say("pretrain", name, tiny_faces, "--out", tmp_path / "run", *flags)
    model = load(tmp_path / "run")
    seen = model.features(np.zeros((2, 3, 40, 40), np.uint8))
    assert tuple(seen) == model.feature_names and model.default_feature in seen
    assert all(values.shape == (2, model.widths[feature]) for feature, values in seen.items())


def test_embed_writes_a_row_a_face(say, run, tiny_faces, tmp_path):
    say("embed", run, tiny_faces, "--out", tmp_path / "z.parquet", "--feature", "all")
    table = pq.read_table(tmp_path / "z.parquet")
    assert table.num_rows == 72 and table.column_names == ["name", "shared", "face", "pose", "face+pose"]
    assert len(table["shared"][0].as_py()) == 256 * 2 * 2


def test_embed_reads_a_plain_folder_too(say, run, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg(np.full((20, 30, 3), 80, np.uint8)))
    (tmp_path / "photos" / "b.jpg").write_bytes(b"not a picture")
    assert "1 skipped" in say("embed", run, tmp_path / "photos", "--out", tmp_path / "z.parquet")
    assert pq.read_table(tmp_path / "z.parquet")["name"].to_pylist() == ["a.jpg"]


def test_report_writes_a_page(say, run, tmp_path):
    say("report", run, "--out", tmp_path / "page.html")
    assert "<html" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pretrain", "nothing", "x", "--out", "y"], "no method 'nothing'"),
        (["pretrain", "pcl", "/no/such/set", "--out", "y"], "/no/such/set"),
        (["pretrain", "pcl", "x", "--out", "y", "--recipe", "simclr-cpu"], "not one of pcl"),
        (["evaluate", "/no/run", "--data", "x"], "/no/run"),
        (["report", "/no/run"], "/no/run"),
        (["pack", "/no/src", "y"], "/no/src"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(say, arguments, message):
    text = say(*arguments, code=2)
    assert message in " ".join(text.split()) and "Traceback" not in text


def test_bracketed_names_survive_in_errors(say, tmp_path):
    odd = tmp_path / "[bold]set"
    assert "[bold]set" in "".join(say("pretrain", "pcl", odd, "--out", tmp_path / "r", code=2).split("\n"))


def test_pack_and_forget_print_names_as_they_are(say, tmp_path):
    (tmp_path / "src").mkdir()
    for number, name in enumerate(("holiday [edited].jpg", "[b]:man:.jpg", "plain.jpg")):
        (tmp_path / "src" / name).write_bytes(jpeg(np.full((16, 16, 3), 20 * number, np.uint8)))
    (tmp_path / "src" / "torn [x] :b:.jpg").write_bytes(b"")
    out = tmp_path / "c[/b]" / "out"
    text = " ".join(say("pack", tmp_path / "src", out).split())
    assert f"3 faces in {out}, 1 skipped" in text and "skipped torn [x] :b:.jpg: empty file" in text
    text = " ".join(say("forget", out, "--name", "[[]b]*", "hol*", "[ab]*", "--dry-run").split())
    assert f"left in {out}" in text and "nothing matches '[ab]*'" in text
    assert "holiday [edited].jpg" in text and "[b]:man:.jpg" in text


def test_other_commands_print_paths_as_they_are(say, run, tiny_faces, tmp_path):
    odd = tmp_path / "[b]x[/] :b:"
    shutil.copytree(run, odd / "run")
    assert f"in {odd}/z.parquet" in " ".join(say("embed", run, tiny_faces, "--out", odd / "z.parquet").split())
    assert f"lies in {odd}/r.html" in " ".join(say("report", run, "--out", odd / "r.html").split())
    text = " ".join(say("pretrain", "pcl", tiny_faces, "--out", odd / "run", *TINY).split())
    assert f"lies in {odd}/run" in text
    assert f"listing the photographs of {odd}" in " ".join(say("curate", odd, tmp_path / "o", code=2).split())


def test_the_demo_goes_the_whole_way(say, monkeypatch, tmp_path):
    pytest.importorskip("vultus.faces.synthetic")
    try:
        from vultus.demo import synthetic_set
        from vultus.faces.synthetic.basis import load_basis

        load_basis()
    except ModuleNotFoundError as missing:
        pytest.skip(f"the head mesh is not installed: {missing}")
    small_of = partial(replace, encoder="small", hidden=16, projection=8)
    for name, small in {"READ": 16, "SIZE": 32, "BATCH": 16, "LEAST": 630, "ROUNDS": 1}.items():
        monkeypatch.setattr(f"vultus.demo.{name}", small)
    monkeypatch.setattr("vultus.demo.synthetic_set", partial(synthetic_set, identities=210))  # few faces, enough people
    monkeypatch.setattr("vultus.demo.recipe", lambda name: replace(recipe(name), method=small_of(recipe(name).method)))
    text = say("demo", "--out", tmp_path / "demo", "--faces", "630", "--minutes", "0.02")
    for word in ("pcl", "simclr", "random", "pixels", "lbp", "hog", "dictionary", "chance"):
        assert word in text
    assert (tmp_path / "demo" / "report.html").stat().st_size > 50_000
    assert "choose another --out" in say("demo", "--out", tmp_path / "demo", "--minutes", "1", code=2)
