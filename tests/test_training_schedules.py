"""What goes from step to step: balance of the losses, learning rate, order of the faces, optimisers."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from vultus.methods.simclr import SimCLR, SimCLRConfig
from vultus.training.balancing import WeightAverage
from vultus.training.config import RunConfig
from vultus.training.optimisers import build_optimiser, rate_at
from vultus.training.seeding import schedule

SMALL = SimCLRConfig(hidden=8, projection=8)
RUN = RunConfig(method=SMALL, size=32, batch=8, epochs=4)


def test_dwa_is_the_formula_and_begins_with_ones():
    average = WeightAverage(("face", "pose"))
    for face, pose in ((4.0, 2.0), (3.0, 1.9)):
        assert average.weights() == {"face": 1.0, "pose": 1.0}
        average.observe([face - 1, pose])
        average.observe([face + 1, pose])
        average.end_epoch()
    r = (3 / 4, 1.9 / 2)
    below = math.exp(r[0] / 2) + math.exp(r[1] / 2)
    expected = {"face": 2 * math.exp(r[0] / 2) / below, "pose": 2 * math.exp(r[1] / 2) / below}
    assert average.weights() == pytest.approx(expected)
    assert average.weights()["pose"] > 1 > average.weights()["face"]  # the slower loss gets more


def test_the_rate_rises_then_falls_to_nothing():
    config = replace(RUN, lr=2.0, warmup=0.1)
    rates = [rate_at(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.2) and rates[9] == max(rates) == pytest.approx(2.0)
    assert all(a >= b for a, b in pairwise(rates[9:])) and rates[-1] < 0.01
    assert rates[55] == pytest.approx(1.0)


def test_every_epoch_shows_every_face_once_in_a_new_order():
    rows = list(schedule(20, 6, 9, seed=1))
    for epoch in range(3):
        seen = np.concatenate(rows[epoch * 3 : epoch * 3 + 3])
        assert len(set(seen.tolist())) == 18
    assert not np.array_equal(rows[0], rows[3])
    resumed = list(schedule(20, 6, 9, seed=1, start=5))
    assert all(np.array_equal(a, b) for a, b in zip(rows[5:], resumed, strict=True))


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "sgd", "lars"])
def test_optimisers_learn_and_leave_vectors_undecayed(optimiser):
    torch.manual_seed(0)
    config = replace(RUN, optimiser=optimiser, weight_decay=0.3)
    optim = build_optimiser(SimCLR(SMALL, 32), config)
    decayed, free = (g["params"] for g in optim.param_groups)
    assert [g["weight_decay"] for g in optim.param_groups] == [0.3, 0.0]
    assert all(p.ndim > 1 for p in decayed) and all(p.ndim <= 1 for p in free)
    line = torch.nn.Linear(4, 1)
    descend = build_optimiser(line, replace(config, lr=0.05, weight_decay=0.0))
    x = torch.randn(64, 4)
    errors = []
    for _ in range(60):
        error = (line(x) - x.sum(1, keepdim=True)).square().mean()
        descend.zero_grad()
        error.backward()
        descend.step()
        errors.append(error.item())
    assert errors[-1] < 0.5 * errors[0]
