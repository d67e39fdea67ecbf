"""Every formula against the slow loop of its docstring, written independently."""

import math

import pytest
import torch
import torch.nn.functional as F

from vultus.methods import distillation, losses, margins


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def test_info_nce_is_the_loop():
    torch.manual_seed(0)
    a, b = torch.randn(5, 7), torch.randn(5, 7)
    views = torch.cat([a, b])
    expected = 0.0
    for i in range(10):
        j = (i + 5) % 10
        below = sum(math.exp(cosine(views[i], views[z]) / 0.3) for z in range(10) if z != i)
        expected += -math.log(math.exp(cosine(views[i], views[j]) / 0.3) / below) / 10
    assert losses.info_nce(a, b, 0.3).item() == pytest.approx(expected, rel=1e-5)


def test_info_nce_ignores_scale_and_order_and_falls_with_agreement():
    torch.manual_seed(1)
    a, b = torch.randn(6, 8), torch.randn(6, 8)
    order = torch.randperm(6)
    base = losses.info_nce(a, b, 0.2)
    assert torch.allclose(base, losses.info_nce(7 * a[order], 0.1 * b[order], 0.2), atol=1e-5)
    assert torch.allclose(base, losses.info_nce(b, a, 0.2), atol=1e-6)
    assert losses.info_nce(a, a, 0.2) < base


def test_mixed_info_nce_leaves_out_every_mix_that_holds_the_anchors_own_face(monkeypatch):
    torch.manual_seed(2)
    n, tau = 4, 0.5
    a, b = torch.randn(n, 6), torch.randn(n, 6)
    partner = torch.tensor([3, 6, 0, 5, 1, 7, 2, 4])
    weight = torch.linspace(0.1, 0.9, 8)[:, None]
    monkeypatch.setattr(losses.torch, "randperm", lambda *_, **__: partner)
    monkeypatch.setattr(losses, "_beta", lambda *_: weight)
    views = F.normalize(torch.cat([a, b]), dim=1)
    expected = 0.0
    for i in range(2 * n):
        near = math.exp(float(views[i] @ views[(i + n) % (2 * n)]) / tau)
        far = 0.0
        for z in range(2 * n):
            if z % n != i % n and int(partner[z]) % n != i % n:
                mixed = weight[z] * views[z] + (1 - weight[z]) * views[partner[z]]
                far += math.exp(float(views[i] @ mixed) / tau)
        expected += -math.log(near / (near + far)) / (2 * n)
    assert losses.info_nce(a, b, tau, 1.6).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_nce_is_the_loop(closed, shared):
    torch.manual_seed(3)
    anchor, positive = torch.randn(4, 5), torch.randn(4, 5)
    negatives = torch.randn(6, 5) if shared else torch.randn(4, 6, 5)
    expected = 0.0
    for i in range(4):
        s = math.exp(cosine(anchor[i], positive[i]) / 0.2)
        own = negatives if shared else negatives[i]
        below = sum(math.exp(cosine(anchor[i], n) / 0.2) for n in own) + (s if closed else 0)
        expected += -math.log(s / below) / 4
    assert losses.nce(anchor, positive, negatives, 0.2, closed=closed).item() == pytest.approx(expected, rel=1e-4)


def test_mixed_rows_lie_between_rows_of_the_same_face():
    torch.manual_seed(4)
    rows = torch.arange(3.0)[:, None, None] * 100 + torch.rand(3, 8, 5)
    mixed = losses.mix_rows(rows, 1.6)
    assert mixed.shape == rows.shape and not torch.equal(mixed, rows)
    for face in range(3):
        assert (mixed[face] >= rows[face].amin(0) - 1e-3).all() and (mixed[face] <= rows[face].amax(0) + 1e-3).all()
    assert torch.equal(losses.mix_rows(rows, 0.0), rows)


def test_orthogonality_dot_is_the_loop():
    torch.manual_seed(5)
    face, pose = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
    expected = sum(cosine(f.flatten(), p.flatten()) ** 2 for f, p in zip(face, pose, strict=True)) / 4
    assert losses.orthogonality_dot(face, pose).item() == pytest.approx(expected, rel=1e-5)


def test_orthogonality_correlation_is_the_mean_squared_entry_of_the_matrix():
    torch.manual_seed(6)
    face, pose = torch.randn(5, 4), torch.randn(5, 3)
    centred = [x - x.mean(0) for x in (face, pose)]
    f, p = (torch.stack([row / row.norm() for row in x]) for x in centred)
    entries = [sum(f[i, k] * p[i, m] for i in range(5)) ** 2 for k in range(4) for m in range(3)]
    assert losses.orthogonality_correlation(face, pose).item() == pytest.approx(float(sum(entries)) / 12, rel=1e-4)


def test_orthogonality_does_not_push_lengths():
    face, pose = torch.randn(6, 8, requires_grad=True), torch.randn(6, 8)
    losses.orthogonality_correlation(2 * face, pose).backward()
    torch.testing.assert_close(
        losses.orthogonality_correlation(face, pose), losses.orthogonality_correlation(9 * face, pose)
    )
    assert face.grad is not None and face.grad.abs().sum() > 0


def test_l1_is_the_mean_difference():
    assert losses.l1(torch.zeros(2, 3), torch.tensor([[1.0, -2, 3], [0, 0, 6]])).item() == 2.0


def test_formulas_keep_their_digits_under_autocast():
    torch.manual_seed(7)
    a, b = torch.randn(16, 32), torch.randn(16, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = losses.info_nce(a, b, 0.07)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, losses.info_nce(a, b, 0.07))


def test_cross_nce_is_the_loop():
    torch.manual_seed(8)
    query, keys, extra = torch.randn(4, 5), torch.randn(4, 5), torch.randn(4, 2, 5)
    expected = 0.0
    for i in range(4):
        s = math.exp(cosine(query[i], keys[i]) / 0.3)
        below = sum(math.exp(cosine(query[i], k) / 0.3) for k in keys)
        below += sum(math.exp(cosine(query[i], e) / 0.3) for e in extra[i])
        expected += -math.log(s / below) / 4
    assert losses.cross_nce(query, keys, 0.3, extra).item() == pytest.approx(expected, rel=1e-5)


def test_regression_is_the_squared_distance_of_unit_vectors():
    torch.manual_seed(9)
    a, b = torch.randn(5, 6), torch.randn(5, 6)
    expected = sum(float((x / x.norm() - y / y.norm()).square().sum()) for x, y in zip(a, b, strict=True)) / 5
    assert losses.regression(a, b).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("form", ["hinge", "triplet", "logistic", "infonce"])
def test_every_form_of_the_warped_negative_is_its_formula(form):
    torch.manual_seed(10)
    p, near, far = torch.randn(5, 6), torch.randn(5, 6), torch.randn(5, 6)
    m, tau, expected = 0.1, 0.3, 0.0
    for i in range(5):
        s, t = cosine(p[i], near[i]), cosine(p[i], far[i])
        expected += {
            "hinge": max(0, t - m),
            "triplet": max(0, t - s + m),
            "logistic": math.log(1 + math.exp((t - s) / tau)),
            "infonce": -math.log(
                math.exp(s / tau) / (sum(math.exp(cosine(p[i], z) / tau) for z in near) + math.exp(t / tau))
            ),
        }[form] / 5
    assert losses.away_from_warped(p, near, far, form, m, tau).item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("form", ["hinge", "triplet", "logistic", "infonce"])
def test_every_form_asks_more_the_nearer_the_warped_face_is(form):
    torch.manual_seed(11)
    p, near, other = torch.randn(6, 8), torch.randn(6, 8), torch.randn(6, 8)
    values = [losses.away_from_warped(p, near, p + k * other, form, 0.1, 0.3).item() for k in (0.1, 0.5, 2.0)]
    assert values[0] > values[1] > values[2]


def test_the_distillation_formulas_are_their_loops():
    torch.manual_seed(12)
    p, logits = torch.randn(4, 6).softmax(1), torch.randn(4, 6)
    q = logits.softmax(1)
    crossed = -sum(float(p[i, k]) * math.log(float(q[i, k])) for i in range(4) for k in range(6)) / 4
    assert distillation.cross_entropy(p, logits).item() == pytest.approx(crossed, rel=1e-5)
    powers = p.double() ** 4
    torch.testing.assert_close(
        distillation.sharpened(p, 0.25).double(), powers / powers.sum(1, keepdim=True), atol=1e-5, rtol=1e-4
    )
    mean = [float(p[:, k].mean()) for k in range(6)]
    entropy = -sum(m * math.log(m) for m in mean)
    assert distillation.mean_entropy_gap(p).item() == pytest.approx(math.log(6) - entropy, abs=1e-5)
    assert distillation.prototypes_used(p).item() == pytest.approx(min((math.exp(entropy) - 1) / 3, 1), rel=1e-4)


def test_sinkhorn_is_the_loop_and_balances():
    torch.manual_seed(13)
    p = (3 * torch.randn(8, 4)).softmax(1)
    q = p.double().tolist()
    for _ in range(3):
        sums = [sum(row[k] for row in q) for k in range(4)]
        q = [[v / s for v, s in zip(row, sums, strict=True)] for row in q]
        q = [[v / sum(row) for v in row] for row in q]
    torch.testing.assert_close(distillation.sinkhorn(p, 3).double(), torch.tensor(q).double(), atol=1e-5, rtol=1e-4)
    assert torch.equal(distillation.sinkhorn(p, 0), p)
    rare = torch.tensor([[1.0, 1e-20], [1.0, 2e-20]])
    torch.testing.assert_close(distillation.sinkhorn(rare, 1), torch.tensor([[0.6, 0.4], [3 / 7, 4 / 7]]))
    torch.testing.assert_close(distillation.sinkhorn(p, 50).sum(0), torch.full((4,), 2.0), atol=1e-3, rtol=0)


def test_projections_on_a_sphere_and_on_a_point_are_told_apart():
    torch.manual_seed(3)
    spread, point = torch.randn(4000, 32), torch.randn(1, 32).repeat(64, 1)
    assert distillation.projection_std(spread).item() == pytest.approx(1, abs=0.02)
    assert distillation.projection_std(point + 1e-3 * torch.randn(64, 32)).item() < 0.01
    few = torch.randn(5, 7).double()
    unit = few / few.norm(dim=1, keepdim=True)
    assert distillation.projection_std(few).item() == pytest.approx(
        float(unit.std(0, correction=0).mean()) * 7**0.5, rel=1e-5
    )


def test_the_signs_of_collapse_know_both_kinds():
    alike = torch.zeros(8, 16).index_fill(1, torch.tensor([3]), 1.0)
    uniform = torch.full((8, 16), 1 / 16)
    spread = torch.eye(16)
    assert distillation.prototypes_used(alike).item() == pytest.approx(0, abs=1e-5)
    assert distillation.prototypes_used(spread).item() == pytest.approx(1.0, rel=1e-3)
    half = torch.eye(64).repeat_interleave(2, 0)[:16]  # 16 faces on 8 of 64 prototypes
    assert distillation.prototypes_used(half).item() == pytest.approx(7 / 15, rel=1e-3)
    assert distillation.sharpness(uniform).item() == pytest.approx(0.0, abs=1e-5)
    assert distillation.sharpness(spread).item() == pytest.approx(1.0, abs=1e-5)


def angles(codes, classes):
    return [[math.acos(max(-1, min(1, cosine(x, c)))) for c in classes] for x in codes]


def test_arcface_adds_to_the_angle_of_the_own_class():
    torch.manual_seed(14)
    codes, classes, target = torch.randn(5, 7), torch.randn(3, 7), torch.tensor([2, 0, -1, 1, 1])
    found = margins.arcface(margins.cosines(codes, classes), target, 0.5)
    for i, row in enumerate(angles(codes, classes)):
        for k, theta in enumerate(row):
            own = k == target[i]
            expected = math.cos(theta + 0.5) if own and theta < math.pi - 0.5 else math.cos(theta)
            expected -= 0.5 * math.sin(0.5) if own and theta >= math.pi - 0.5 else 0
            assert found[i, k].item() == pytest.approx(expected, abs=1e-4)


def test_sphereface_multiplies_the_angle_and_falls_all_the_way():
    theta = torch.linspace(0.01, math.pi - 0.01, 200)
    found = margins.sphereface(theta.cos()[:, None], torch.zeros(200, dtype=torch.long), 4.0)[:, 0]
    assert (found.diff() < 1e-4).all()
    first = theta < math.pi / 4
    torch.testing.assert_close(found[first], (4 * theta[first]).cos(), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[-1], torch.tensor(-1.0 - 2 * 3), atol=1e-2, rtol=0)


def test_unknown_labels_teach_nothing():
    torch.manual_seed(15)
    logits = torch.randn(4, 3, requires_grad=True)
    margins.class_loss(logits, torch.tensor([1, -1, 2, -1])).backward()
    assert (logits.grad[[1, 3]] == 0).all() and (logits.grad[[0, 2]] != 0).any()
    assert margins.class_loss(logits, torch.full((4,), -1)).item() == 0
    values = torch.randn(2, 3, requires_grad=True)
    target = torch.tensor([[float("nan"), 0.2, 1.0], [0.0, float("nan"), 0.7]])
    for loss in (margins.binary_loss, margins.regression_loss):
        values.grad = None
        loss(values, target).backward()
        assert values.grad.isfinite().all()
        assert values.grad[0, 0] == 0 and values.grad[1, 1] == 0 and (values.grad != 0).sum() == 4


def test_label_losses_are_their_formulas():
    values, target = torch.tensor([[0.5, -2.0]]), torch.tensor([[1.0, 0.0]])
    binary = (math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(-2.0))) / 2
    assert margins.binary_loss(values, target).item() == pytest.approx(binary, rel=1e-5)
    assert margins.regression_loss(values, target).item() == pytest.approx((0.125 + 1.5) / 2, rel=1e-5)
