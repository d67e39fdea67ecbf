"""Local warps: small, inside, and not to be told from an identity by their smoothing."""

from dataclasses import replace

import pytest
import torch

from vultus.views import Affine, Crop, LocalWarp, Shared, View, draw, render, render_views


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def field(warp: LocalWarp, faces: int = 32, side: int = 65, shared: Shared | None = None) -> torch.Tensor:
    """(faces, side, side, 2) displacement in parts of the side at points from border to border."""
    bumps = draw(View(side, (warp,)), faces, generator(), shared=shared).geometry[1]
    line = torch.linspace(-1, 1, side)
    x, y = line.expand(faces, side, side), line[:, None].expand(faces, side, side)
    return torch.stack(bumps.displacement(x, y), -1) / 2


def test_the_border_is_fixed_and_the_magnitude_a_bound_that_is_reached():
    shift = field(LocalWarp(points=5, magnitude=0.06, radius=0.12)).norm(dim=-1)
    for edge in (shift[:, 0], shift[:, -1], shift[:, :, 0], shift[:, :, -1]):
        assert edge.max() < 1e-6
    assert shift.max() <= 0.06 + 1e-6
    assert (shift.amax((1, 2)) > 0.025).all()


def test_the_field_is_the_formula():
    warp = LocalWarp(points=3, magnitude=0.05, radius=0.1)
    bumps = draw(View(9, (warp,)), 2, generator()).geometry[1]
    x, y = torch.full((2, 1, 1), 0.2), torch.full((2, 1, 1), -0.3)
    dx, dy = bumps.displacement(x, y)
    for face in range(2):
        g = [torch.exp(-((0.2 - c[0]) ** 2 + (-0.3 - c[1]) ** 2) / (2 * 0.2**2)) for c in bumps.centres[face]]
        window = (1 - 0.2**4) * (1 - 0.3**4)
        total = sum(a * w for a, w in zip(bumps.shifts[face], g, strict=True)) * window / max(1, sum(g))
        assert torch.allclose(torch.stack((dx[face, 0, 0], dy[face, 0, 0])), total, atol=1e-6)


def test_no_face_folds():
    """x + d(x) keeps the order of neighbours, for the strongest warp that the settings allow."""
    x = field(LocalWarp(points=6, magnitude=0.08, radius=0.1), 64)
    assert (x[:, :, 1:, 0] - x[:, :, :-1, 0] > -1 / 64).all()
    assert (x[:, 1:, :, 1] - x[:, :-1, :, 1] > -1 / 64).all()


def test_a_ramp_shows_where_pixels_come_from():
    side, warp = 96, LocalWarp(points=4, magnitude=0.05, radius=0.1)
    place = (torch.arange(side) + 0.5) / side
    ramp = torch.stack((place.expand(side, side), place[:, None].expand(side, side), torch.zeros(side, side)))
    view = View(side, (warp,))
    drawn = draw(view, 4, generator())
    moved = render(ramp.expand(4, -1, -1, -1), view, drawn)[:, :2] - ramp[:2]
    line = 2 * place - 1
    bumps = drawn.geometry[1]
    expected = torch.stack(bumps.displacement(line.expand(4, side, side), line[:, None].expand(4, side, side)), 1) / 2
    expected = expected + bumps.phase[:, :, None, None] / side
    inner = slice(6, -6)
    assert torch.allclose(moved[..., inner, inner], expected[..., inner, inner], atol=2e-3)
    assert bumps.phase.abs().max() <= 0.5


@pytest.mark.parametrize("before", [(), (Crop((0.5, 1.0)),)])
def test_smoothing_tells_nothing(before):
    """On noise, a warp and an identity through the same interpolation have the same power at high frequencies.

    A plain resize without the identity warp keeps all of it: that is the trap.
    """
    images, side = torch.rand(150, 3, 48, 48, generator=generator()), 48

    def power(*geometry):
        view = View(side, geometry)
        out = render(images, view, draw(view, 150, generator(1)))
        spectrum = torch.fft.fft2(out - out.mean((2, 3), keepdim=True)).abs().square().mean((0, 1))
        return spectrum[16:33, 16:33].mean()

    warped, identity = (power(*before, LocalWarp(4, m, 0.12)) for m in (0.05, 0.0))
    assert abs(warped / identity - 1) < 0.06
    if not before:
        assert power() > 1.5 * identity


def test_magnitude_zero_moves_by_the_common_half_pixel_at_most():
    assert field(LocalWarp(magnitude=0.0)).abs().max() == 0


def test_landmarks_are_the_centres_and_unknown_ones_random():
    marks = torch.full((8, 3, 2), float("nan"))
    marks[:4] = torch.tensor([[0.3, 0.4], [0.7, 0.4], [0.5, 0.8]])
    warp = LocalWarp(points=6, at_landmarks=True)
    bumps = draw(View(16, (warp,)), 8, generator(), shared=Shared(landmarks=marks)).geometry[1]
    centres = (bumps.centres + 1) / 2
    distance = (centres[:4, :, None] - marks[:4, None]).norm(dim=-1).amin(2)
    assert distance.max() < 1e-6
    assert centres[4:].isfinite().all() and centres[4:].unique(dim=0).shape[0] == 4
    shift = field(LocalWarp(points=1, at_landmarks=True), 8, shared=Shared(landmarks=marks))
    peak = shift.norm(dim=-1)[:4].flatten(1).argmax(1)
    found = torch.stack((peak % 65, peak // 65), 1) / 64
    assert (found[:, None] - marks[:4]).norm(dim=-1).amin(1).max() < 0.03


def test_a_template_stands_in_for_landmarks_that_are_not_known():
    marks = torch.full((4, 1, 2), float("nan"))
    marks[:2] = torch.tensor([0.9, 0.1])
    warp = LocalWarp(points=5, at_landmarks=True, template=((0.25, 0.5), (0.75, 0.5)))
    bumps = draw(View(16, (warp,)), 4, generator(), shared=Shared(landmarks=marks)).geometry[1]
    centres = (bumps.centres + 1) / 2
    assert (centres[:2] - torch.tensor([0.9, 0.1])).abs().max() < 1e-6
    assert {tuple(c) for c in centres[2:].flatten(0, 1).tolist()} == {(0.25, 0.5), (0.75, 0.5)}
    with pytest.raises(ValueError, match="from 0 to 1"):
        LocalWarp(template=((0.5, 1.5),))


def test_another_picture_of_the_person_keeps_its_shape():
    """Only of the face that is its own partner, and only in the view that shows partners, are parts moved."""
    warp = View(32, (LocalWarp(magnitude=0.08, alone=True),), partner=True)
    images = torch.rand(2, 3, 4, 4, generator=generator()).repeat_interleave(8, 2).repeat_interleave(8, 3)
    still = {"v": replace(warp, geometry=(LocalWarp(magnitude=0.0),))}

    def shown(views, **known):
        return render_views(images, views, seed=0, **known)["v"]

    expected, moved = shown(still), shown({"v": warp})
    assert not torch.allclose(moved[0], expected[0]) and not torch.allclose(moved[1], expected[1])
    some = shown({"v": warp}, partners=images, paired=torch.tensor([True, False]))
    assert torch.equal(some[0], expected[0]) and torch.equal(some[1], moved[1])
    assert torch.equal(shown({"v": warp}, partners=images), expected)
    always = {"v": replace(warp, geometry=(LocalWarp(magnitude=0.08),))}
    assert torch.equal(shown(always, partners=images), moved)
    other = {"v": replace(warp, partner=False)}
    assert torch.equal(shown(other, partners=images, paired=torch.tensor([True, True])), moved)


def test_a_warp_listed_before_an_affine_acts_on_the_picture_first():
    """The face is warped, then turned: turning the warped picture afterwards gives the same."""
    side = 64
    line = torch.linspace(0, 6.28, side)
    images = (0.5 + 0.2 * torch.sin(2 * line) + 0.2 * torch.cos(line[:, None])).expand(1, 3, side, side)
    warp, turn = LocalWarp(3, 0.06, 0.1), Affine((40, 40), 0, (1, 1))
    both = View(side, (warp, turn))
    drawn = draw(both, 1, generator())
    first, then = View(side, (warp,)), View(side, (turn,))
    warped = render(images, first, draw(first, 1, generator()))
    expected = render(warped, then, draw(then, 1, generator()))
    # the warp's random numbers stand first in the table's row, so both draws agree
    assert torch.equal(drawn.geometry[1].centres, draw(first, 1, generator()).geometry[1].centres)
    inner = slice(14, 50)
    assert torch.allclose(render(images, both, drawn)[..., inner, inner], expected[..., inner, inner], atol=4e-3)


@pytest.mark.parametrize("bad", [{"points": 0}, {"magnitude": 0.2, "radius": 0.1}, {"magnitude": -0.1}, {"radius": 0}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError, match=r"^LocalWarp: .*(got)"):
        LocalWarp(**bad)
