"""The methods that learn by drawing: formulas against slow loops, who learns from what, obvious cases."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import nn

from method_parts import reached
from vultus.methods import drawing
from vultus.methods.deformae import DeformAE, DeformAEConfig
from vultus.methods.fabnet import FAbNet, FAbNetConfig
from vultus.methods.facecycle import FaceCycle, FaceCycleConfig, remove, restore
from vultus.methods.splitbrain import SplitBrain, SplitBrainConfig
from vultus.methods.tcae import TCAE, TCAEConfig
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.nets.flow import FieldDecoder, points
from vultus.views import render_views

SIZE, BATCH = 16, 6
METHODS = {
    "fabnet": (FAbNet, FAbNetConfig(embedding=16)),
    "vultus": (Vultus, VultusConfig(hidden=16, projection=8, embedding=16, face_part=0.5)),
    "tcae": (TCAE, TCAEConfig(embedding=16)),
    "facecycle": (FaceCycle, FaceCycleConfig(embedding=16)),
    "splitbrain": (SplitBrain, SplitBrainConfig()),
    "deformae": (DeformAE, DeformAEConfig(appearance=4, deformation=16)),
}


def built(name, size=SIZE, **changes):
    kind, config = METHODS[name]
    torch.manual_seed(0)
    return kind(replace(config, **changes), size)


def smooth(count=BATCH, size=SIZE, channels=3, seed=0):
    """Pictures of a few soft waves, in 0…1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    return nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)


def losses_of(method, images=None, seed=0):
    torch.manual_seed(seed)
    return method.losses(render_views(smooth() if images is None else images, method.views(), seed=seed))


def still(method):
    """The method with every field at zero: all flows are the identity."""
    for module in method.modules():
        if isinstance(module, FieldDecoder):
            nn.init.zeros_(module.out.weight)
    return method


def test_total_variation_is_the_loop_and_does_not_depend_on_the_size():
    torch.manual_seed(2)
    fields = torch.randn(2, 2, 4, 6)
    x = [abs(float(f[r, c + 1] - f[r, c])) for f in fields.flatten(0, 1) for r in range(4) for c in range(5)]
    y = [abs(float(f[r + 1, c] - f[r, c])) for f in fields.flatten(0, 1) for r in range(3) for c in range(6)]
    expected = sum(x) / len(x) * 3 + sum(y) / len(y) * 2
    assert drawing.total_variation(fields).item() == pytest.approx(expected, rel=1e-5)
    for size in (8, 32):  # a stretch by a tenth along x, which half of the two channels show
        stretched = points(torch.zeros(1, 2, size, size)) * torch.tensor([0.1, 0.0]).view(1, 2, 1, 1)
        assert drawing.total_variation(stretched).item() == pytest.approx(0.05, rel=1e-4)


def test_blend_is_the_softmax_of_each_pixel():
    torch.manual_seed(3)
    flows, scores = torch.randn(2, 3, 2, 2, 2), torch.randn(2, 3, 2, 2)
    mixed = drawing.blend(flows, scores)
    for b, r, c in ((0, 0, 1), (1, 1, 0)):
        weights = [math.exp(float(s)) for s in scores[b, :, r, c]]
        for k in (0, 1):
            expected = sum(w * float(f) for w, f in zip(weights, flows[b, :, k, r, c], strict=True)) / sum(weights)
            assert mixed[b, k, r, c].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_the_small_formulas_are_their_loops():
    torch.manual_seed(4)
    flows, other = torch.randn(3, 2, 2, 4), torch.randn(3, 2, 2, 4)
    flat = flows.flatten().tolist()
    assert drawing.magnitude(flows).item() == pytest.approx(sum(map(abs, flat)) / len(flat), rel=1e-5)
    gaps = [(a - b) ** 2 for a, b in zip(flat, other.flatten().tolist(), strict=True)]
    assert drawing.squared(flows, other).item() == pytest.approx(sum(gaps) / len(gaps), rel=1e-5)
    mirrored = [abs(float(row[c] - row[3 - c])) for row in flows.reshape(-1, 4) for c in range(4)]
    assert drawing.asymmetry(flows).item() == pytest.approx(sum(mirrored) / len(mirrored), rel=1e-5)
    means = [sum(float(flows[i, k, r, c]) for i in range(3)) / 3 for k in (0, 1) for r in (0, 1) for c in range(4)]
    assert drawing.bias(flows).item() == pytest.approx(sum(m * m for m in means) / len(means), rel=1e-4)
    torch.testing.assert_close(drawing.batch_mean(flows).flatten(), torch.tensor(means))


def test_lab_is_that_of_scikit_image():
    torch.manual_seed(5)
    images = torch.rand(2, 3, 8, 8)
    images[0, :, 0] *= 0.02  # the straight pieces near black
    expected = rgb2lab(images.numpy().astype(np.float64).transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert np.abs(drawing.lab(images).numpy() - expected).max() < 0.1


def test_the_halves_of_a_picture_are_pictures_and_together_the_whole():
    images = 0.4 + 0.2 * smooth()  # colours that nothing cuts
    light, colour = drawing.lightness_and_colour(images)
    coarse, fine = drawing.coarse_and_fine(images, 4)
    for half in (light, colour, coarse, fine):
        assert half.shape == images.shape and half.min() >= 0 and half.max() <= 1
    torch.testing.assert_close(coarse + fine - 0.5, images, atol=1e-5, rtol=0)
    found = torch.stack([light[:, 0] * 100, (colour[:, 0] - 0.5) * 128, (colour[:, 1] - 0.5) * 128], 1)
    torch.testing.assert_close(found, drawing.lab(images), atol=1e-3, rtol=0)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    assert (drawing.lightness_and_colour(grey)[1] - 0.5).abs().max() < 1e-3
    assert (drawing.coarse_and_fine(grey, 4)[1] - 0.5).abs().max() > 1e-3


def test_what_a_person_adds_to_a_mean_face_can_be_taken_away_again():
    faces, person = smooth(2, 48), torch.zeros(2, 6, 48, 48)
    assert torch.allclose(remove(faces, person), faces, atol=1e-5)
    x, y = points(person).unbind(1)
    person[:, :2], person[:, 2], person[:, 3:] = (0.05 * (1 - x**2) * (1 - y**2))[:, None], 0.3, 0.1
    changed = remove(faces, person)
    assert (changed - faces).abs().mean() > 0.05
    assert (restore(changed, person) - faces).abs().mean() < 0.01


ALL = {"encoder", "to_action", "to_pose", "action_flow", "pose_flow"}
EXPRESSION, IDENTITY = {"encoder", "to_expression", "motion"}, {"encoder", "to_identity", "person"}
LEARNS = [
    ("fabnet", "reconstruction", {"encoder", "mover"}),
    ("vultus", "flow", {"encoder", "mover"}),
    ("vultus", "face", {"encoder", "face_head"}),
    ("tcae", "reconstruction", ALL),
    ("tcae", "cycle", ALL),
    ("tcae", "consistency", ALL),
    ("tcae", "sparsity", {"encoder", "to_action", "action_flow"}),
    ("facecycle", "motion", EXPRESSION),
    ("facecycle", "neutral", EXPRESSION),
    ("facecycle", "symmetry", EXPRESSION),
    ("facecycle", "mean", IDENTITY),
    ("facecycle", "identity", IDENTITY),
    ("facecycle", "reconstruction", EXPRESSION | IDENTITY),
    ("facecycle", "smoothness", EXPRESSION | IDENTITY),
    ("deformae", "reconstruction", {"encoder", "to_appearance", "to_deformation", "template", "steps", "to_affine"}),
    ("deformae", "smoothness", {"encoder", "to_deformation", "steps"}),
    ("deformae", "bias", {"encoder", "to_deformation", "steps", "to_affine"}),
    ("deformae", "affine", {"encoder", "to_deformation", "to_affine"}),
]


@pytest.mark.parametrize(("name", "loss", "parts"), LEARNS)
def test_each_loss_teaches_what_it_should_and_nothing_else(name, loss, parts):
    method = built(name, encoder="small")  # passes gradients to what it reads, as `patches` does not
    assert reached(method, losses_of(method)[loss]) == parts


def test_behind_a_patch_stem_consistency_teaches_the_codes_alone():
    method = built("tcae")
    assert reached(method, losses_of(method)["consistency"]) == {"encoder", "to_action", "to_pose"}


@pytest.mark.parametrize("channels", ["colour", "bands"])
def test_each_half_of_a_split_brain_learns_from_its_own_drawing_alone(channels):
    method = built("splitbrain", channels=channels)
    first, second = losses_of(method).values()
    assert reached(method, first, 2) >= {"encoder.second"} and not reached(method, first, 2) & {"encoder.first"}
    assert reached(method, first) == {"encoder", "draw_first"}
    assert reached(method, second, 2) >= {"encoder.first"} and not reached(method, second, 2) & {"encoder.second"}
    assert reached(method, second) == {"encoder", "draw_second"}


@pytest.mark.parametrize("name", METHODS)
def test_every_loss_has_a_weight_and_the_weights_come_from_the_config(name):
    method = built(name)
    assert set(losses_of(method)) == set(method.weights)
    _, config = METHODS[name]
    for field in set(method.weights) & set(vars(config)):
        assert built(name, **{field: 7.0}).weights[field] == 7.0


@pytest.mark.parametrize("name", METHODS)
def test_drawings_are_pictures_and_leave_the_faces_given_alone(name):
    images = smooth()
    with torch.no_grad():
        drawn = built(name).eval().reconstructions(images)
    assert torch.equal(drawn["original"], smooth()) and len(drawn) > 2
    assert all(d.shape == images.shape and d.isfinite().all() for d in drawn.values())


def test_a_pair_shows_the_partner_in_the_target_alone():
    views = drawing.pair(SIZE, 0.0, 0.0, 0.0)
    images, partners = torch.zeros(2, 3, SIZE, SIZE), torch.ones(2, 3, SIZE, SIZE)
    shown = render_views(images, views, seed=0, partners=partners)
    assert shown["source"].max() < 1e-5 and shown["target"].min() > 1 - 1e-5


def test_fabnet_has_nothing_to_draw_between_equal_frames():
    method, images = still(built("fabnet")), smooth()
    assert method.losses({"source": images, "target": images})["reconstruction"].item() < 1e-5
    black = method.losses({"source": images, "target": torch.zeros_like(images)})["reconstruction"]
    assert black.item() == pytest.approx(images.mean().item(), abs=1e-4)  # both ways miss by the picture's mean


def test_tcae_has_nothing_to_draw_between_equal_frames():
    method, images = still(built("tcae")).eval(), smooth()
    losses = method.losses({"source": images, "target": images})
    assert all(loss.item() < 1e-5 for loss in losses.values())
    other = method.losses({"source": images, "target": images.flip(0)})
    assert other["reconstruction"] > 0.01 and other["consistency"] > 1e-4
    assert other["cycle"] < 1e-5 and other["sparsity"] < 1e-5  # nothing was moved, nothing has to be led back


def test_tcae_asks_for_the_codes_of_the_right_frame(monkeypatch):
    method, images = still(built("tcae")), smooth()
    read = iter([(torch.tensor([[1.0], [2]]), torch.tensor([[10.0], [20]]))])  # source, then target
    asked = (torch.tensor([[2.0], [1], [2]]), torch.tensor([[10.0], [20], [20]]))  # by action, by pose, by both
    monkeypatch.setattr(method, "codes", lambda faces: next(read, asked))
    monkeypatch.setattr(method, "changes", lambda *_: ((torch.zeros(1, 2, 4, 4),) * 2, (images[:1],) * 3))
    for decoder in (method.action_flow, method.pose_flow):
        monkeypatch.setattr(decoder, "forward", lambda code: torch.zeros(1, 3, SIZE, SIZE))
    losses = method.losses({"source": images[:1], "target": images[1:2]})
    assert losses["consistency"].item() == 0


def test_facecycle_leaves_symmetrical_equal_faces_as_they_are():
    face = smooth(1)
    face = (face + face.flip(-1)) / 2
    faces = face.expand(4, -1, -1, -1)
    losses = still(built("facecycle")).losses({"source": faces, "target": faces})
    assert all(loss.item() < 1e-5 for loss in losses.values())


def test_facecycle_without_flows_draws_every_person_as_the_mean_face():
    images = smooth()
    losses = still(built("facecycle")).losses({"source": images, "target": images})
    expected = (images - images.mean(0, keepdim=True)).abs().mean().item()
    for name in ("mean", "identity", "reconstruction"):
        assert losses[name].item() == pytest.approx(expected, rel=1e-3)
    assert losses["motion"] < 1e-5 and losses["neutral"] < 1e-5 and losses["symmetry"] > 0.01


def test_splitbrain_with_the_right_answers_has_no_error():
    method, images = built("splitbrain"), smooth()
    method.drawn = lambda *halves: halves
    assert [loss.item() for loss in method.losses({"face": images}).values()] == [0.0, 0.0]


def test_the_split_encoder_is_its_two_encoders_side_by_side():
    method = built("splitbrain", channels="bands").eval()
    images = smooth()
    coarse, fine = method.encoder.halves(images)
    together, width = method.encoder(images), method.encoder.channels // 2
    torch.testing.assert_close(together[:, :width], method.encoder.first(coarse))
    torch.testing.assert_close(together[:, width:], method.encoder.second(fine))
    assert method.features(images)["encoder"].shape == (BATCH, method.encoder.values)
    assert method.encoder.summary(images).shape == (BATCH, method.encoder.channels)


def test_deformae_with_the_face_as_its_template_has_no_error():
    method, images = still(built("deformae")), smooth()
    nn.init.zeros_(method.to_affine.weight)
    method.template.forward = lambda code: images
    losses = method.losses({"face": images})
    assert all(loss.item() < 1e-5 for loss in losses.values())


def test_the_grid_of_deformae_never_folds_however_wild_its_fields():
    method = built("deformae")
    nn.init.normal_(method.steps.out.weight, std=5.0)
    local, change = method.deformation(torch.randn(4, 16))
    places = local + points(local)
    assert (places[:, 0].diff(dim=2) > 0).all() and (places[:, 1].diff(dim=1) > 0).all()
    assert change.shape == (4, 2, 3) and change.abs().max() <= 0.5
    steps = places[:, 0].diff(dim=2) * SIZE / 2
    assert steps.min() > math.exp(-1) - 1e-3 and steps.max() < math.exp(1) + 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_a_few_steps_on_one_batch_lower_the_loss(name):
    method = built(name, encoder="small")
    views = render_views(smooth(), method.views(), seed=0)
    optimiser = torch.optim.Adam(method.parameters(), lr=3e-3)
    course = []
    for _ in range(40):
        losses = method.losses(views)
        whole = sum(method.weights[k] * v for k, v in losses.items())
        optimiser.zero_grad()
        whole.backward()
        optimiser.step()
        course.append(whole.item())
    assert sum(course[-5:]) / 5 < 0.8 * course[0]
