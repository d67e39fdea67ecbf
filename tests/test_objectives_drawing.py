"""The methods that draw: every named loss, and what it teaches, against slow loops over faces."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from objective_parts import FACES, agree, contrast_of_views, learned_weights, pictures, rows, settled
from vultus.methods.deformae import DeformAE, DeformAEConfig
from vultus.methods.fabnet import FAbNet, FAbNetConfig
from vultus.methods.facecycle import LOSSES, FaceCycle, FaceCycleConfig
from vultus.methods.splitbrain import SplitBrain, SplitBrainConfig
from vultus.methods.tcae import TCAE, TCAEConfig
from vultus.methods.vultus import Vultus, VultusConfig
from vultus.nets.flow import FieldDecoder, inverse, placed, warp

SIZE = 16


def made(kind, config, views):
    """The method with fields far from zero, its encoder one that passes gradients to what it reads."""
    torch.manual_seed(0)
    method = kind(replace(config, encoder="small"), SIZE)
    for module in method.modules():
        if isinstance(module, FieldDecoder):
            nn.init.normal_(module.out.weight, std=0.05)
    return settled(method, views)


def gap(a, b):
    return (a - b).abs().mean()


def each_face(views, *names):
    """The views of one face after the other, batches of one."""
    return zip(*(views[name].split(1) for name in names), strict=True)


def taught_by(method, loss):
    """The gradient of a loss at all weights, as one row."""
    weights = list(method.parameters())
    found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten() for w, g in zip(weights, found, strict=True)])


def agree_and_teach_alike(method, views, expected):
    """Values and gradients: what a loss holds fixed shows in the second alone."""
    found = method.losses(views)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert value.item() > 1e-4, name
        assert found[name].item() == pytest.approx(value.item(), rel=1e-3), name
        right = taught_by(method, value)
        assert (taught_by(method, found[name]) - right).norm() < 0.01 * right.norm(), name


def means(terms):
    """Of a list of losses by name, one of each face, the means."""
    return {name: torch.stack([term[name] for term in terms]).mean() for name in terms[0]}


def read(method, image, *heads):
    """The codes that heads make of one face's map."""
    found = method.encoder(image).flatten(1)
    return [head(found) for head in heads]


def test_fabnet_draws_each_frame_from_the_other():
    views = pictures("source", "target")
    method = made(FAbNet, FAbNetConfig(embedding=8), views)
    terms = []
    for source, target in each_face(views, "source", "target"):
        (s,), (t,) = (read(method, x, method.mover.embed) for x in (source, target))
        there, back = (method.mover.flow(torch.cat(codes, 1)) for codes in ((s, t), (t, s)))
        terms.append({"reconstruction": (gap(warp(source, there), target) + gap(warp(target, back), source)) / 2})
    agree_and_teach_alike(method, views, means(terms))


def test_vultus_tells_apart_the_sources_that_have_crops_and_draws_all_frames():
    views = pictures("source", "target")
    views["crop"] = pictures("source", "target", "crop")["crop"][:3]
    config = VultusConfig(hidden=16, projection=6, embedding=8, temperature=0.3, flow_weight=7.0)
    method = made(Vultus, config, views)
    face = [rows(x, method.encoder, method.face_head) for x in (views["source"][:3], views["crop"])]
    missed = 0.0
    for source, target in each_face(views, "source", "target"):
        (s,), (t,) = (read(method, x, method.mover.embed) for x in (source, target))
        there, back = (method.mover.flow(torch.cat(codes, 1)) for codes in ((s, t), (t, s)))
        missed += (gap(warp(source, there), target) + gap(warp(target, back), source)).item() / 2 / FACES
    agree(method, views, {"face": contrast_of_views(*face, 0.3), "flow": missed})
    assert learned_weights(method) == {"face": 1.0, "flow": 7.0}


def test_tcae_is_the_loop_over_faces():
    """Li et al. 2019, as the module states it: what is asked for, and what is drawn from, teaches nothing."""
    views = pictures("source", "target")
    method = made(TCAE, TCAEConfig(embedding=8), views)
    heads, terms = (method.to_action, method.to_pose), []

    def squares(code, asked):
        return (code - asked.detach()).square().mean()

    for source, target in each_face(views, "source", "target"):
        (a_s, p_s), (a_t, p_t) = read(method, source, *heads), read(method, target, *heads)
        action, pose = method.action_flow(torch.cat([a_s, a_t], 1)), method.pose_flow(torch.cat([p_s, p_t], 1))
        share = action[:, 2:].exp() / (action[:, 2:].exp() + pose[:, 2:].exp())
        by_action, by_pose = warp(source, action[:, :2]), warp(source, pose[:, :2])
        by_both = warp(source, share * action[:, :2] + (1 - share) * pose[:, :2])
        (a_1, p_1), (a_2, p_2), (a_3, p_3) = (read(method, face, *heads) for face in (by_action, by_pose, by_both))
        undone = warp(by_action.detach(), method.action_flow(torch.cat([a_1, a_s], 1))[:, :2])
        turned = warp(by_pose.detach(), method.pose_flow(torch.cat([p_2, p_s], 1))[:, :2])
        asked = [(a_1, a_t), (p_1, p_s), (a_2, a_s), (p_2, p_t), (a_3, a_t), (p_3, p_t)]
        terms.append(
            {
                "reconstruction": gap(by_both, target),
                "cycle": gap(undone, source) + gap(turned, source),
                "consistency": torch.stack([squares(*pair) for pair in asked]).sum(),
                "sparsity": action[:, :2].abs().mean(),
            }
        )
    agree_and_teach_alike(method, views, means(terms))


def steepness(fields):
    """Mean slope along x and along y, in units a point."""
    along_x = (fields[..., 1:] - fields[..., :-1]).abs().mean() * SIZE / 2
    return along_x + (fields[..., 1:, :] - fields[..., :-1, :]).abs().mean() * SIZE / 2


def test_facecycle_is_the_loop_over_frames():
    """The module's seven losses: neutral faces without gradient where identity is learned, exchanged for motion."""
    views = pictures("source", "target")
    method = made(FaceCycle, FaceCycleConfig(embedding=8), views)
    frames = [*views["source"].split(1), *views["target"].split(1)]
    codes = [[code.tanh() for code in read(method, x, method.to_expression, method.to_identity)] for x in frames]
    flows = [method.motion(expression) for expression, _ in codes]
    persons = [method.person(identity) for _, identity in codes]
    neutral = [warp(x, flow) for x, flow in zip(frames, flows, strict=True)]
    anyone = [
        (warp(face.detach(), person[:, :2]) - person[:, 3:]) / person[:, 2:3].exp()
        for face, person in zip(neutral, persons, strict=True)
    ]
    everyone = torch.stack(anyone).mean(0)
    terms = []
    for i, (frame, flow, person) in enumerate(zip(frames, flows, persons, strict=True)):
        other, back = neutral[(i + FACES) % len(frames)], inverse(flow)
        again = warp(everyone * person[:, 2:3].exp() + person[:, 3:], inverse(person[:, :2]))
        terms.append(
            {
                "motion": (gap(warp(neutral[i], back), frame) + gap(warp(other, back), frame)) / 2,
                "neutral": gap(neutral[i], other),
                "symmetry": gap(neutral[i], neutral[i].flip(-1)),
                "mean": gap(anyone[i], everyone),
                "identity": gap(again, neutral[i].detach()),
                "reconstruction": gap(warp(again, back), frame),
                "smoothness": steepness(flow) + steepness(person[:, :2]),
            }
        )
    agree_and_teach_alike(method, views, means(terms))
    assert list(method.weights) == list(LOSSES)


def test_deformae_is_the_loop_over_faces():
    """Shu et al. 2018: the template drawn by the local flow, then by the affine map; what the flows share is paid."""
    views = pictures("face")
    method = made(DeformAE, DeformAEConfig(appearance=4, deformation=8), views)
    nn.init.normal_(method.to_affine.weight, std=0.5)
    terms, flows = [], []
    for (face,) in each_face(views, "face"):
        appearance, deformation = read(method, face, method.to_appearance, method.to_deformation)
        local, change = method.deformation(deformation)
        flows.append(placed(local, change))
        terms.append(
            {
                "reconstruction": gap(warp(method.template(appearance), flows[-1]), face),
                "smoothness": steepness(local),
                "affine": change.square().mean(),
            }
        )
    agree_and_teach_alike(method, views, means(terms) | {"bias": torch.stack(flows).mean(0).square().mean()})


@pytest.mark.parametrize(("channels", "names"), [("colour", ("lightness", "colour")), ("bands", ("coarse", "fine"))])
def test_splitbrain_draws_each_half_from_the_other(channels, names):
    views = pictures("face")
    method = made(SplitBrain, SplitBrainConfig(channels=channels, first=2.0, second=3.0), views)
    terms = []
    for (face,) in each_face(views, "face"):
        first, second = method.encoder.halves(face)
        drawn_first = method.draw_first(method.encoder.second(second))
        drawn_second = method.draw_second(method.encoder.first(first))
        pairs = ((drawn_first, first), (drawn_second, second))
        terms.append({name: (a - b).square().mean() for name, (a, b) in zip(names, pairs, strict=True)})
    agree_and_teach_alike(method, views, means(terms))
    assert learned_weights(method) == dict(zip(names, (2.0, 3.0), strict=True))
