"""Draws, slices of batches, presets: what a training step relies on."""

from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.views import (
    Affine,
    Blur,
    Crop,
    Erase,
    Flip,
    Grey,
    Jitter,
    LocalWarp,
    Noise,
    QuadrantCrop,
    Sobel,
    Solarise,
    View,
    draw,
    render,
    render_views,
)
from vultus.views.presets import original, pcl_face, photometric, simclr

GEOMETRY = (Crop(), QuadrantCrop(0.5), Flip(), Affine(), LocalWarp())
PHOTOMETRY = (Jitter(), Grey(), Blur(), Sobel(0.3), Solarise(), Noise(0.05), Erase())
EVERYTHING = View(20, (LocalWarp(), Crop(), Flip(), Affine()), PHOTOMETRY)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, side: int = 24) -> torch.Tensor:
    return torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8, generator=generator(7))


def test_views_are_data():
    assert simclr(64) == simclr(64) and hash(simclr(64)) == hash(simclr(64)) and simclr(64) != simclr(48)
    assert eval(repr(EVERYTHING)) == EVERYTHING
    with pytest.raises(FrozenInstanceError):
        EVERYTHING.size = 3  # type: ignore[misc]


def test_same_seed_same_views_and_other_seed_others():
    images, views = pictures(6), {"a": EVERYTHING, "b": EVERYTHING}
    one, again, other = (render_views(images, views, seed=s) for s in (5, 5, 6))
    assert all(torch.equal(one[k], again[k]) for k in views)
    assert not torch.equal(one["a"], one["b"]) and not torch.equal(one["a"], other["a"])
    alone = render_views(images, {"b": EVERYTHING}, seed=5)
    assert torch.equal(alone["b"], one["b"])


def test_seeds_beyond_32_bits_differ():
    images = pictures(2)
    a, b = (render_views(images, {"v": simclr(16)}, seed=s)["v"] for s in (1, 1 + 2**32))
    assert not torch.equal(a, b)


@pytest.mark.parametrize("view", [EVERYTHING, View(20, (QuadrantCrop(0.4, 1),), PHOTOMETRY, copies=3)])
def test_slices_of_a_batch_are_what_the_whole_batch_gives(view):
    images = pictures(9)
    whole = render_views(images, {"v": view}, seed=2, batch=9)["v"]
    for first, stop in ((0, 4), (4, 9), (8, 9)):
        part = render_views(images[first:stop], {"v": view}, seed=2, batch=9, first=first)["v"]
        assert torch.allclose(part, whole[first * view.copies : stop * view.copies], atol=1e-6)


def test_rows_of_a_draw_are_what_the_whole_draw_gives():
    images = pictures(9)
    drawn = draw(EVERYTHING, 9, generator())
    whole = render(images, EVERYTHING, drawn)
    assert torch.allclose(render(images[3:7], EVERYTHING, drawn.rows(3, 7)), whole[3:7], atol=1e-6)
    assert len(drawn.rows(3, 7)) == 4


def test_many_chunks_are_what_single_faces_are():
    """More faces than the cache holds at a time, and faces that do not touch each other."""
    view = simclr(40)
    images = pictures(120, 60)
    drawn = draw(view, 120, generator())
    whole = render(images, view, drawn)
    for face in (0, 25, 26, 77, 119):
        alone = render(images[face : face + 1], view, drawn.rows(face, face + 1))
        assert torch.allclose(alone[0], whole[face], atol=1e-6)


def test_copies_stand_together_and_differ_and_faces_are_the_first():
    images = torch.arange(5, dtype=torch.uint8).mul(50)[:, None, None, None].expand(5, 3, 8, 8)
    view = View(8, (Flip(),), (Noise(0.01),), part=0.6, copies=4)
    out = render_views(images, {"v": view}, seed=0)["v"]
    assert out.shape == (12, 3, 8, 8)
    level = out.mean((1, 2, 3)) * 255 / 50
    assert torch.allclose(level, torch.arange(3.0).repeat_interleave(4), atol=0.05)
    assert not torch.equal(out[4], out[5])
    assert len(render_views(images[:1], {"v": view}, seed=0)["v"]) == 4  # one at least


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from(GEOMETRY), max_size=4),
    st.lists(st.sampled_from(PHOTOMETRY), max_size=5),
    st.integers(1, 24),
    st.integers(0, 3),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([torch.uint8, torch.float32, torch.float64]),
    st.integers(0, 2**62),
)
def test_any_view_of_any_picture_is_finite_and_within_range(geometry, photometry, size, batch, sides, dtype, seed):
    images = torch.rand(batch, 3, *sides, generator=generator())
    images = images.mul(255).to(dtype) if dtype == torch.uint8 else images.to(dtype)
    before = images.clone()
    out = render_views(images, {"v": View(size, tuple(geometry), tuple(photometry))}, seed=seed)["v"]
    assert out.shape == (batch, 3, size, size) and out.dtype == torch.float32
    assert out.isfinite().all() and (out >= 0).all() and (out <= 1).all()
    assert torch.equal(images, before)


def test_no_gradient_is_kept():
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    assert not render_views(images, {"v": EVERYTHING}, seed=0)["v"].requires_grad


def test_uint8_and_float_pictures_give_the_same_views():
    images = pictures(5, 40)
    a, b = (render_views(x, {"v": simclr(24)}, seed=1)["v"] for x in (images, images.float() / 255))
    assert torch.allclose(a, b, atol=1e-5)


def test_presets():
    images = pictures(6, 32)
    assert torch.allclose(render_views(images, {"v": original(32)}, seed=0)["v"], images / 255, atol=1e-5)
    grey = render_views(images[:, :1].expand(-1, 3, -1, -1), {"v": simclr(24, grey=True)}, seed=0)["v"]
    assert (grey - grey[:, :1]).abs().max() < 1e-4
    assert {type(o).__name__ for o in photometric(32).geometry} == set()
    mirrored = View(32, photometric(32, flip=True).geometry)
    assert torch.allclose(render_views(images, {"v": mirrored}, seed=0)["v"], images.flip(3) / 255, atol=1e-5)
    assert pcl_face(32, pair=0) != pcl_face(32, pair=1)
    assert simclr(32, crop=0.5).geometry[0] == Crop((0.5, 1.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: View(0), "size"),
        (lambda: View(8, geometry=(Grey(),)), "geometry takes Crop"),
        (lambda: View(8, photometry=(Flip(),)), "photometry takes Jitter"),
        (lambda: View(8, copies=0), "copies"),
        (lambda: render(torch.rand(2, 1, 8, 8), View(8), draw(View(8), 2, generator())), "repeat grey"),
        (lambda: render(torch.ones(2, 3, 8, 8).long(), View(8), draw(View(8), 2, generator())), "int64"),
        (lambda: render(torch.rand(3, 3, 8, 8), View(8), draw(View(8), 2, generator())), "3 rows .* has 2"),
        (lambda: render_views(pictures(4), {}, seed=0, batch=6, first=3), "rows 3 … 6"),
        (lambda: render_views(pictures(4), {}, seed=0, landmarks=torch.zeros(3, 5, 2)), "landmarks are"),
    ],
)
def test_bad_calls_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
