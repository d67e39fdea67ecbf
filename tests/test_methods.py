"""What holds of every method, and what PCL's parts may and may not teach."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from method_parts import reached
from vultus.methods.catalogue import METHODS, build_method
from vultus.methods.method import Method
from vultus.methods.pcl import PCL, PCLConfig
from vultus.methods.supervised import Supervised
from vultus.training.config import RunConfig
from vultus.training.loop import Learner
from vultus.training.supply import Batch
from vultus.views import render_views

SIZE, BATCH = 32, 8


# smaller heads than the defaults, and what a supervised method would be told of a set
CHANGES = {
    "supervised": {"outputs": ("a", "b", "c"), "loss": "cross-entropy"},
    "dino": {"small_views": 2, "outputs": 32},
    "pros": {"small_views": 2, "prototypes": 32},
    "moco": {"queue": 64},
}


def config_of(name, **changes):
    return METHODS[name][0](**(CHANGES.get(name, {}) | changes))


def losses_of(method, seed=0, bf16=False):
    torch.manual_seed(seed)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    views = render_views(images, method.views(), seed=seed)
    if isinstance(method, Supervised):
        views["label"] = torch.arange(BATCH) % 3
    torch.manual_seed(seed)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        return method.losses(views)


def small_pcl(**changes):
    torch.manual_seed(0)
    return PCL(replace(PCLConfig(hidden=16, projection=8, pose_part=1.0, whole_part=1.0), **changes), SIZE)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("encoder", ["patches", "small", "vit", "vit_tiny_patch16_224"])
def test_a_method_answers_the_loop_and_the_evaluation(name, encoder):
    torch.manual_seed(0)
    method = build_method(config_of(name, encoder=encoder), SIZE)
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
    # of eight faces a quarter are two, whose batch norm magnifies every rounding: PCL's pose terms take all eight
    config = config_of(name, pose_part=1.0) if name == "pcl" else config_of(name)
    torch.manual_seed(0)
    method = build_method(config, SIZE)
    twin = deepcopy(method)  # a loss may change queues and centres
    exact, rough = losses_of(method), losses_of(twin, bf16=True)
    for key, value in exact.items():
        assert rough[key].item() == pytest.approx(value.item(), rel=0.1, abs=0.02)


@pytest.mark.parametrize("name", METHODS)
def test_a_resumed_learner_ends_bit_for_bit_like_the_unbroken_one(name, tmp_path):
    config = RunConfig(method=config_of(name, encoder="small"), size=SIZE, batch=BATCH, precision="fp32")
    images = torch.randint(0, 256, (3, BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.arange(BATCH) % 3 if name == "supervised" else None
    batches = [Batch(one, targets=labels) for one in images]
    unbroken, first, second = (Learner(config, 3, 1, "cpu") for _ in range(3))
    for batch in batches:
        unbroken.step(batch)
    for batch in batches[:2]:
        first.step(batch)
    first.save(tmp_path)
    second.restore(tmp_path)
    second.step(batches[2])
    resumed = second.method.state_dict()
    for key, value in unbroken.method.state_dict().items():
        assert torch.equal(value, resumed[key]), key


@pytest.mark.parametrize(
    ("name", "loss", "parts"),
    [
        ("simclr", "contrast", {"encoder", "head"}),
        ("byol", "prediction", {"online", "predictor"}),
        ("contrawarping", "prediction", {"online", "predictor"}),
        ("contrawarping", "warped", {"online", "predictor"}),
        ("moco", "contrast", {"query"}),
        ("dino", "distillation", {"student"}),
        ("pros", "distillation", {"student"}),
        ("pros", "mean_entropy", {"student"}),
        ("supervised", "label", {"encoder", "embed", "outputs"}),
    ],
)
def test_each_loss_teaches_what_the_paper_trains(name, loss, parts):
    torch.manual_seed(0)
    method = build_method(config_of(name, encoder="small"), SIZE)
    assert reached(method, losses_of(method)[loss]) == parts


@pytest.mark.parametrize("name", ["byol", "contrawarping", "moco", "dino", "pros"])
def test_the_copy_begins_equal_and_moves_by_one_minus_m(name):
    config = RunConfig(method=config_of(name, encoder="small", momentum=0.9), size=SIZE, batch=BATCH, precision="fp32")
    learner = Learner(config, 1000, 10, "cpu")
    (copy,) = learner.followers
    before = [p.clone() for p in copy.copy.parameters()]
    online = list(copy._online[0].parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, online, strict=True))
    learner.step(Batch(torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)))
    for old, new, target in zip(before, copy.copy.parameters(), online, strict=True):
        assert not new.requires_grad
        torch.testing.assert_close(new, old + 0.1 * (target - old), atol=1e-4, rtol=1e-3)


def test_moco_pushes_this_steps_keys_in_front():
    torch.manual_seed(0)
    method = build_method(config_of("moco", encoder="small", queue=20), SIZE)
    before = method.queue.rows.clone()
    losses_of(method)
    torch.testing.assert_close(method.queue.rows[BATCH:], before[: 20 - BATCH])
    torch.testing.assert_close(method.queue.rows[:BATCH].norm(dim=1), torch.ones(BATCH))


def test_moco_v3_predicts_both_ways_without_a_queue():
    torch.manual_seed(0)
    method = build_method(config_of("moco", encoder="small", version="v3"), SIZE)
    assert not hasattr(method, "queue")
    assert reached(method, losses_of(method)["contrast"]) == {"query", "predictor"}


def test_dino_takes_the_moving_mean_off_the_teachers_outputs():
    torch.manual_seed(0)
    method = build_method(config_of("dino", encoder="small", centre_momentum=0.75), SIZE)
    raw = torch.randn(6, 32)
    method.follow_centre(raw)
    torch.testing.assert_close(method.centre, 0.25 * raw.mean(0))


@pytest.mark.parametrize("name", ["dino", "pros"])
def test_small_crops_are_small_and_the_teacher_sees_large_ones_alone(name, monkeypatch):
    torch.manual_seed(0)
    method = build_method(config_of(name, encoder="small"), SIZE)
    seen = {"student": [], "teacher": []}
    for part, sizes in seen.items():
        module = getattr(method, part)
        monkeypatch.setattr(
            module, "forward", lambda x, sizes=sizes, f=module.forward: sizes.append(tuple(x.shape[::3])) or f(x)
        )
    losses_of(method)
    assert {side for _, side in seen["teacher"]} == {SIZE}
    assert {side for _, side in seen["student"]} == {SIZE, SIZE // 2}


def test_a_student_may_miss_patches_and_its_teacher_not():
    torch.manual_seed(0)
    method = build_method(config_of("pros", encoder="vit", drop=0.5), SIZE)
    tokens = {}
    for part in ("student", "teacher"):
        module = getattr(method, part)
        backbone = (module.copy if part == "teacher" else module).encoder.backbone
        backbone.blocks[0].register_forward_pre_hook(
            lambda _, inputs, part=part: tokens.update({part: inputs[0].shape[1]})
        )
    method.described(torch.rand(2, 3, SIZE, SIZE))
    method.student(torch.rand(2, 3, SIZE, SIZE))
    assert tokens == {"teacher": 17, "student": 9}  # a class token, and 16 patches of 8 px or half of them
    with pytest.raises(ValueError, match="no patches to drop"):
        build_method(config_of("pros", encoder="small", drop=0.5), SIZE)


def test_a_transformer_offers_its_class_token_and_a_convolution_does_not():
    pictures = torch.rand(2, 3, SIZE, SIZE)
    for encoder, names in (("vit", ["map", "mean", "class"]), ("small", ["map", "mean"])):
        found = build_method(config_of("pros", encoder=encoder), SIZE).eval().features(pictures)
        assert list(found) == names
        torch.testing.assert_close(found["mean"], found["map"].unflatten(1, (found["mean"].shape[1], -1)).mean(2))


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


def test_a_small_part_of_few_faces_can_still_be_told_apart():
    """Of one face alone a batch norm takes no statistics, and nothing is its negative."""
    method = small_pcl(pose_part=1 / 256, whole_part=1 / 256)
    assert all(view.count(4) >= 2 for view in method.views().values())
    assert all(torch.isfinite(loss) for loss in losses_of(method).values())


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
    before = method.past.rows.clone()
    losses_of(method)
    assert torch.equal(method.past.rows[BATCH:], before[: 12 - BATCH])
    assert not torch.equal(method.past.rows[:BATCH], before[:BATCH])


def test_pcl_names_the_four_features_of_the_paper():
    method = small_pcl().eval()
    found = method.features(torch.rand(2, 3, SIZE, SIZE))
    assert list(found) == ["shared", "face", "pose", "face+pose"]
    torch.testing.assert_close(found["face+pose"], found["face"] + found["pose"])


def test_flips_are_those_of_the_same_faces():
    views = small_pcl(pose="own", flips=3, pose_part=4 / BATCH).views()
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
