"""What holds of every method, and what PCL's parts may and may not teach."""

from dataclasses import replace

import pytest
import torch

from vultus.methods.catalogue import METHODS, build_method
from vultus.methods.method import Method
from vultus.methods.pcl import PCL, PCLConfig
from vultus.views import render_views

SIZE, BATCH = 32, 8


def losses_of(method, seed=0, bf16=False):
    torch.manual_seed(seed)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    views = render_views(images, method.views(), seed=seed)
    torch.manual_seed(seed)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        return method.losses(views)


def small_pcl(**changes):
    torch.manual_seed(0)
    return PCL(replace(PCLConfig(hidden=16, projection=8, pose_faces=0, whole_faces=0), **changes), SIZE)


def reached(method, loss):
    """Top-level parts whose parameters get a gradient that is not zero."""
    method.zero_grad()
    loss.backward()
    moved = {n for n, p in method.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    return {n.split(".")[0] for n in moved}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("encoder", ["patches", "small", "vit_tiny_patch16_224"])
def test_a_method_answers_the_loop_and_the_evaluation(name, encoder):
    kind, _ = METHODS[name]
    torch.manual_seed(0)
    method = build_method(kind(encoder=encoder), SIZE)
    assert isinstance(method, Method)
    losses = losses_of(method)
    assert set(losses) <= set(method.weights) and set(method.balanced) <= set(losses)
    assert all(torch.isfinite(v) and v.ndim == 0 for v in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    features = method.eval().features(torch.rand(3, 3, SIZE, SIZE))
    assert method.default_feature in features
    assert all(f.shape[0] == 3 and f.ndim == 2 for f in features.values())


@pytest.mark.parametrize("name", METHODS)
def test_losses_under_bf16_stay_close_to_float32(name):
    torch.manual_seed(0)
    method = build_method(METHODS[name][0](), SIZE)
    exact = losses_of(method)
    rough = losses_of(method, bf16=True)
    for key, value in exact.items():
        assert rough[key].item() == pytest.approx(value.item(), rel=0.1, abs=0.02)


@pytest.mark.parametrize(
    ("loss", "parts"),
    [
        ("face", {"encoder", "to_face", "face_head"}),
        ("pose", {"encoder", "to_pose", "pose_head"}),
        ("reconstruction", {"encoder", "to_face", "to_pose", "decoder"}),
        ("orthogonality", {"encoder", "to_face", "to_pose"}),
    ],
)
def test_each_pcl_loss_teaches_its_branch_alone(loss, parts):
    method = small_pcl()
    assert reached(method, losses_of(method)[loss]) == parts


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reconstruct": False, "orthogonal": "off", "pose": "off"}, {"face"}),
        ({"orthogonal": "off", "pose": "off"}, {"face", "reconstruction"}),
        ({"pose": "off"}, {"face", "reconstruction", "orthogonality"}),
        ({"pose": "own", "flips": 3}, {"face", "reconstruction", "orthogonality", "pose"}),
        ({"pose": "queue", "queue": 32}, {"face", "reconstruction", "orthogonality", "pose"}),
    ],
)
def test_every_part_of_pcl_switches_off(changes, expected):
    assert set(losses_of(small_pcl(**changes))) == expected


def test_dwa_moves_two_weights_and_only_while_both_losses_are_there():
    assert small_pcl().balanced == ("face", "pose")
    assert small_pcl(balance=False).balanced == ()
    assert small_pcl(pose="off").balanced == ()


def test_the_decoder_is_asked_for_all_four_mixtures(monkeypatch):
    method = small_pcl(noise=0.0)
    asked = []
    monkeypatch.setattr(
        method, "decode", lambda face, pose: asked.append((face, pose)) or torch.zeros(32, 3, SIZE, SIZE)
    )
    maps = {k: torch.randn(BATCH, 256, 2, 2) for k in ("straight", "mirrored")}
    target = torch.rand(BATCH, 3, SIZE, SIZE)
    loss = method.disentangle(maps, target)["reconstruction"]
    f, g = method.to_face(maps["straight"]), method.to_face(maps["mirrored"])
    p, q = method.to_pose(maps["straight"]), method.to_pose(maps["mirrored"])
    faces, poses = asked[0]
    torch.testing.assert_close(faces, torch.cat([f, g, f, g]))
    torch.testing.assert_close(poses, torch.cat([p, p, q, q]))
    # an empty drawing misses s twice and ŝ twice, each by its mean
    assert loss.item() == pytest.approx(4 * target.mean().item(), rel=1e-5)


def test_the_queue_remembers_the_newest_flips_first():
    method = small_pcl(pose="queue", queue=12)
    before = method.past.clone()
    losses_of(method)
    assert torch.equal(method.past[BATCH:], before[: 12 - BATCH])
    assert not torch.equal(method.past[:BATCH], before[:BATCH])


def test_pcl_names_the_four_features_of_the_paper():
    method = small_pcl().eval()
    found = method.features(torch.rand(2, 3, SIZE, SIZE))
    assert list(found) == ["shared", "face", "pose", "face+pose"]
    torch.testing.assert_close(found["face+pose"], found["face"] + found["pose"])


def test_flips_are_those_of_the_same_faces():
    views = small_pcl(pose="own", flips=3, pose_faces=4).views()
    images = torch.rand(BATCH, 3, SIZE, SIZE)
    plain = {k: replace(v, photometry=()) for k, v in views.items()}
    seen = render_views(images, plain, seed=0)
    assert seen["flips"].shape[0] == 12
    torch.testing.assert_close(seen["flips"][::3], images[:4].flip(-1), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen["pose_0"], images[:4], atol=1e-4, rtol=0)


def test_views_are_the_same_under_autocast():
    images, views = torch.randint(0, 256, (4, 3, SIZE, SIZE), dtype=torch.uint8), small_pcl().views()
    exact = render_views(images, views, seed=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = render_views(images, views, seed=1)
    assert all(torch.equal(exact[k], inside[k]) for k in views)
