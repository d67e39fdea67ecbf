"""Where a view looks: against torchvision, and on pictures whose values are their own coordinates."""

import math

import pytest
import torch
import torchvision.transforms.functional as tvf
from torchvision.transforms import RandomResizedCrop

from vultus.views import Affine, Crop, Flip, QuadrantCrop, View, draw, render, render_views
from vultus.views.boxes import UNIFORMS, random_boxes
from vultus.views.sampling import plan


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp(batch: int, side: int = 48) -> torch.Tensor:
    """Red is x, green is y of every pixel's centre, in parts of the side."""
    place = (torch.arange(side) + 0.5) / side
    x, y = place.expand(side, side), place[:, None].expand(side, side)
    return torch.stack((x, y, torch.zeros(side, side))).repeat(batch, 1, 1, 1)


def waves(batch: int, side: int = 112) -> torch.Tensor:
    """Smooth pictures, so that one interpolation differs little from another."""
    place = torch.arange(side) / side * 2 * math.pi
    phase = torch.rand(batch, 3, 1, 1, generator=generator(5)) * 6
    return 0.5 + 0.25 * (torch.sin(3 * place + phase) + torch.cos(4 * place[:, None] + phase))


def boxes_of(drawn):
    """Left, top, width, height of axis-aligned placements, parts of the side."""
    m = drawn.geometry[0].matrix
    size = torch.stack((m[:, 0, 0].abs(), m[:, 1, 1]), 1)
    return torch.cat(((m[:, :2, 2] + 1 - size) / 2, size), 1)


def test_crop_boxes_are_distributed_as_torchvisions():
    crop, n = Crop(scale=(0.2, 1.0)), 3000
    ours = boxes_of(draw(View(64, (crop,)), n, generator()))
    assert (ours[:, :2] >= -1e-6).all() and (ours[:, :2] + ours[:, 2:] <= 1 + 1e-6).all()
    torch.manual_seed(0)
    picture = torch.zeros(3, 1000, 1000)  # large, for torchvision rounds to pixels
    pairs = [RandomResizedCrop.get_params(picture, list(crop.scale), list(crop.ratio)) for _ in range(n)]
    theirs = torch.tensor(pairs)[:, [1, 0, 3, 2]] / 1000
    for what in (
        lambda b: b[:, 2] * b[:, 3],
        lambda b: (b[:, 2] / b[:, 3]).log(),
        lambda b: b[:, 0],
        lambda b: b[:, 1],
    ):
        levels = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
        assert torch.allclose(what(ours).quantile(levels), what(theirs).quantile(levels), atol=0.035)


def test_a_box_that_never_fits_becomes_the_largest_central_one():
    centre, size = random_boxes(torch.rand(5, UNIFORMS), (1.0, 1.0), (2.0, 3.0))
    assert torch.allclose(centre, torch.full((5, 2), 0.5))
    assert torch.allclose(size, torch.tensor([1.0, 0.5]).expand(5, 2))


def test_a_crop_shows_its_box():
    view = View(40, (Crop(scale=(0.3, 0.6)),))
    drawn = draw(view, 6, generator(1))
    out = render(ramp(6, 200), view, drawn)
    left, top, width, height = boxes_of(drawn).T[:, :, None]
    place = (torch.arange(40) + 0.5) / 40
    assert torch.allclose(out[:, 0].mean(1), left + place * width, atol=0.004)
    assert torch.allclose(out[:, 1].mean(2), top + place * height, atol=0.004)


@pytest.mark.parametrize("box", [(10, 20, 50, 50), (0, 0, 112, 112), (30, 8, 60, 90), (5, 5, 80, 64)])
def test_resized_crop_equals_torchvisions(box):
    top, left, height, width = box
    images = waves(4)
    matrix = torch.tensor([[width, 0, 2 * left + width - 112], [0, height, 2 * top + height - 112], [0, 0, 112]]) / 112
    view = View(64, (Crop(),))
    drawn = draw(view, 4, generator())
    drawn.geometry[0].matrix[:] = matrix
    drawn.shrink[:] = torch.tensor([width, height]) / 112
    expected = tvf.resized_crop(images, top, left, height, width, [64, 64], antialias=True)
    error = (render(images, view, drawn) - expected).abs()
    assert error.max() < 0.02 and error.mean() < 0.002


def test_shrinking_does_not_alias():
    """Half-size pictures of a checkerboard are grey: what plain bilinear sampling gets wrong at 112 → 72."""
    board = ((torch.arange(112) + torch.arange(112)[:, None]) % 2).float().expand(2, 3, 112, 112)
    view = View(72)
    ours = render(board, view, draw(view, 2, generator()))
    plain = torch.nn.functional.interpolate(board, size=72, mode="bilinear")
    theirs = torch.nn.functional.interpolate(board, size=72, mode="bilinear", antialias=True)
    assert theirs.std() < 0.05 < plain.std()
    assert ours.std() < 0.1 and abs(ours.mean() - 0.5) < 0.01


@pytest.mark.parametrize("shrink", [1.3, 2.0, 3.5])
def test_smoothing_has_the_variance_of_the_antialiasing_triangle(shrink):
    """A point's image, read at every source pixel: variance (r² − 1)/6, centred on the point, whatever the passes."""
    side = 63
    point = torch.zeros(1, 3, side, side)
    point[:, :, 31, 31] = 1
    sampling = plan((side, side), side, draw(View(side), 1, generator()).geometry, torch.full((1, 2), shrink))
    out = sampling(point)[0, 0]
    place = torch.arange(side) - 31.0
    profile = out.sum(0) / out.sum()
    assert torch.allclose((profile * place).sum(), torch.tensor(0.0), atol=1e-3)
    between_pixels = sampling.weight[0, 0].sum() % 1  # what reading between pixels adds to what was smoothed
    expected = (shrink**2 - 1) / 6 + between_pixels * (1 - between_pixels)
    assert float((profile * place**2).sum()) == pytest.approx(float(expected), abs=0.13)


def test_flip():
    view = View(48, (Flip(p=0.3),))
    drawn = draw(view, 1000, generator(2))
    flipped = drawn.geometry[0].matrix[:, 0, 0] < 0
    assert abs(flipped.float().mean() - 0.3) < 0.045
    images = ramp(20)
    out = render(images, view, drawn.rows(0, 20))
    expected = torch.where(flipped[:20, None, None, None], images.flip(3), images)
    assert torch.allclose(out, expected, atol=1e-5)


@pytest.mark.parametrize(
    "affine",
    [
        Affine(degrees=(20, 20), translate=0, scale=(1, 1)),
        Affine(degrees=(0, 0), translate=0, scale=(1.3, 1.3)),
        Affine(degrees=(-15, -15), translate=0, scale=(1.2, 1.2), shear=(10, 10)),
    ],
)
def test_affine_equals_torchvisions(affine):
    view, images = View(112, (affine,)), waves(2)
    ours = render(images, view, draw(view, 2, generator()))
    expected = tvf.affine(
        images,
        affine.degrees[0],
        [0, 0],
        affine.scale[0],
        [affine.shear[0], 0],
        interpolation=tvf.InterpolationMode.BILINEAR,
    )
    inner = slice(28, 84)  # outside, torchvision fills with black
    assert torch.allclose(ours[..., inner, inner], expected[..., inner, inner], atol=2e-3)


def test_affine_ranges():
    view = View(32, (Affine(degrees=(-30, 10), translate=0.1, scale=(0.8, 1.25)),))
    forward = torch.linalg.inv(draw(view, 2000, generator(3)).geometry[0].matrix)
    angle = torch.atan2(forward[:, 1, 0], forward[:, 0, 0]).rad2deg()
    scale = torch.linalg.det(forward[:, :2, :2]).sqrt()
    shift = forward[:, :2, 2] / 2
    for value, low, high in ((angle, -30, 10), (scale, 0.8, 1.25), (shift, -0.1, 0.1)):
        margin = 0.01 * (high - low)
        assert low - 1e-4 <= value.min() < low + margin and high - margin < value.max() <= high + 1e-4


def test_geometry_composes_into_one_interpolation():
    """Turned by 30° and back, a noise picture is itself; interpolated twice it would be a blur of it."""
    images = torch.rand(3, 3, 40, 40, generator=generator())
    turn, back = (Affine((a, a), translate=0, scale=(1, 1)) for a in (30.0, -30.0))
    once = View(40, (turn, back))
    assert torch.allclose(render(images, once, draw(once, 3, generator())), images, atol=1e-4)
    twice = images
    for step in (View(40, (turn,)), View(40, (back,))):
        twice = render(twice, step, draw(step, 3, generator()))
    assert twice.std() < 0.8 * images.std()


def test_operations_act_in_the_order_listed():
    """Crop the left quadrants' box, then flip: not the same as flip, then crop."""
    images = ramp(8)
    u = {"seed": 4}
    crop_flip = render_views(images, {"v": View(24, (QuadrantCrop(0.4), Flip(1.0)))}, **u)["v"]
    only_crop = render_views(images, {"v": View(24, (QuadrantCrop(0.4),))}, **u)["v"]
    flip_crop = render_views(images, {"v": View(24, (Flip(1.0), QuadrantCrop(0.4)))}, **u)["v"]
    assert torch.allclose(crop_flip, only_crop.flip(3), atol=1e-5)
    assert torch.allclose(flip_crop[:, 0], 1 - only_crop[:, 0], atol=1e-5)


def test_quadrant_pairs_never_meet_and_all_quadrants_occur():
    images = ramp(64)
    views = {"a": View(16, (QuadrantCrop(0.4, 0),)), "b": View(16, (QuadrantCrop(0.4, 1),))}
    out = render_views(images, views, seed=3)
    centres = {k: v[:, :2].mean((2, 3)) for k, v in out.items()}
    for c in centres.values():
        near = (c - 0.25).abs().minimum((c - 0.75).abs())
        assert near.max() < 0.01
        assert len({tuple(q) for q in (c > 0.5).tolist()}) == 4
    assert ((centres["a"] - centres["b"]).abs().amax(1) > 0.4).all()
    span = out["a"][:, 0].amax((1, 2)) - out["a"][:, 0].amin((1, 2))
    assert torch.allclose(span, torch.full((64,), 0.4 * 15 / 16), atol=0.01)


def test_outside_the_picture_is_its_mirror_image():
    view = View(32, (Affine((45, 45), translate=0, scale=(0.7, 0.7)),))
    out = render(torch.full((2, 3, 32, 32), 0.6), view, draw(view, 2, generator()))
    assert torch.allclose(out, torch.full_like(out, 0.6), atol=1e-4)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Crop(scale=(0.2, 1.5)),
        lambda: Crop(scale=(0.6, 0.3)),
        lambda: Crop(ratio=(0.0, 1.0)),
        lambda: QuadrantCrop(side=0),
        lambda: QuadrantCrop(pair=2),
        lambda: Flip(p=1.1),
        lambda: Flip(p=float("nan")),
        lambda: Affine(scale=(0.0, 1.0)),
        lambda: Affine(degrees=(10, -10)),
        lambda: Affine(translate=-0.1),
    ],
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError, match=r"^(Crop|QuadrantCrop|Flip|Affine): .*(got)"):
        bad()
