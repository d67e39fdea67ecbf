"""Fine-tuning's parts: formulas against slow loops, rates by depth, labels under augmentation."""

import math

import numpy as np
import pytest
import torch

from vultus.methods.catalogue import METHODS, build_method
from vultus.methods.encoder_of import encoder_of
from vultus.nets.encoders import build_encoder
from vultus.nets.heatmaps import HeatmapHead, planted, soft_argmax
from vultus.training.finetuning import losses, mirrors
from vultus.training.finetuning.augmentation import augmented
from vultus.training.finetuning.depth import blocks, layered_groups
from vultus.training.finetuning.mixing import mix
from vultus.training.finetuning.objectives import Classes, Numbers, Points, YesNo
from vultus.views import Crop, Flip, View

# formulas


def test_class_loss_is_cross_entropy_to_shares():
    logits, soft = torch.randn(4, 3), torch.rand(4, 3).softmax(1)
    total = 0.0
    for i in range(4):
        below = sum(math.exp(v) for v in logits[i])
        total -= sum(float(q) * math.log(math.exp(v) / below) for v, q in zip(logits[i], soft[i], strict=True))
    assert losses.class_loss(logits, soft).item() == pytest.approx(total / 4, rel=1e-5)


def test_yes_no_and_unit_losses_are_binary_and_pass_over_the_unknown():
    soft = torch.tensor([[1.0, 0.0], [math.nan, 0.3], [0.7, math.nan]])
    pairs, single = torch.randn(3, 2, 2), torch.randn(3, 2)
    of_pairs, of_single = [], []
    for i, k in ((0, 0), (0, 1), (1, 1), (2, 0)):
        q, (no, yes), one = soft[i, k].item(), pairs[i, k].tolist(), single[i, k].item()
        p = math.exp(yes) / (math.exp(no) + math.exp(yes))
        of_pairs.append(-(1 - q) * math.log(1 - p) - q * math.log(p))
        p = 1 / (1 + math.exp(-one))
        of_single.append(-(1 - q) * math.log(1 - p) - q * math.log(p))
    assert losses.pairs_loss(pairs, soft).item() == pytest.approx(np.mean(of_pairs), rel=1e-5)
    assert losses.binary_loss(single, soft).item() == pytest.approx(np.mean(of_single), rel=1e-5)


def test_numbers_are_learned_in_units_of_their_spread_and_said_in_their_own():
    numbers = Numbers(("yaw", "age"), (10.0, 30.0), (5.0, 2.0))
    target = torch.tensor([[15.0, 36.0], [math.nan, 30.0]])
    raw = torch.zeros(2, 2)
    # one spread off costs a half, three cost 2.5 (Huber), none 0; the unknown is passed over
    assert numbers.losses(raw, numbers.soft(target, 0.0))["label"].item() == pytest.approx((0.5 + 2.5 + 0) / 3)
    assert numbers.said(torch.tensor([[1.0, -1.0]])).tolist() == [[15.0, 28.0]]


def test_landmark_losses_are_distances_in_cells_and_divergences_from_gaussians():
    heat = torch.randn(2, 3, 6, 6)
    points = torch.rand(2, 3, 2)
    points[1, 2] = math.nan
    off, divergence = [], []
    for b, p in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1)):
        x, y = points[b, p].tolist()
        mass = [[math.exp(v) for v in row] for row in heat[b, p].tolist()]
        of_mass = sum(map(sum, mass))
        cells = [(r, c) for r in range(6) for c in range(6)]
        near = {(r, c): math.exp(-((c + 0.5 - 6 * x) ** 2 + (r + 0.5 - 6 * y) ** 2) / 2) for r, c in cells}
        of_near = sum(near.values())
        said = [sum(mass[r][c] * (rc + 0.5) for r, c in cells for rc in [(c, r)[k]]) / of_mass for k in (0, 1)]
        off += [abs(said[0] - 6 * x), abs(said[1] - 6 * y)]
        shares = {cell: near[cell] / of_near for cell in cells}
        divergence.append(sum(g * math.log(g / (mass[r][c] / of_mass)) for (r, c), g in shares.items()))
    assert losses.coordinates_loss(heat, points).item() == pytest.approx(np.mean(off), rel=1e-4)
    assert losses.heatmap_loss(heat, points).item() == pytest.approx(np.mean(divergence), rel=1e-4)


def test_soft_argmax_finds_a_planted_peak_to_a_part_of_a_cell():
    points = torch.tensor([[[0.31, 0.62], [0.5, 0.5]]])
    heat = (planted(points, 16) + 1e-12).log()
    torch.testing.assert_close(soft_argmax(heat), points, atol=2e-3, rtol=0)


@pytest.mark.parametrize("points", [5, 98])
def test_heat_maps_are_fine_and_their_head_ends_in_twelve_channels_at_least(points):
    head = HeatmapHead(channels=32, side=3, size=48, points=points)
    assert head(torch.randn(2, 32, 3, 3)).shape == (2, points, 12, 12)
    assert head.out.out_channels == max(points, 12)


def test_mixed_labels_are_mixed_as_their_pictures_are():
    images = torch.eye(8)[:, :, None, None].expand(8, 8, 2, 2)  # picture k is 1 in channel k
    soft = torch.rand(8, 3)
    soft[2, 1] = math.nan
    views, mixed = mix(images, soft, 0.4, seed=5)
    shares = views[:, :, 0, 0]
    assert torch.allclose(shares.sum(1), torch.ones(8)) and ((shares > 0.01) & (shares < 0.99)).any()
    expected = shares @ soft.nan_to_num(0)
    taught = (shares[:, 2] > 0) | (torch.arange(8) == 2)
    known = ~(taught[:, None] & torch.tensor([False, True, False]))
    torch.testing.assert_close(mixed[known], expected[known])
    assert mixed[2, 1].isnan()


def test_smoothing_spreads_a_part_of_the_certainty():
    assert Classes(("a", "b", "c", "d")).soft(torch.tensor([2]), 0.2)[0].tolist() == pytest.approx(
        [0.05, 0.05, 0.85, 0.05]
    )
    assert YesNo(("a", "b")).soft(torch.tensor([[1.0, 0.0]]), 0.2)[0].tolist() == pytest.approx([0.9, 0.1])


# depth


@pytest.mark.parametrize(
    ("name", "size", "count", "first", "last"),
    [
        ("patches", 32, 5, "backbone.2.body.0.weight", "backbone.6.body.5.bias"),
        ("small", 32, 5, "backbone.1.weight", "backbone.6.skip.0.weight"),
        ("vit", 32, 4, "backbone.places", "backbone.norm.weight"),
        ("resnet18", 32, 9, "backbone.model.bn1.weight", "backbone.model.layer4.1.conv2.weight"),
        ("convnext_atto", 32, 16, "backbone.model.stem.1.weight", "backbone.model.stages.3.blocks.1.mlp.fc2.weight"),
        ("vit_tiny_patch16_224", 32, 13, "backbone.model.pos_embed", "backbone.model.norm.weight"),
    ],
)
def test_each_block_learns_more_slowly_than_the_one_behind_it(name, size, count, first, last):
    encoder, head = build_encoder(name, size), torch.nn.Linear(4, 2)
    own = blocks(encoder)
    named = dict(encoder.named_parameters())
    assert len(own) == count and sorted(id(p) for b in own for p in b) == sorted(map(id, named.values()))
    scale = {id(p): g["scale"] for g in layered_groups(encoder, head, 0.5, 0.1) for p in g["params"]}
    assert scale[id(named[first])] == 0.5**count and scale[id(named[last])] == 0.5
    assert scale[id(head.weight)] == scale[id(head.bias)] == 1
    assert len(scale) == len(named) + 2


@pytest.mark.parametrize("name", METHODS)
def test_every_method_s_encoder_gives_its_default_feature(name):
    kind, _ = METHODS[name]
    method = build_method(kind(encoder="small"), 32).eval()
    images = torch.rand(2, 3, 32, 32)
    encoder = encoder_of(method)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images).flatten(1), method.features(images)[method.default_feature])
    assert encoder.values == encoder(images).flatten(1).shape[1]
    assert len({len(block) > 0 for block in blocks(encoder)}) == 1 and len(blocks(encoder)) == 5


# augmentation


def test_labels_follow_what_a_view_shows():
    images = torch.zeros(40, 3, 32, 32, dtype=torch.uint8)
    spot = torch.rand(40, 2) * 0.4 + 0.3
    for image, (x, y) in zip(images, (spot * 32).long().tolist(), strict=True):
        image[:, y, x] = 255
    spot = ((spot * 32).long() + 0.5) / 32
    other = torch.full((40, 1, 2), math.nan)
    points = Points(2, mirror=(1, 0))
    both = torch.cat([spot[:, None], other], 1)
    view = View(32, (Crop((0.6, 1.0), (1.0, 1.0)), Flip(0.5)))
    shown, seen = augmented(images, both, view, points, seed=3)
    turned = seen[:, 0].isnan().all(1)
    assert 5 < turned.sum() < 35
    found = torch.where(turned[:, None], seen[:, 1], seen[:, 0])
    rows, columns = ((torch.arange(32) + 0.5) / 32).split(32)[0], ((torch.arange(32) + 0.5) / 32)
    mass = shown[:, 0] / shown[:, 0].sum((1, 2), keepdim=True)
    bright = torch.stack([(mass.sum(1) * columns).sum(1), (mass.sum(2) * rows).sum(1)], 1)
    torch.testing.assert_close(found, bright, atol=0.03, rtol=0)
    # the same draws, other labels
    pose = Numbers(("yaw", "pitch", "roll"), (0.0,) * 3, (1.0,) * 3, mirrors.of_numbers(("yaw", "pitch", "roll")))
    _, angles = augmented(images, torch.tensor([[3.0, 2.0, 1.0]]).repeat(40, 1), view, pose, seed=3)
    assert {tuple(row) for row in angles[turned].tolist()} == {(-3.0, 2.0, -1.0)}
    assert {tuple(row) for row in angles[~turned].tolist()} == {(3.0, 2.0, 1.0)}
    names = ("left", "left profile", "right", "right profile", "frontal")
    sides = Classes(names, mirrors.of_names(names, symmetric=False))
    _, numbers = augmented(images, torch.zeros(40, dtype=torch.int64), view, sides, seed=3)
    assert {names[k] for k in numbers[turned]} == {"right"} and {names[k] for k in numbers[~turned]} == {"left"}


def test_faces_are_flipped_only_where_it_is_known_what_a_mirror_makes_of_the_label():
    assert mirrors.of_names(("happy", "sad"), symmetric=True) == (0, 1)
    assert mirrors.of_names(("happy", "sad"), symmetric=False) == ()
    assert mirrors.of_names(("left_eye_closed", "smile"), symmetric=True) == ()
    assert mirrors.of_names(("bright_eyes", "smile"), symmetric=True) == (0, 1)
    assert mirrors.of_names(("Left", "Right"), symmetric=False) == ()
    assert mirrors.of_numbers(("weight",)) == ()
    for count, order in mirrors.ORDERS.items():
        assert sorted(order) == list(range(count)) and [order[k] for k in order] == list(range(count))
    face = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])[None] + np.zeros((4, 1, 1))
    assert mirrors.of_points(face) == (1, 0, 2, 4, 3)
    assert mirrors.of_points(face[:, [2, 0, 1, 3, 4]]) == ()  # five points in another order
    assert mirrors.of_points(face[:, :4]) == ()
