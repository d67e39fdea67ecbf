"""Every formula against the slow loop of its docstring, written independently."""

import math

import pytest
import torch
import torch.nn.functional as F

from vultus.methods import losses


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
def test_pose_nce_is_the_loop(closed, shared):
    torch.manual_seed(3)
    anchor, positive = torch.randn(4, 5), torch.randn(4, 5)
    negatives = torch.randn(6, 5) if shared else torch.randn(4, 6, 5)
    expected = 0.0
    for i in range(4):
        s = math.exp(cosine(anchor[i], positive[i]) / 0.2)
        own = negatives if shared else negatives[i]
        below = sum(math.exp(cosine(anchor[i], n) / 0.2) for n in own) + (s if closed else 0)
        expected += -math.log(s / below) / 4
    assert losses.pose_nce(anchor, positive, negatives, 0.2, closed=closed).item() == pytest.approx(expected, rel=1e-4)


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
