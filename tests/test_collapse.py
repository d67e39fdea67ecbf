"""Signs of collapse while a run learns, and the schedule of weight decay."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vultus.methods.byol import BYOLConfig
from vultus.methods.dino import DINOConfig
from vultus.methods.pros import ProS, ProSConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.training.config import RunConfig
from vultus.training.journal import read_lines
from vultus.training.loop import Learner
from vultus.training.optimisers import decay_at, schedule_groups
from vultus.training.run import pretrain
from vultus.training.signs import in_features, in_losses

RUN = RunConfig(method=SimCLRConfig(encoder="small", hidden=8, projection=8), size=32, batch=8, precision="fp32")


FALLEN, HEALTHY = {"feature_std": 0.0, "effective_rank": 1.0}, {"feature_std": 0.8, "effective_rank": 40.0}


def warnings(folder):
    return [(e["step"], e["text"]) for e in read_lines(folder / "log.jsonl") if e["kind"] == "warning"]


@pytest.mark.parametrize("figures", [{"feature_std": 0.01}, {"effective_rank": 1.5}])
def test_fallen_features_are_named(figures):
    (sign,) = in_features(HEALTHY | figures)
    assert sign.text.startswith("the features collapse")
    assert in_features(HEALTHY) == []


@pytest.mark.parametrize(
    ("settings", "losses", "told", "cures"),
    [
        (ProSConfig(), {"prototypes_used": 0.01}, "the prototypes collapse", {"--sinkhorn", "--entropy-weight"}),
        (DINOConfig(), {"prototypes_used": 0.01}, "the prototypes collapse", {"--centre-momentum"}),
        (ProSConfig(), {"sharpness": 0.001}, "the targets are uniform", {"--sharpening", "--temperature"}),
        (DINOConfig(), {"sharpness": 0.001}, "the targets are uniform", {"--teacher-temperature"}),
        (BYOLConfig(), {"projection_std": 0.01}, "the projections collapse", {"--momentum"}),
    ],
)
def test_signs_in_losses_are_named_with_settings_that_the_method_has(settings, losses, told, cures):
    (sign,) = in_losses(losses, settings)
    assert sign.text.startswith(told)
    named = {word.strip(",;") for word in sign.text.split() if word.startswith("--")}
    assert cures <= named
    assert all(hasattr(settings, flag[2:].replace("-", "_")) for flag in named - {"--lr"})
    assert in_losses({"prototypes_used": 0.9, "sharpness": 0.3, "projection_std": 0.9}, settings) == []


def test_a_collapse_stands_in_the_log_in_words_and_not_only_at_the_end(tiny_faces, tmp_path, monkeypatch):
    """A run of one epoch reads its probe once, at the end; a glance at a few faces comes before."""
    monkeypatch.setattr("vultus.training.observer.watch_now", lambda *_: FALLEN)
    config = replace(RUN, epochs=1)
    ended = pretrain(config, tiny_faces, tmp_path / "run", quiet=True)
    steps, texts = zip(*warnings(tmp_path / "run"), strict=True)
    assert steps == (max(ended.steps // 10, 1), ended.steps)
    assert all("the features collapse" in text for text in texts)


def test_fallen_prototypes_are_told_once_when_first_logged_and_again_when_read(tiny_faces, tmp_path, monkeypatch):
    monkeypatch.setattr("vultus.training.observer.watch_now", lambda *_: HEALTHY)
    monkeypatch.setattr("vultus.methods.distillation.prototypes_used", lambda _: torch.zeros(()))
    method = ProSConfig(encoder="small", hidden=8, projection=8, prototypes=8, small_views=1)
    ended = pretrain(replace(RUN, method=method, epochs=1, log_every=1), tiny_faces, tmp_path / "run", quiet=True)
    assert [step for step, _ in warnings(tmp_path / "run")] == [max(ended.steps // 10, 1), ended.steps]


class OnOnePrototype(nn.Module):
    """A teacher for whom every face is like prototype 2 of 32."""

    def forward(self, images):
        likeness = torch.full((len(images), 32), -0.05)
        likeness[:, 2] = 0.9
        return likeness + 0.01 * torch.randn_like(likeness)


@pytest.mark.parametrize("sinkhorn", [0, 3])
def test_balancing_does_not_hide_that_all_faces_fall_on_one_prototype(sinkhorn):
    method = ProS(ProSConfig(encoder="small", hidden=8, projection=8, prototypes=32, sinkhorn=sinkhorn), 32)
    method.teacher = OnOnePrototype()
    views = {name: torch.rand(16, 3, 32, 32) for name in ("large_0", "large_1")}
    logged = {k: float(v.detach()) for k, v in method.losses(views).items()}
    assert logged["prototypes_used"] < 0.02
    assert [sign.kind for sign in in_losses(logged, method.config)] == ["prototypes"]


def test_decay_follows_a_cosine_where_an_end_is_given():
    config = replace(RUN, weight_decay=0.04, weight_decay_end=0.4)
    assert [decay_at(step, 11, config) for step in (0, 5, 10)] == pytest.approx([0.04, 0.22, 0.4])
    assert {decay_at(step, 11, RUN) for step in range(11)} == {RUN.weight_decay}


def test_vectors_are_never_decayed():
    learner = Learner(RUN, 10, 5, "cpu")
    schedule_groups(learner.optimiser, 3, 10, replace(RUN, weight_decay=0.1, weight_decay_end=0.4))
    matrices, vectors = learner.optimiser.param_groups
    assert matrices["weight_decay"] > 0.1 and vectors["weight_decay"] == 0
    assert all(p.ndim > 1 for p in matrices["params"]) and all(p.ndim <= 1 for p in vectors["params"])
