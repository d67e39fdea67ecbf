"""vultus' parts: what each loss may teach, where views look, and that fine detail does not give warped faces away."""

import math
from dataclasses import replace

import pytest
import torch

from method_parts import above, fine_power, reached
from vultus.methods.losses import change_loss, placement_change
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.views import render_views

SIZE, BATCH = 32, 8


def small(**changes):
    torch.manual_seed(0)
    config = VultusConfig(encoder="small", hidden=16, projection=8, prototypes=12, warped_part=4 / BATCH)
    return Vultus(replace(config, **changes), SIZE)


def views_of(method):
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    return render_views(images, method.views(), seed=0)


def test_each_loss_teaches_its_own_branch():
    method = small()
    losses = method.losses(views_of(method))
    face = {"encoder", "to_face", "face_head"}
    assert reached(method, losses["face"]) == reached(method, losses["warped"]) == face
    assert reached(method, losses["prototypes"]) == face | {"prototypes"}
    assert reached(method, losses["pose"]) == {"encoder", "to_pose", "pose_head", "compare"}


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


def test_the_change_of_place_takes_points_of_one_view_to_the_other():
    method = small()
    views = views_of(method)
    a, b = views["a_placement"], views["b_placement"]
    mirrored, across, down, right, low = placement_change(a, b).T
    for face in range(BATCH):
        for x, y in ((0.0, 0.0), (0.5, -0.7)):
            seen = b[face] @ torch.tensor([x, y, 1.0])  # in the picture
            in_a = (
                mirrored[face] * (0.2 * across[face]).exp() * x + 0.2 * right[face],
                (0.2 * down[face]).exp() * y + 0.2 * low[face],
            )
            torch.testing.assert_close(a[face] @ torch.stack([*in_a, torch.tensor(1.0)]), seen, atol=1e-5, rtol=1e-4)
    assert set(mirrored.tolist()) == {-1.0, 1.0}


def test_a_placement_says_where_the_view_looks():
    method = Vultus(VultusConfig(encoder="small", warped_weight=0.0), 48)
    ramp = torch.linspace(-1 + 1 / 96, 1 - 1 / 96, 96).expand(1, 3, 96, 96).transpose(2, 3)  # brighter downwards
    views = {"a": replace(method.views()["a"], photometry=())}
    out = render_views((ramp + 1) / 2, views, seed=1)
    (placement,) = out["a_placement"]
    lattice = (torch.arange(48) + 0.5) / 24 - 1
    seen = placement[1, 1] * lattice + placement[1, 2]  # heights in the picture
    shown = out["a"][0, 0, :, 24] * 2 - 1
    torch.testing.assert_close(shown[4:-4], seen[4:-4], atol=0.02, rtol=0)


def test_the_loss_of_a_change_is_the_loop():
    told, change = torch.randn(2, 6, 5)
    change[:, 0] = change[:, 0].sign()
    total = 0.0
    for row, truth in zip(told.tolist(), change.tolist(), strict=True):
        total += math.log(1 + math.exp(-truth[0] * row[0]))
        gaps = [abs(p - t) for p, t in zip(row[1:], truth[1:], strict=True)]
        total += sum(0.5 * gap**2 if gap < 1 else gap - 0.5 for gap in gaps) / 4
    assert change_loss(told, change).item() == pytest.approx(total / 6, rel=1e-5)


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
    method = Vultus(VultusConfig(encoder="small", warped_part=1.0), 48)
    noise = torch.rand(600, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    views = {k: replace(v, photometry=(), placed=False) for k, v in method.views().items()}
    power = fine_power(render_views(noise, views, seed=3), low)
    assert abs(above(power["warped"], power["a"]) - 0.5) < 0.07
