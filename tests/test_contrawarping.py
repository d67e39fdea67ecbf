"""ContraWarping's views: its negatives differ from its positives by a warp and by nothing else."""

from dataclasses import replace

import pytest
import torch

from method_parts import above, fine_power
from vultus.methods.contrawarping import EXPRESSIVE, ContraWarping, ContraWarpingConfig
from vultus.views import Shared, View, draw, render_views


def test_warped_views_differ_from_positives_in_nothing_but_the_warp():
    views = ContraWarping(ContraWarpingConfig(encoder="small", magnitude=5.0), 48).views()
    identity, warp = views["a"].geometry[0], views["warped"].geometry[0]
    assert (identity.magnitude, warp.magnitude) == (0.0, 0.05)
    assert replace(warp, magnitude=0.0) == identity
    assert replace(views["warped"], geometry=views["a"].geometry) == views["a"] == views["b"]


@pytest.mark.parametrize("low", [8, 14, 20])
def test_fine_detail_does_not_tell_warped_faces_from_positives(low):
    """On noise, high frequencies' power ranks warped faces and positives as a coin would; a plain resize stands out.

    Power alone: a warp squeezes here and stretches there, which moves the mean by a few per cent.
    """
    method = ContraWarping(ContraWarpingConfig(encoder="small"), 48)
    noise = torch.rand(600, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    views = {k: replace(v, photometry=()) for k, v in method.views().items()} | {"plain": View(48)}
    power = fine_power(render_views(noise, views, seed=3), low)
    assert abs(above(power["warped"], power["a"]) - 0.5) < 0.07
    assert abs(above(power["b"], power["a"]) - 0.5) < 0.05
    assert above(power["plain"], power["a"]) > 0.95


def test_bumps_stand_at_landmarks_if_asked_and_else_at_places_of_a_usual_face():
    asked = ContraWarping(ContraWarpingConfig(encoder="small", control="landmarks"), 48).views()
    assert all(view.geometry[0].at_landmarks for view in asked.values())
    marks = torch.full((4, 3, 2), float("nan"))
    marks[:2] = torch.tensor([0.9, 0.1])

    def centres(landmarks):
        drawn = draw(asked["warped"], 4, torch.Generator().manual_seed(0), shared=Shared(landmarks=landmarks))
        return (drawn.geometry[1].centres + 1) / 2

    assert (centres(marks)[:2] - torch.tensor([0.9, 0.1])).abs().max() < 1e-6
    for unknown in (centres(marks)[2:], centres(None)):
        assert (unknown[:, :, None] - torch.tensor(EXPRESSIVE)).norm(dim=-1).amin(2).max() < 1e-6
