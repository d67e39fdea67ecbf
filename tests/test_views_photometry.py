"""Colour, blur, edges, noise: against torchvision's functions."""

import pytest
import torch
import torchvision.transforms.functional as tvf
from torchvision.transforms import ColorJitter

from vultus.views import Blur, Erase, Grey, Jitter, Noise, Sobel, Solarise, View, colour, draw, render
from vultus.views.noise import normal
from vultus.views.photometry import gaussian_blur, sobel


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def muted(batch: int = 4, side: int = 24, low: float = 0.35, high: float = 0.6) -> torch.Tensor:
    """Pictures whose colours no adjustment below drives out of 0…1, so that nothing is clamped."""
    return low + (high - low) * torch.rand(batch, 3, side, side, generator=generator(9))


def rendered(images: torch.Tensor, *photometry, seed: int = 0) -> torch.Tensor:
    view = View(images.shape[-1], photometry=photometry)
    return render(images, view, draw(view, len(images), generator(seed)))


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.5])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (colour.brightness, tvf.adjust_brightness),
        (colour.contrast, tvf.adjust_contrast),
        (colour.saturation, tvf.adjust_saturation),
    ],
)
def test_factors_equal_torchvisions(ours, theirs, factor):
    images = muted()
    out = ours(torch.full((4,), factor))(images.clone())
    assert torch.allclose(out, torch.stack([theirs(i, factor) for i in images]), atol=2e-4)


@pytest.mark.parametrize("third", [1 / 3, -1 / 3])
def test_hue_equals_torchvisions_at_thirds_of_a_turn(third):
    images = muted()
    out = colour.hue(torch.full((4,), third))(images.clone())
    expected = torch.stack([tvf.adjust_hue(i, third) for i in images])
    assert torch.allclose(out, expected, atol=1e-4)


def test_small_hue_shifts_tint_like_torchvisions():
    """Compared without the grey part, which HSV changes and the rotation keeps."""
    images = muted()

    def tint(x):
        return x - x.mean(1, keepdim=True)

    for shift in (-0.1, -0.05, 0.05, 0.1):
        out = colour.hue(torch.full((4,), shift))(images.clone())
        expected = torch.stack([tvf.adjust_hue(i, shift) for i in images])
        assert (tint(out) - tint(expected)).square().mean() < 0.1 * (tint(expected) - tint(images)).square().mean()
        assert torch.allclose(out.mean(1), images.mean(1), atol=1e-5)


def test_chained_colour_equals_one_adjustment_after_the_other():
    """The mean that contrast needs is carried through what stands before it."""
    images, n = muted(low=0.4, high=0.55), 4
    s, c, b = (torch.full((n,), v) for v in (0.3, 1.4, 0.8))
    chain = colour.saturation(s).then(colour.hue(torch.full((n,), 0.1))).then(colour.contrast(c))
    chain = chain.then(colour.brightness(b)).then(colour.contrast(c))
    step = colour.hue(torch.full((n,), 0.1))(colour.saturation(s)(images))
    for adjust, factor in ((tvf.adjust_contrast, 1.4), (tvf.adjust_brightness, 0.8), (tvf.adjust_contrast, 1.4)):
        step = torch.stack([adjust(i, factor) for i in step])
    assert torch.allclose(chain(images), step, atol=5e-4)


def test_jitter_has_torchvisions_statistics():
    images = muted(1, 8).expand(800, -1, -1, -1)
    ours = rendered(images, Jitter(0.4, 0.4, 0.4, 0.0, p=1.0))
    torch.manual_seed(0)
    theirs = torch.stack([ColorJitter(0.4, 0.4, 0.4)(i) for i in images])
    for what in (lambda x: x.mean((2, 3)), lambda x: x.std((2, 3))):
        a, b = what(ours), what(theirs)
        assert torch.allclose(a.mean(0), b.mean(0), atol=0.015)
        assert torch.allclose(a.std(0), b.std(0), atol=0.01)


def test_jitter_orders_differ():
    """Contrast before and after brightness differ, so equal factors in random order give several results."""
    view = View(8, photometry=(Jitter(0.5, 0.5, 0.0, 0.0, p=1.0),))
    drawn = draw(view, 500, generator())
    slope = drawn.photometry[0].pixel[:, 0, 0]
    gain = (drawn.photometry[0].pixel + drawn.photometry[0].mean).sum(2)[:, 0]  # of a flat picture: b, in any order
    assert torch.allclose(gain.clamp(0.5, 1.5), gain, atol=1e-4)
    assert ((slope / gain - 1).abs() > 0.05).float().mean() > 0.5


@pytest.mark.parametrize(
    "operation", [Jitter(p=0.3), Grey(0.3), Blur(p=0.3, sigma=(1, 2)), Sobel(0.3), Solarise(0.4, 0.3)]
)
def test_probability_and_untouched_faces(operation):
    images = torch.rand(600, 3, 12, 12, generator=generator())
    touched = (rendered(images, operation) - images).abs().amax((1, 2, 3)) > 1e-4
    assert abs(touched.float().mean() - 0.3) < 0.06
    assert (rendered(images, operation)[~touched] - images[~touched]).abs().max() < 1e-5
    never = type(operation)(p=0.0)
    assert torch.allclose(rendered(images, never), images, atol=1e-5)


def test_grey_is_the_luma_of_torchvision():
    images = muted()
    assert torch.allclose(rendered(images, Grey(1.0)), tvf.rgb_to_grayscale(images, 3), atol=2e-4)


@pytest.mark.parametrize("radius", [1, 3, 5])
def test_blur_equals_torchvisions(radius):
    images, sigma = muted(5), torch.tensor([0.1, 0.5, 1.0, 1.7, 2.0])
    expected = [tvf.gaussian_blur(i, 2 * radius + 1, [float(s)] * 2) for i, s in zip(images, sigma, strict=True)]
    assert torch.allclose(gaussian_blur(images, sigma, radius), torch.stack(expected), atol=1e-5)


def test_each_face_is_blurred_with_its_own_sigma():
    images = muted(64, 30)
    view = View(30, photometry=(Blur(kernel=0.25, sigma=(0.1, 2.0), p=0.7),))
    drawn = draw(view, 64, generator())
    blur, out = drawn.photometry[0], render(images, view, drawn)
    for face in range(64):
        want = tvf.gaussian_blur(images[face], 7, [float(blur.sigma[face])] * 2) if blur.on[face] else images[face]
        assert torch.allclose(out[face], want, atol=1e-4)


def test_sobel_of_a_step_and_of_a_corner():
    image = torch.zeros(1, 3, 9, 9)
    image[..., 5:] = 0.2
    assert torch.allclose(sobel(image)[0, 0, 4], torch.tensor([0, 0, 0, 0, 0.8, 0.8, 0, 0, 0]))
    assert sobel(5 * image).max() == 1
    corner = torch.zeros(1, 3, 5, 5)
    corner[..., 2:, 2:] = 0.1
    # by hand at pixel (2, 2): gx = gy = (1 + 2) · 0.1
    assert float(sobel(corner)[0, 0, 2, 2]) == pytest.approx(0.3 * 2**0.5)


def test_solarise_equals_torchvisions():
    images = torch.rand(3, 3, 16, 16, generator=generator())
    assert torch.allclose(rendered(images, Solarise(0.6, 1.0)), tvf.solarize(images, 0.6), atol=1e-5)


def test_erase_fills_a_box_of_the_drawn_area():
    images = torch.ones(300, 3, 64, 64)
    gone = rendered(images, Erase(p=1.0, scale=(0.1, 0.3), value=0.25)) == 0.25
    assert (gone == gone[:, :1]).all()
    rows, columns = gone[:, 0].any(2).sum(1), gone[:, 0].any(1).sum(1)
    area = gone[:, 0].sum((1, 2))
    assert torch.equal(area, rows * columns)
    assert (area / 4096).min() > 0.08 and (area / 4096).max() < 0.33 and abs((area / 4096).mean() - 0.2) < 0.02


def test_noise_is_normal_and_independent():
    noise = normal(torch.arange(40, dtype=torch.int32), 3 * 63 * 63)  # an odd count
    assert noise.shape == (40, 11907)
    assert noise.mean(1).abs().max() < 0.05 and (noise.std(1) - 1).abs().max() < 0.04
    levels = torch.tensor([0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999])
    assert torch.allclose(noise[:20].flatten().quantile(levels), torch.special.ndtri(levels), atol=0.03)
    between_faces = torch.corrcoef(noise) - torch.eye(40)
    assert between_faces.abs().max() < 0.05
    halves = noise[:, :5953] * noise[:, 5953:11906]  # both come from one hash
    neighbours = noise[:, 1:] * noise[:, :-1]
    assert halves.mean().abs() < 0.01 and neighbours.mean().abs() < 0.01


def test_noise_has_its_std_and_differs_between_views():
    images = torch.full((8, 3, 32, 32), 0.5)
    out = rendered(images, Noise(0.05))
    assert abs((out - 0.5).std() - 0.05) < 0.002
    assert not torch.equal(out, rendered(images, Noise(0.05), seed=1))
    assert not torch.equal(out[0], out[1])
    assert torch.equal(rendered(images, Noise(0.0)), rendered(images))


def test_grey_pictures_stay_grey_under_colour():
    images = torch.rand(32, 1, 16, 16, generator=generator()).expand(-1, 3, -1, -1)
    out = rendered(images, Jitter(0.8, 0.8, 0.8, 0.5, p=1.0), Grey(0.5), Blur(p=0.5), Sobel(0.5))
    assert (out - out[:, :1]).abs().max() < 1e-4


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Jitter(hue=0.6),
        lambda: Jitter(brightness=-0.1),
        lambda: Grey(p=-0.1),
        lambda: Blur(kernel=1.5),
        lambda: Blur(sigma=(0.0, 1.0)),
        lambda: Sobel(p=2),
        lambda: Solarise(threshold=1.2),
        lambda: Noise(std=-1),
        lambda: Erase(scale=(0.1, 1.1)),
        lambda: Erase(value=7),
    ],
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError, match=r"^(Jitter|Grey|Blur|Sobel|Solarise|Noise|Erase): .*got"):
        bad()
