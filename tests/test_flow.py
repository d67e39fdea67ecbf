"""Flows: what they draw, how they are undone, which grids never fold."""

import math

import pytest
import torch
from torch import nn

from vultus.nets.flow import FieldDecoder, FlowDecoder, inverse, monotone, placed, points, warp


def rippled(strength=0.1, size=48):
    """A smooth flow (1, 2, S, S) that vanishes at the edges."""
    x, y = points(torch.zeros(1, 2, size, size)).unbind(1)
    edge = (1 - x**2) * (1 - y**2)
    return strength * torch.stack([edge * (2 * y).sin(), edge * (3 * x).cos()], 1)


def test_a_flow_of_zero_is_the_identity_and_a_constant_one_a_shift():
    images = torch.rand(2, 3, 8, 12)
    torch.testing.assert_close(warp(images, torch.zeros(2, 2, 8, 12)), images, atol=1e-5, rtol=0)
    right = torch.zeros(2, 2, 8, 12)
    right[:, 0] = 3 * 2 / 12  # three pixels in points
    down = torch.zeros(2, 2, 8, 12)
    down[:, 1] = 2 * 2 / 8
    torch.testing.assert_close(warp(images, right)[..., :9], images[..., 3:], atol=1e-5, rtol=0)
    torch.testing.assert_close(warp(images, down)[:, :, :6], images[:, :, 2:], atol=1e-5, rtol=0)
    # beyond the edge lies the mirror image, or the nearest pixel
    torch.testing.assert_close(warp(images, right)[..., 9:], images[..., 9:].flip(-1), atol=1e-5, rtol=0)
    nearest = images[..., 11:].expand(-1, -1, -1, 3)
    torch.testing.assert_close(warp(images, right, "border")[..., 9:], nearest, atol=1e-5, rtol=0)


def test_warp_is_the_bilinear_loop():
    torch.manual_seed(0)
    image, flow = torch.rand(1, 1, 6, 6), 0.3 * (torch.rand(1, 2, 6, 6) - 0.5)
    drawn = warp(image, flow)
    for row in range(2, 4):
        for column in range(2, 4):
            x = column + float(flow[0, 0, row, column]) * 3
            y = row + float(flow[0, 1, row, column]) * 3
            left, top = math.floor(x), math.floor(y)
            expected = sum(
                float(image[0, 0, top + j, left + i]) * abs(1 - i - (x - left)) * abs(1 - j - (y - top))
                for i in (0, 1)
                for j in (0, 1)
            )
            assert drawn[0, 0, row, column].item() == pytest.approx(expected, abs=1e-5)


def test_warp_keeps_its_digits_under_autocast_and_passes_gradients_to_the_flow():
    images, flow = torch.rand(2, 3, 8, 8), (0.1 * torch.randn(2, 2, 8, 8)).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        drawn = warp(images.bfloat16(), flow)
    assert drawn.dtype == torch.float32
    torch.testing.assert_close(drawn, warp(images.bfloat16().float(), flow))
    drawn.sum().backward()
    assert flow.grad.abs().sum() > 0


def test_the_inverse_undoes_a_flow():
    flow = rippled()
    back = inverse(flow, 6)
    assert (back + warp(flow, back, "border")).abs().max() < 1e-3 < flow.abs().max()
    picture = nn.functional.interpolate(torch.rand(1, 3, 4, 4), size=(48, 48), mode="bicubic")
    back = warp(warp(picture, flow), inverse(flow))
    assert (back - picture).abs().mean() < 0.15 * (warp(picture, flow) - picture).abs().mean()
    assert torch.equal(inverse(torch.zeros(1, 2, 8, 8)), torch.zeros(1, 2, 8, 8))


def test_monotone_is_the_running_sum_of_steps():
    torch.manual_seed(1)
    logs = torch.randn(1, 2, 5, 4)
    places = (monotone(logs) + points(logs))[0]
    for row in range(5):
        steps = [math.exp(v) for v in logs[0, 0, row].tolist()]
        for i in range(4):
            expected = (sum(steps[:i]) + steps[i] / 2 - sum(steps) / 2) / 2  # two pixels are a point
            assert places[0, row, i].item() == pytest.approx(expected, abs=1e-5)
    for column in range(4):
        steps = [math.exp(v) for v in logs[0, 1, :, column].tolist()]
        for i in range(5):
            expected = (sum(steps[:i]) + steps[i] / 2 - sum(steps) / 2) / 2.5
            assert places[1, i, column].item() == pytest.approx(expected, abs=1e-5)
    assert (places[0].diff(dim=1) > 0).all() and (places[1].diff(dim=0) > 0).all()
    assert monotone(torch.zeros(1, 2, 16, 16)).abs().max() < 1e-5


def test_placed_moves_the_points_of_a_flow():
    flow, change = rippled(size=8), torch.tensor([[[0.1, -0.2, 0.3], [0.0, 0.4, -0.1]]])
    q = (points(flow) + flow)[0, :, 5, 2]
    moved = (points(flow) + placed(flow, change))[0, :, 5, 2]
    expected = [1.1 * q[0] - 0.2 * q[1] + 0.3, 1.4 * q[1] - 0.1]
    torch.testing.assert_close(moved, torch.stack(expected))
    torch.testing.assert_close(placed(flow, torch.zeros(1, 2, 3)), flow)


@pytest.mark.parametrize("size", [16, 48])
def test_a_flow_decoder_begins_near_the_identity_and_stays_within_its_reach(size):
    torch.manual_seed(0)
    decoder = FlowDecoder(8, size, reach=0.3, extra=2)
    code = torch.randn(5, 8)
    fields = decoder(code)
    assert fields.shape == (5, 4, size, size) and fields.dtype == torch.float32
    assert 0 < fields.abs().mean() < 0.1
    nn.init.normal_(decoder.out.weight, std=5.0)
    wild = decoder(code)
    assert 0.25 < wild[:, :2].abs().max() <= 0.3 and 0.9 < wild[:, 2:].abs().max() <= 1
    wild.square().sum().backward()
    assert all(p.grad is not None for p in decoder.parameters())


def test_a_field_decoder_says_which_sizes_it_takes():
    with pytest.raises(ValueError, match=r"multiples of 16, got 40"):
        FieldDecoder(8, 40, 2)
