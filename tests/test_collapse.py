"""Signs of collapse while a run learns, and the schedule of weight decay."""

from dataclasses import replace

import pytest

from vultus.methods.simclr import SimCLRConfig
from vultus.training.config import RunConfig
from vultus.training.journal import read_lines
from vultus.training.loop import Learner
from vultus.training.optimisers import decay_at, schedule_groups
from vultus.training.run import pretrain
from vultus.training.watch import signs_of_collapse

RUN = RunConfig(method=SimCLRConfig(encoder="small", hidden=8, projection=8), size=32, batch=8, precision="fp32")


@pytest.mark.parametrize(
    ("figures", "sign"),
    [
        ({"feature_std": 0.01, "effective_rank": 40.0}, "the features collapse"),
        ({"feature_std": 0.8, "effective_rank": 1.5}, "the features collapse"),
        ({"feature_std": 0.8, "effective_rank": 40.0, "prototypes_used": 0.01}, "the prototypes collapse"),
        ({"feature_std": 0.8, "effective_rank": 40.0, "sharpness": 0.001}, "the targets are uniform"),
    ],
)
def test_every_kind_of_collapse_is_named(figures, sign):
    (found,) = signs_of_collapse(figures)
    assert found.startswith(sign)


def test_healthy_features_and_prototypes_raise_no_alarm():
    healthy = {"feature_std": 0.8, "effective_rank": 40.0}
    assert signs_of_collapse(healthy) == signs_of_collapse(healthy | {"prototypes_used": 0.9, "sharpness": 0.3}) == []


def test_a_collapse_stands_in_the_log_in_words(tiny_faces, tmp_path, monkeypatch):
    fallen = {"feature_std": 0.0, "effective_rank": 1.0}
    monkeypatch.setattr("vultus.training.run.watch_now", lambda *_: fallen)
    config = replace(RUN, epochs=1)
    assert pretrain(config, tiny_faces, tmp_path / "run", quiet=True).status == "finished"
    warnings = [e for e in read_lines(tmp_path / "run" / "log.jsonl") if e["kind"] == "warning"]
    assert warnings and all("the features collapse" in e["text"] for e in warnings)


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
