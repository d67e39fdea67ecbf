"""vultus: the flow against a slow loop, what the two branches are asked of, which faces are told apart."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vultus.methods.losses import info_nce
from vultus.methods.mover import Mover
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.nets.flow import warp
from vultus.views import render_views

SIZE, BATCH = 32, 8


def small(**changes):
    torch.manual_seed(0)
    config = VultusConfig(encoder="small", hidden=16, projection=8, embedding=16)
    return Vultus(replace(config, **changes), SIZE)


def views_of(method):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(BATCH, 3, 4, 4, generator=generator)
    images = nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic").clamp(0, 1)
    return render_views(images, method.views(), seed=0)


def test_what_is_missed_is_the_loop_over_both_directions():
    torch.manual_seed(1)
    mover = Mover(12, 5, 16, reach=0.5).eval()  # a face is drawn whatever the batch around it
    nn.init.normal_(mover.flow.out.weight, std=0.5)  # far from the identity
    frames, maps = torch.rand(6, 3, 16, 16), torch.randn(6, 3, 2, 2)
    codes = mover.embed(maps.flatten(1))
    total = 0.0
    for mine in range(6):
        other = (mine + 3) % 6
        flow = mover.flow(torch.cat([codes[mine], codes[other]])[None])
        total += (warp(frames[mine : mine + 1], flow) - frames[other]).abs().mean().item()
    assert mover.missed(frames, mover.code(maps)).item() == pytest.approx(total / 6, rel=1e-4)


def test_a_flow_of_nothing_misses_by_how_the_pictures_differ():
    method = small()
    nn.init.zeros_(method.mover.flow.out.weight)
    views = views_of(method)
    assert method.losses(views)["flow"].item() == pytest.approx(
        (views["source"] - views["target"]).abs().mean().item(), abs=1e-4
    )


@pytest.mark.parametrize(("part", "faces"), [(1.0, 8), (0.5, 4), (0.25, 2)])
def test_as_many_faces_are_told_apart_as_there_are_crops(part, faces):
    method = small(face_part=part).eval()  # of a projector that norms nothing by its batch, rows are rows
    views = views_of(method)
    assert len(views["crop"]) == faces and len(views["source"]) == BATCH
    with torch.no_grad():
        source, crop = (method.features(views[name][:faces])["face"] for name in ("source", "crop"))
        expected = info_nce(source, crop, method.config.temperature)
        torch.testing.assert_close(method.losses(views)["face"], expected, atol=1e-4, rtol=1e-4)


def test_the_target_may_be_another_picture_of_the_person_and_the_crop_may_not():
    images, partners = torch.zeros(2, 3, SIZE, SIZE), torch.ones(2, 3, SIZE, SIZE)
    shown = render_views(images, small(jitter=0.0).views(), seed=0, partners=partners)
    assert shown["source"].max() < 1e-5 and shown["crop"].max() < 0.5 < shown["target"].min()


def test_the_faces_loss_does_not_see_targets_nor_the_flow_crops():
    method = small().eval()
    views = views_of(method)
    before = method.losses(views)
    others = method.losses(views | {"target": views["target"].flip(0)})
    assert others["face"].item() == pytest.approx(before["face"].item(), abs=1e-6)
    assert abs(others["flow"] - before["flow"]) > 1e-3
    crops = method.losses(views | {"crop": views["crop"].flip(0)})
    assert crops["flow"].item() == pytest.approx(before["flow"].item(), abs=1e-6)
    assert abs(crops["face"] - before["face"]) > 1e-3
