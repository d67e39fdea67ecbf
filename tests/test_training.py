"""The loop: resuming, refusing, failing safely."""

import errno
import json
import math
import multiprocessing
import os
import sys
import time
from dataclasses import replace

import pytest
import torch

from vultus.faces.faceset import FaceSet
from vultus.methods.moco import MoCo, MoCoConfig
from vultus.methods.model import load
from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.training import checkpoint
from vultus.training.config import RunConfig
from vultus.training.journal import read_lines
from vultus.training.loop import Learner, NonFiniteLossError
from vultus.training.run import pretrain
from vultus.training.supply import Batch

PCL_SMALL = PCLConfig(hidden=16, projection=8, pose_part=0.5, whole_part=0.5, pose="queue", queue=16)
RUN = RunConfig(
    method=PCL_SMALL, size=32, batch=8, epochs=4, save_every=5, log_every=1, probe_every=2.0, precision="fp32"
)


def weights(folder):
    return {k: v.clone() for k, v in load(folder).method.state_dict().items()}


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert torch.equal(value, b[key]), key


@pytest.fixture(scope="module")
def unbroken(tiny_faces, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken")
    return out, pretrain(RUN, tiny_faces, out, quiet=True)


def test_a_run_leaves_a_model_a_log_and_its_plan(unbroken, tiny_faces):
    out, result = unbroken
    assert (result.status, result.steps, result.faces_seen) == ("finished", 24, 192)
    assert load(out).feature_names == ("shared", "face", "pose", "face+pose")
    events = read_lines(out / "log.jsonl")
    assert [e["step"] for e in events if e["kind"] == "train"] == list(range(1, 25))
    assert all(math.isfinite(v) for e in events for k, v in e.items() if k != "kind")
    assert {"feature_std", "effective_rank"} <= result.probe.keys()
    assert (
        json.loads((out / "run.json").read_text())["faces"]
        == FaceSet.open(tiny_faces).where(split="train").content_hash
    )


def test_a_finished_run_says_so_and_stays_as_it_is(unbroken, tiny_faces):
    out, _ = unbroken
    before = (out / "model.safetensors").stat().st_mtime_ns
    assert pretrain(RUN, tiny_faces, out, quiet=True).status == "already finished"
    assert (out / "model.safetensors").stat().st_mtime_ns == before


def test_another_config_is_refused_with_the_fields_that_differ(unbroken, tiny_faces):
    changed = replace(RUN, lr=0.5, method=replace(PCL_SMALL, temperature=0.5))
    with pytest.raises(ValueError, match=r"(?s)lr: 0\.001 → 0\.5.*method\.temperature: 0\.07 → 0\.5"):
        pretrain(changed, tiny_faces, unbroken[0], quiet=True)


def test_parts_of_single_faces_and_a_queue_of_none_are_refused(tiny_faces, tmp_path):
    config = RunConfig(method=SimCLRConfig(encoder="small"), size=32, batch=8, accumulate=8, epochs=1)
    with pytest.raises(ValueError, match=r"8 does not divide into 1 processes × 8 parts of two faces"):
        pretrain(config, tiny_faces, tmp_path / "run", quiet=True)
    with pytest.raises(ValueError, match="a queue of negatives holds one row or more, got 0"):
        MoCo(MoCoConfig(encoder="small", queue=0), 32)


def test_too_few_faces_for_a_batch_are_explained(tiny_faces, tmp_path):
    with pytest.raises(ValueError, match="fewer than a batch of 64"):
        pretrain(replace(RUN, batch=64), tiny_faces, tmp_path / "run", quiet=True)


# processes forked from one that has loaded everything, so that they begin at once
OWN = multiprocessing.get_context("forkserver")
OWN.set_forkserver_preload(["vultus.training.run", "torch._dynamo"])


def run_alone(faces, out):
    """Pre-train in this process, whose exit code is 3 where it was interrupted."""
    torch.set_num_threads(1)
    sys.exit({"finished": 0, "interrupted": 3}[pretrain(RUN, faces, out, quiet=True).status])


def start(faces, out):
    process = OWN.Process(target=run_alone, args=(faces, out))
    process.start()
    return process


def wait_for_step(out, step):
    for _ in range(6000):
        if any(e["step"] >= step for e in read_lines(out / "log.jsonl")):
            return
        time.sleep(0.02)
    raise AssertionError("the run did not begin")


def test_a_run_killed_at_any_instant_ends_bit_for_bit_like_the_unbroken_one(unbroken, tiny_faces, tmp_path):
    out = tmp_path / "run"
    for step in (2, 9, 17):  # before, between and after checkpoints
        process = start(tiny_faces, out)
        wait_for_step(out, step)
        process.kill()
        process.join()
    assert not (out / "config.json").exists()
    assert pretrain(RUN, tiny_faces, out, quiet=True).status == "finished"
    logged = [e for e in read_lines(out / "log.jsonl") if e["kind"] == "train"]
    assert [e["step"] for e in logged] == list(range(1, 25))
    assert logged == [e for e in read_lines(unbroken[0] / "log.jsonl") if e["kind"] == "train"]
    assert_same_bits(weights(out), weights(unbroken[0]))


def test_a_run_whose_first_step_failed_leaves_the_folder_to_other_settings(tiny_faces, tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError("a batch of 8 is too large")

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", full)
        with pytest.raises(MemoryError):
            pretrain(RUN, tiny_faces, tmp_path, quiet=True)
    smaller = replace(RUN, batch=4, epochs=0.25)
    assert pretrain(smaller, tiny_faces, tmp_path, quiet=True).steps == 3
    assert json.loads((tmp_path / "run.json").read_text())["batch"] == 4
    with pytest.raises(ValueError, match="other settings"):
        pretrain(RUN, tiny_faces, tmp_path, quiet=True)


def test_sigterm_saves_and_the_run_goes_on_from_there(unbroken, tiny_faces, tmp_path):
    out = tmp_path / "run"
    process = start(tiny_faces, out)
    wait_for_step(out, 7)
    process.terminate()
    process.join(timeout=60)
    assert process.exitcode == 3
    saved = json.loads((out / "checkpoint.json").read_text())["step"]
    assert saved >= 7 and saved == max(e["step"] for e in read_lines(out / "log.jsonl"))
    pretrain(RUN, tiny_faces, out, quiet=True)
    assert_same_bits(weights(out), weights(unbroken[0]))


@pytest.fixture
def learner():
    return Learner(replace(RUN, method=SimCLRConfig(hidden=8, projection=8)), 10, 5, "cpu")


IMAGES = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_a_loss_that_is_not_finite_is_named_and_changes_no_weight(learner, monkeypatch):
    before = {k: v.clone() for k, v in learner.method.named_parameters()}
    monkeypatch.setattr(
        learner.method, "losses", lambda views: {"contrast": torch.tensor(float("nan"), requires_grad=True)}
    )
    with pytest.raises(NonFiniteLossError, match=r"contrast = nan at step 0"):
        learner.step(Batch(IMAGES))
    assert all(torch.equal(v, before[k]) for k, v in learner.method.named_parameters())


def test_a_full_disk_leaves_the_previous_checkpoint(learner, tmp_path, monkeypatch):
    learner.step(Batch(IMAGES))
    learner.save(tmp_path)
    kept = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    learner.step(Batch(IMAGES))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"step 2 .*No space left.*previous one is untouched"):
        learner.save(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == kept


def test_a_damaged_checkpoint_is_refused(learner, tmp_path):
    learner.save(tmp_path)
    path = next(tmp_path.glob("checkpoint-*.safetensors"))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="SHA-256"):
        learner.restore(tmp_path)


def test_a_checkpoint_brings_back_weights_moments_and_balance(tmp_path):
    def fresh():
        return Learner(replace(RUN, seed=3), 10, 2, "cpu")

    first = fresh()
    for _ in range(5):
        first.step(Batch(IMAGES))
    first.save(tmp_path)
    second = fresh()
    second.restore(tmp_path)
    assert second.progress.step == 5 and second.average == first.average
    assert first.average.weights() != {"face": 1.0, "pose": 1.0}
    for learner in (first, second):
        learner.step(Batch(IMAGES))
    assert_same_bits(first.method.state_dict(), second.method.state_dict())


def test_accumulated_parts_give_the_mean_gradient_of_the_parts():
    config = replace(RUN, method=SimCLRConfig(hidden=8, projection=8), accumulate=2)
    learner = Learner(config, 10, 5, "cpu")
    grads = []
    for part in range(2):
        learner._backward(Batch(IMAGES[part * 4 : part * 4 + 4]), part, {"contrast": 1.0})
        grads.append([p.grad.clone() for p in learner.method.parameters()])
    learner.method.zero_grad()
    twin = Learner(replace(config, accumulate=1), 10, 5, "cpu")
    twin._backward(Batch(IMAGES[:4]), 0, {"contrast": 1.0})
    for half, whole in zip(grads[0], twin.method.parameters(), strict=True):
        torch.testing.assert_close(2 * half, whole.grad, atol=1e-6, rtol=1e-4)


def test_a_time_budget_becomes_steps_once(tiny_faces, tmp_path):
    config = replace(RUN, method=SimCLRConfig(hidden=8, projection=8), minutes=0.01)
    result = pretrain(config, tiny_faces, tmp_path, quiet=True)
    plan = json.loads((tmp_path / "run.json").read_text())
    assert result.status == "finished" and result.steps == plan["steps"] >= 1
    assert pretrain(config, tiny_faces, tmp_path, quiet=True).status == "already finished"


def test_the_probe_reads_labels_and_keeps_the_best(tiny_faces, tmp_path):
    config = replace(RUN, method=SimCLRConfig(hidden=8, projection=8), probe=str(tiny_faces), probe_every=1.0)
    result = pretrain(config, tiny_faces, tmp_path, quiet=True)
    read = [e["knn"] for e in read_lines(tmp_path / "log.jsonl") if e["kind"] == "probe"]
    assert len(read) == 4 and result.probe["knn"] == read[-1]
    best = json.loads((tmp_path / "best" / "config.json").read_text())
    assert best["knn"] == max(read) and load(tmp_path / "best").name == "simclr"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 1}, "batch"),
        ({"accumulate": 3}, "multiple"),
        ({"epochs": 0}, "budget"),
        ({"warmup": 1.0}, "warmup"),
        ({"lr": 0.0}, "lr"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(RUN, **changes)


def test_a_torn_last_line_of_the_log_is_left_out(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 1, "kind": "train"}\n{"step": 2, "ki')
    assert read_lines(tmp_path / "log.jsonl") == [{"step": 1, "kind": "train"}]


def test_progress_survives_a_round_trip(tmp_path, learner):
    learner.progress = checkpoint.Progress(step=4, best=0.5, seconds=2.5)
    learner.save(tmp_path)
    learner.restore(tmp_path)
    assert (learner.progress.step, learner.progress.best, learner.progress.seconds) == (4, 0.5, 2.5)
