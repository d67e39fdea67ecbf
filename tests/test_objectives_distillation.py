"""DINO and ProS: every named loss against slow loops over pairs of crops and over faces."""

import math

import numpy as np
import pytest
import torch

from objective_parts import FACES, agree, entropy, learned_weights, mean, pictures, rows, settled, softmax
from vultus.methods import distillation
from vultus.methods.dino import DINO, DINOConfig
from vultus.methods.pros import ProS, ProSConfig

SIZE, OUTPUTS = 32, 7


def crops(small):
    """Two large crops, and small ones of half the side."""
    return pictures("large_0", "large_1", size=SIZE) | pictures(*(f"small_{k}" for k in range(small)), size=SIZE // 2)


def dino(views, **changes):
    torch.manual_seed(0)
    config = DINOConfig(encoder="small", hidden=16, bottleneck=8, outputs=OUTPUTS, **changes)
    method = DINO(config, SIZE)
    return settled(method, views, method.teacher.copy)


def pros(views, **changes):
    torch.manual_seed(0)
    config = ProSConfig(encoder="small", hidden=16, projection=8, prototypes=OUTPUTS, **changes)
    method = ProS(config, SIZE)
    return settled(method, views, method.teacher.copy)


def crossed(target, distribution):
    return -sum(t * math.log(d) for t, d in zip(target, distribution, strict=True))


def signs_of(described):
    """The signs of collapse of these outputs of the teacher; their formulas have tests of their own."""
    rows_of_all = torch.tensor(np.array(described))
    kinds = ("prototypes_used", "sharpness")
    return {kind: getattr(distillation, kind)(rows_of_all).item() for kind in kinds}


@pytest.mark.parametrize("small", [0, 2])
@pytest.mark.parametrize("temperatures", [(0.1, 0.04), (0.4, 0.2)], ids=str)
def test_dino_is_the_loop_over_different_crops(small, temperatures):
    """Caron et al. 2020, algorithm 1: H(softmax((g_t − C)/τ_t), softmax(g_s/τ_s)), of all pairs but equal crops."""
    views = crops(small)
    student_tau, teacher_tau = temperatures
    method = dino(views, student_temperature=student_tau, teacher_temperature=teacher_tau)
    centre = method.centre.numpy().astype(np.float64)
    students = {k: [softmax(x / student_tau) for x in rows(v, method.student)] for k, v in views.items()}
    raw = {k: rows(views[k], method.teacher.copy) for k in ("large_0", "large_1")}
    teachers = {k: [softmax((x - centre) / teacher_tau) for x in raw[k]] for k in raw}
    each = []
    for seen, targets in teachers.items():
        for other, answers in students.items():
            if other != seen:
                each += [crossed(targets[i], answers[i]) for i in range(FACES)]
    assert len(each) == FACES * (2 + 2 * small) and np.abs(centre).max() > 0.05
    agree(method, views, {"distillation": mean(each)} | signs_of([t for k in teachers for t in teachers[k]]))


def test_dinos_centre_moves_after_it_was_taken_off_and_towards_the_teachers_own_outputs():
    views = crops(1)
    method = dino(views, centre_momentum=0.6)
    centre = method.centre.numpy().astype(np.float64)
    method.losses(views)
    seen = np.mean([*rows(views["large_0"], method.teacher.copy), *rows(views["large_1"], method.teacher.copy)], axis=0)
    np.testing.assert_allclose(method.centre.numpy(), 0.6 * centre + 0.4 * seen, atol=1e-4)


def balanced(described, rounds):
    """Each prototype given the same sum over faces, then each face the sum of 1, in turns."""
    table = [list(row) for row in described]
    for _ in range(rounds):
        for k in range(OUTPUTS):
            used = sum(row[k] for row in table)
            for row in table:
                row[k] /= used
        table = [[value / sum(row) for value in row] for row in table]
    return table


@pytest.mark.parametrize("small", [0, 2])
@pytest.mark.parametrize(("temperature", "sharpening", "rounds"), [(0.3, 0.25, 3), (0.5, 0.4, 1), (0.1, 0.5, 0)])
def test_pros_is_the_loop_over_the_students_crops(small, temperature, sharpening, rounds):
    """MSN (Assran et al. 2022), sect. 3: the teacher sees one crop, sharpened, then balanced; the student the rest."""
    views = crops(small)
    method = pros(views, temperature=temperature, sharpening=sharpening, sinkhorn=rounds)
    sharp = []
    for row in rows(views["large_0"], method.teacher.copy):
        powers = softmax(row / temperature) ** (1 / sharpening)
        sharp.append(powers / powers.sum())
    assert np.sum(sharp, axis=0).min() > 1e-10  # of a prototype without any use there is nothing to balance
    targets = balanced(sharp, rounds)
    students = {k: rows(v, method.student) for k, v in views.items() if k != "large_0"}
    answers = {k: [softmax(x / temperature) for x in v] for k, v in students.items()}
    together = np.mean([p for k in answers for p in answers[k]], axis=0)
    expected = {
        "distillation": mean(crossed(targets[i], answers[k][i]) for k in answers for i in range(FACES)),
        "mean_entropy": math.log(OUTPUTS) - entropy(together),
    }
    assert expected["mean_entropy"] > 1e-3
    agree(method, views, expected | signs_of(sharp))


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_signs_are_not_learned_from_and_uncertainty_of_the_mean_is_sought(weight):
    torch.manual_seed(0)
    assert learned_weights(DINO(DINOConfig(encoder="small"), SIZE)) == {"distillation": 1.0}
    method = ProS(ProSConfig(encoder="small", entropy_weight=weight), SIZE)
    assert learned_weights(method) == {"distillation": 1.0, "mean_entropy": weight}
