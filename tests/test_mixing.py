"""Pre-training on several sets by weights: shares, labels, resuming, and what run.json says."""

import json
import os
import shutil
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import jpeg
from vultus import cli
from vultus.evaluation.measure import measure
from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record
from vultus.methods.fabnet import FAbNetConfig
from vultus.methods.model import load
from vultus.methods.simclr import SimCLRConfig
from vultus.methods.supervised import SupervisedConfig
from vultus.report.page import write_report
from vultus.training.adapting import adapted
from vultus.training.config import RunConfig
from vultus.training.loop import Learner
from vultus.training.run import pretrain
from vultus.training.seeding import mixed, schedule
from vultus.training.sources import learned_from, weights_in
from vultus.training.supply import supply
from vultus.views import LocalWarp, View

RUN = RunConfig(
    method=SimCLRConfig(encoder="small", hidden=16, projection=8),
    size=32, batch=8, epochs=2, save_every=3, log_every=1, precision="fp32",
)  # fmt: skip
PAIR = {"source": View(32), "target": View(32, partner=True)}


def grey(level):
    return jpeg(np.full((32, 32, 3), level, np.uint8))


def real():
    """40 faces of levels 0 … 78, of ten people; 32 to train on."""
    for i in range(40):
        labels = {"split": "test" if i % 5 == 4 else "train", "expression": ("sad", "happy")[i % 2]}
        yield Record(grey(2 * i), f"{i}.jpg", labels | {"identity": f"p{i // 4}", "landmarks": (0.5, 0.5) * 5})


def rendered():
    """30 faces of levels 130 … 246, no splits, of the same names of people."""
    for i in range(30):
        labels = {"yaw": float(i), "identity": f"p{i // 5}", "landmarks": (0.25, 0.25) * 68}
        yield Record(grey(130 + 4 * i), f"{i}.jpg", labels)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Their folders."""
    folder = tmp_path_factory.mktemp("sets")
    for name, records in (("real", real()), ("rendered", rendered())):
        write(records, folder / name, source="made by the tests", licence="CC0")
    return folder / "real", folder / "rendered"


@pytest.fixture(scope="module")
def mixture(sets):
    return learned_from(dict(zip(sets, (3.0, 1.0), strict=True)), RUN)


@pytest.mark.parametrize("weights", [(0.7, 0.3), (0.5, 0.5), (0.61, 0.38, 0.01)])
def test_every_batch_has_each_sets_share_and_the_mean_is_its_weight(weights):
    sizes, steps = (200, 90, 3)[: len(weights)], 600
    ends = np.cumsum(sizes)
    counts, seen = np.zeros((steps, len(weights)), int), Counter()
    for step, rows in enumerate(mixed(sizes, weights, 32, steps, seed=1)):
        assert len(set(rows.tolist())) == 32
        counts[step] = np.bincount(np.searchsorted(ends, rows, side="right"), minlength=len(weights))
        seen.update(rows.tolist())
    shares = 32 * np.array(weights)
    assert (counts >= np.floor(shares)).all() and (counts <= np.ceil(shares)).all()
    np.testing.assert_allclose(counts.mean(0), shares, atol=0.08)
    assert len(seen) == ends[-1]  # every face has its turn …
    for first, last, own in zip(ends - sizes, ends, counts.sum(0), strict=True):  # … about as often as its neighbours
        turns = np.array([seen[row] for row in range(first, last)])
        assert abs(turns - own / len(turns)).max() <= 6 + 0.1 * own / len(turns)


def test_the_order_is_a_function_of_seed_and_step_and_leaves_no_set_to_one_process():
    def rows(seed, start=0):
        return np.stack(list(mixed((50, 40), (0.6, 0.4), 16, 30, seed, start)))

    whole = rows(1)
    np.testing.assert_array_equal(whole, rows(1))
    np.testing.assert_array_equal(whole[11:], rows(1, start=11))
    assert (whole != rows(2)).any()
    halves = (whole < 50).reshape(30, 2, 8).mean((0, 2))
    assert abs(halves - 0.6).max() < 0.1


def test_one_set_keeps_its_order(sets):
    faces = learned_from(str(sets[0]), RUN)
    batches = list(supply(RUN, faces, 32, {"a": View(32)}).batches(RUN, 0, 6))
    for batch, rows in zip(batches, schedule(32, 8, 6, RUN.seed), strict=True):
        np.testing.assert_array_equal(batch.images.numpy(), faces.images(rows, 32))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("real:0.7,rendered", "'rendered' has no weight: a mixture is written SET:WEIGHT,SET:WEIGHT"),
        ("real:0.7,rendered:x", "'rendered:x' has no weight"),
        ("real:0.7,:0.3", "':0.3' has no weight"),
        ("real:0.7,", "'' has no weight"),
        ("real:nan,rendered:1", "'real:nan' has no weight"),
        ("real:0,rendered:1", "finite numbers above 0, got 0"),
        ("real:-1,rendered:1", "finite numbers above 0, got -1"),
        ("real:inf,rendered:1", "finite numbers above 0, got inf"),
        ("real:0.5,real:0.5", "real is named twice"),
        ("real:0.5,./real/../real:0.5", "the same set twice"),
        ("real:20,rendered:1,few:50", "few has 3 faces, fewer than its 6 of a batch of 8"),
    ],
)
def test_weights_that_make_no_mixture_are_explained(sets, tmp_path, monkeypatch, text, message):
    for path in sets:
        (tmp_path / path.name).symlink_to(path)
    write([Record(grey(i), str(i), {}) for i in range(3)], tmp_path / "few", source="tests", licence="CC0")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        learned_from(text, RUN)


def test_weights_are_normalised_and_a_folder_of_any_name_is_a_folder(sets, tmp_path, monkeypatch):
    text = ",".join(f"{path}:{weight}" for path, weight in zip(sets, (7, 3), strict=True))
    assert learned_from(text, RUN).weights == (0.7, 0.3)
    monkeypatch.chdir(tmp_path)
    Path("a:1,b:2").mkdir()
    assert weights_in("a:1,b:2") == Path("a:1,b:2")
    assert weights_in("no:where") == Path("no:where")


def test_a_mixture_knows_what_one_of_its_sets_knows(mixture):
    assert len(mixture) == 32 + 30  # the set without splits is learned from whole
    yaw, expression = mixture.labels("yaw"), mixture.labels("expression")
    assert np.isnan(yaw[:32]).all() and yaw[32:].tolist() == list(range(30))
    assert set(expression[:32]) == {"sad", "happy"} and set(expression[32:]) == {""}
    people = mixture.labels("identity")
    assert not set(people[:32]) & set(people[32:]) and len(set(people)) == 10 + 6
    with pytest.raises(ValueError, match="'landmarks' cannot be mixed: it is 10 numbers in real, 136 numbers in"):
        mixture.labels("landmarks")
    with pytest.raises(KeyError, match="no label 'age'"):
        mixture.labels("age")
    shown = mixture.sample(20, 32).mean((1, 2, 3))
    assert (shown < 100).sum() == 15


def test_batches_bring_partners_of_the_same_set_and_unknown_labels(mixture):
    config = replace(RUN, method=FAbNetConfig())
    people = dict(zip(mixture.images(range(62), 8).mean((1, 2, 3)).round(), mixture.labels("identity"), strict=True))
    batches = list(supply(config, mixture, 32, PAIR).batches(config, 0, 6))
    for batch in batches:
        mine, others = (side.float().mean((1, 2, 3)).round().tolist() for side in (batch.images, batch.partners))
        assert [people[m] for m in mine] == [people[o] for o in others]
    assert sum(int((batch.images.float().mean((1, 2, 3)) < 100).sum()) for batch in batches) == 6 * 6

    for target, unknown in (("expression", -1), ("head_pose", None)):
        learns = replace(RUN, method=adapted(SupervisedConfig(target=target), mixture))
        supplied = supply(learns, mixture, 32, {"a": View(32)})
        batch = next(supplied.batches(learns, 0, 1))
        known = np.array([b < 100 for b in batch.images.float().mean((1, 2, 3))]) == (target == "expression")
        missing = batch.targets.numpy() == unknown if unknown else np.isnan(batch.targets.numpy()[:, 0])
        np.testing.assert_array_equal(missing, ~known)


def test_landmarks_of_two_kinds_hinder_only_views_that_ask_for_them(mixture):
    assert supply(RUN, mixture, 32, {"a": View(32, (LocalWarp(),))}).landmarks is None
    with pytest.raises(ValueError, match="'landmarks' cannot be mixed"):
        supply(RUN, mixture, 32, {"a": View(32, (LocalWarp(at_landmarks=True),))})


@pytest.fixture(scope="module")
def unbroken(sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "run"
    return out, pretrain(RUN, dict(zip(sets, (0.75, 0.25), strict=True)), out, quiet=True)


def test_an_interrupted_mixed_run_ends_bit_for_bit_like_the_unbroken_one(sets, unbroken, tmp_path, monkeypatch):
    step = Learner.step

    def stopped(self, batch):
        if self.progress.step == 4:  # between two checkpoints
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch)

    text = f"{sets[0]}:3,{sets[1]}:1"
    monkeypatch.setattr(Learner, "step", stopped)
    assert pretrain(RUN, text, tmp_path / "run", quiet=True).status == "interrupted"
    monkeypatch.undo()
    assert pretrain(RUN, text, tmp_path / "run", quiet=True).status == "finished"
    ours, theirs = (load(out).method.state_dict() for out in (tmp_path / "run", unbroken[0]))
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


def test_run_json_states_the_parts_and_another_mixture_is_refused(sets, unbroken, tmp_path):
    out, result = unbroken
    plan = json.loads((out / "run.json").read_text())
    hashes = [FaceSet.open(sets[0]).where(split="train").content_hash, FaceSet.open(sets[1]).content_hash]
    assert [(part["weight"], part["faces"], part["count"]) for part in plan["parts"].values()] == [
        (0.75, hashes[0], 32), (0.25, hashes[1], 30),
    ]  # fmt: skip
    assert plan["parts_paths"] == [str(path) for path in sets] and plan["faces_path"] == str(sets[0])
    assert result.steps == 2 * (62 // 8)
    with pytest.raises(ValueError, match=r"(?s)faces: .*parts\.1\.weight: 0\.75 → 0\.5\n.*parts\.2\.weight"):
        pretrain(RUN, dict(zip(sets, (1, 1), strict=True)), out, quiet=True)
    with pytest.raises(ValueError, match="run of other settings"):
        pretrain(RUN, sets[0], out, quiet=True)
    moved = {shutil.copytree(path, tmp_path / path.name): w for path, w in zip(sets, (3, 1), strict=True)}
    assert pretrain(RUN, moved, out, quiet=True).status == "already finished"


def test_a_mixed_run_is_read_and_reported_like_any_other(sets, unbroken, tmp_path):
    out, _ = unbroken
    assert measure(out, sets[0], "expression")[0].n == 8
    page = write_report([out], tmp_path / "page.html", faces=FaceSet.open(sets[0])).read_text()
    assert "75 % real (32 faces) and 25 % rendered (30 faces), split train" in page


def test_the_command_mixes_and_a_probe_is_read(sets, tiny_faces, tmp_path, monkeypatch, capsys):
    flags = ["--encoder", "small", "--size", "32", "--batch", "8", "--epochs", "0.5", "--precision", "fp32"]
    asked = ["simclr", f"{sets[0]}:1,{sets[1]}:1", "--out", str(tmp_path / "run"), "--probe", str(tiny_faces)]
    monkeypatch.setattr(sys, "argv", ["vultus", "pretrain", *asked, *flags])
    cli.main()
    assert "finished" in capsys.readouterr().out
    events = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert any("knn" in event for event in events)
