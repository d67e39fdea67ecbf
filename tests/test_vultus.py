"""vultus' parts: what each loss may teach, who is mirrored, and that fine detail does not give warped faces away."""

from dataclasses import replace

import pytest
import torch

from vultus.methods.losses import same_or_mirrored
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.views import render_views

SIZE, BATCH = 32, 8


def small(**changes):
    torch.manual_seed(0)
    config = VultusConfig(encoder="small", hidden=16, projection=8, prototypes=12, warped_faces=4)
    return Vultus(replace(config, **changes), SIZE)


def views_of(method):
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    return render_views(images, method.views(), seed=0)


def reached(method, loss):
    """Top-level parts whose parameters get a gradient that is not zero."""
    method.zero_grad()
    loss.backward(retain_graph=True)
    moved = {n for n, p in method.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    return {n.split(".")[0] for n in moved}


def test_each_loss_teaches_its_own_branch():
    method = small()
    losses = method.losses(views_of(method))
    face = {"encoder", "to_face", "face_head"}
    assert reached(method, losses["face"]) == reached(method, losses["warped"]) == face
    assert reached(method, losses["prototypes"]) == face | {"prototypes"}
    assert reached(method, losses["pose"]) == {"encoder", "to_pose", "pose_head"}


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ({"pose_weight": 0.0}, {"face", "warped", "prototypes"}),
        ({"warped_weight": 0.0}, {"face", "pose", "prototypes"}),
        ({"prototype_weight": 0.0}, {"face", "pose", "warped"}),
    ],
)
def test_a_term_of_weight_0_is_left_out(off, left):
    method = small(**off)
    losses = method.losses(views_of(method))
    assert set(losses) == set(method.weights) == left
    assert ("warped" in method.views()) == ("warped" in left)


def test_every_other_second_view_is_mirrored_and_pose_knows_it(monkeypatch):
    method = small()
    views, seen = views_of(method), {}
    method.encoder.register_forward_hook(lambda _, inputs, out: seen.update(images=inputs[0]))
    monkeypatch.setattr("vultus.methods.vultus.same_or_mirrored", lambda a, b, turned, tau: seen.update(turned=turned))
    method.losses(views)
    a, b, warped = seen["images"].split([BATCH, BATCH, 4])
    assert torch.equal(a, views["a"]) and torch.equal(warped, views["warped"])
    assert torch.equal(b[0::2], views["b"][0::2]) and torch.equal(b[1::2], views["b"][1::2].flip(-1))
    assert seen["turned"].tolist() == [False, True] * (BATCH // 2) + [False] * 4  # a warp leaves the pose as it was


def test_same_or_mirrored_is_the_loop():
    a, b = torch.randn(2, 6, 5)
    mirrored = torch.tensor([True, False, False, True, True, False])
    total = 0.0
    for one, other, turned in zip(a, b, mirrored, strict=True):
        cosine = (one @ other / one.norm() / other.norm()).item() / 0.3
        total += torch.tensor(1 + 2.718281828459045 ** (cosine if turned else -cosine)).log().item()
    assert same_or_mirrored(a, b, mirrored, 0.3).item() == pytest.approx(total / 6, rel=1e-5)


def test_a_face_drawn_to_its_warp_is_asked_for_more():
    method = small()
    a, b = torch.randn(2, 8, 8)
    near, far = method.warped_loss(a, b, a[:4]), method.warped_loss(a, b, -a[:4])
    assert near > far


def test_one_prototype_for_all_faces_costs_more_than_a_shared_description():
    method = small()
    apart = method.prototypes.directions.detach()[:BATCH]
    same = apart[:1].expand(BATCH, -1)
    assert method.prototype_loss(apart, apart) < method.prototype_loss(same, same)


@pytest.mark.parametrize("low", [8, 14, 20])
def test_fine_detail_does_not_tell_warped_faces_from_crops(low):
    """A crop is interpolated at random places as a warped crop is; see the same test of ContraWarping's views."""
    method = Vultus(VultusConfig(encoder="small", warped_faces=0), 48)
    noise = torch.rand(600, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    views = {k: replace(v, photometry=()) for k, v in method.views().items()}
    power = {}
    for name, out in render_views(noise, views, seed=3).items():
        spectrum = torch.fft.fft2(out - out.mean((2, 3), keepdim=True)).abs().square()
        power[name] = spectrum[:, :, low : 49 - low, low : 49 - low].mean((1, 2, 3))
    above = (power["warped"][:, None] > power["a"][None, :]).float().mean().item()
    assert abs(above - 0.5) < 0.07
