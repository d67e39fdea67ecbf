"""What each method's losses are made of, against slow loops over views and faces; its own networks give the outputs."""

import math

import numpy as np
import pytest
import torch

from objective_parts import (
    FACES,
    agree,
    contrast,
    contrast_of_views,
    cosine,
    learned_weights,
    mean,
    pictures,
    rows,
    settled,
    without,
)
from vultus.methods.byol import BYOL, BYOLConfig
from vultus.methods.catalogue import METHODS, build_method
from vultus.methods.contrawarping import ContraWarping, ContraWarpingConfig
from vultus.methods.moco import MoCo, MoCoConfig
from vultus.methods.pcl import PCL, PCLConfig
from vultus.methods.simclr import SimCLR, SimCLRConfig
from vultus.methods.supervised import Supervised, SupervisedConfig

SIZE = 16
NARROW = {"encoder": "small", "hidden": 16, "projection": 6}


def made(kind, config, views, copy=None, seed=0):
    torch.manual_seed(seed)
    method = kind(config, SIZE)
    return settled(method, views, method.get_submodule(copy) if copy else None)


def predicted(method, views):
    """Of each view the online network's predictions and the target's projections, by name of the view."""
    predictions = {k: rows(v, method.online, method.predictor) for k, v in views.items()}
    return predictions, {k: rows(v, method.target.copy) for k, v in views.items()}


def missed(predictions, targets):
    """BYOL, eq. 2: of each view's prediction and the other view's target the squared distance of unit vectors."""
    ways = [("a", "b"), ("b", "a")]
    return sum(mean(2 - 2 * cosine(predictions[p][i], targets[z][i]) for i in range(FACES)) for p, z in ways)


def test_byol_predicts_the_other_view_both_ways():
    views = pictures("a", "b")
    method = made(BYOL, BYOLConfig(**NARROW), views, "target.copy")
    agree(method, views, {"prediction": missed(*predicted(method, views))})


@pytest.mark.parametrize("form", ["hinge", "triplet", "logistic", "infonce"])
def test_contrawarping_keeps_both_predictions_from_the_warped_face(form):
    views = pictures("a", "b", "warped")
    config = ContraWarpingConfig(**NARROW, form=form, margin=0.1, temperature=0.3, warped_weight=2.0)
    method = made(ContraWarping, config, views, "target.copy", seed=6)  # some faces beyond the margin, some not
    predictions, targets = predicted(method, views)
    away = []
    for mine, other in (("a", "b"), ("b", "a")):
        for i, p in enumerate(predictions[mine]):
            near, far = cosine(p, targets[other][i]), cosine(p, targets["warped"][i])
            each = {
                "hinge": max(0.0, far - 0.1),
                "triplet": max(0.0, far - near + 0.1),
                "logistic": math.log(1 + math.exp((far - near) / 0.3)),
                "infonce": contrast(p, targets[other][i], [*without(targets[other], i), targets["warped"][i]], 0.3),
            }
            away.append(each[form])
    assert max(away) > 0.1 and (min(away) == 0) == (form in ("hinge", "triplet"))
    agree(method, views, {"prediction": missed(predictions, targets), "warped": 2 * mean(away)})
    assert learned_weights(method) == {"prediction": 1.0, "warped": 2.0}


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_moco_v2_finds_the_other_views_key_among_those_of_the_past(temperature):
    views = pictures("a", "b")
    method = made(MoCo, MoCoConfig(**NARROW, queue=12, temperature=temperature), views, "key.copy")
    past = list(method.queue.rows.numpy().astype(np.float64))
    queries, keys = rows(views["a"], method.query), rows(views["b"], method.key.copy)
    expected = mean(contrast(q, k, past, temperature) for q, k in zip(queries, keys, strict=True))
    agree(method, views, {"contrast": expected})
    newest = [k / np.linalg.norm(k) for k in keys] + past[: 12 - FACES]
    np.testing.assert_allclose(method.queue.rows.numpy(), newest, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_moco_v3_finds_the_other_views_key_among_those_of_the_batch(temperature):
    views = pictures("a", "b")
    method = made(MoCo, MoCoConfig(**NARROW, version="v3", temperature=temperature), views, "key.copy")
    expected = 0.0
    for mine, other in (("a", "b"), ("b", "a")):
        keys = rows(views[other], method.key.copy)
        queries = rows(views[mine], method.query, method.predictor)
        expected += mean(contrast(q, keys[i], without(keys, i), temperature) for i, q in enumerate(queries))
    agree(method, views, {"contrast": expected})


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_simclr_tells_every_view_from_all_other_faces(temperature):
    views = pictures("a", "b")
    method = made(SimCLR, SimCLRConfig(**NARROW, temperature=temperature), views)
    a, b = (rows(views[k], method.encoder, method.head) for k in "ab")
    agree(method, views, {"contrast": contrast_of_views(a, b, temperature)})


COPIES = {"byol": "target", "contrawarping": "target", "moco": "key", "dino": "teacher", "pros": "teacher"}
ONLINE = {"byol": "online", "contrawarping": "online", "moco": "query", "dino": "student", "pros": "student"}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_follows_by_a_cosine_from_m_to_one(name):
    """BYOL, sect. 3.3: m = 1 − (1 − m₀)(cos πk/K + 1)/2; θ̄ ← m θ̄ + (1 − m) θ."""
    torch.manual_seed(0)
    ends = {"momentum_end": 1.0} if name == "moco" else {}
    method = build_method(METHODS[name][0](encoder="small", hidden=16, momentum=0.8, **ends), 2 * SIZE)
    copy, online = getattr(method, COPIES[name]), list(getattr(method, ONLINE[name]).parameters())
    with torch.no_grad():
        for weight in copy.parameters():
            weight.add_(torch.randn_like(weight))
    for done, m in ((0.0, 0.8), (0.25, 1 - 0.1 * (1 + math.sqrt(0.5))), (0.5, 0.9), (1.0, 1.0)):
        before = [weight.clone() for weight in copy.parameters()]
        copy.follow(done)
        for old, new, followed in zip(before, copy.parameters(), online, strict=True):
            assert (new - (m * old + (1 - m) * followed)).abs().max() < 1e-5, done


@pytest.mark.parametrize(("done", "m"), [(0.0, 0.6), (0.5, 0.7), (1.0, 0.8)])
def test_mocos_momentum_ends_where_it_is_told_to(done, m):
    torch.manual_seed(0)
    method = MoCo(MoCoConfig(**NARROW, momentum=0.6, momentum_end=0.8), SIZE)
    torch.nn.init.zeros_(method.key.copy.projector[0].weight)
    method.key.follow(done)
    expected = (1 - m) * method.query.projector[0].weight
    assert (method.key.copy.projector[0].weight - expected).abs().max() < 1e-6


def arcface(theta, m):
    return math.cos(theta + m) if theta < math.pi - m else math.cos(theta) - m * math.sin(m)


def sphereface(theta, m):
    k = 0
    while theta > (k + 1) * math.pi / m:
        k += 1
    return (-1) ** k * math.cos(m * theta) - 2 * k


NAMES = ("anna", "ben", "cleo", "dora")
MARGINS = [(arcface, 0.0, 0.5), (arcface, 0.3, 0.3), (sphereface, 0.0, 1.7), (sphereface, 3.0, 3.0)]


def taught(labels, **changes):
    """A supervised method, the faces with these labels, and its embeddings of them."""
    views = pictures("face") | {"label": labels}
    method = made(Supervised, SupervisedConfig(encoder="small", embedding=6, **changes), views)
    return method, views, rows(views["face"], method.encoder, method.embed)


def surprise(logits, label):
    return math.log(sum(math.exp(x) for x in logits)) - logits[label]


@pytest.mark.parametrize(("form", "margin", "used"), MARGINS, ids=lambda x: getattr(x, "__name__", str(x)))
@pytest.mark.parametrize("scale", [30.0, 8.0])
def test_margins_act_on_the_own_class_and_the_scale_on_all(form, margin, used, scale):
    """ArcFace (Deng et al. 2019), eq. 3; SphereFace (Liu et al. 2017), eq. 7, of unit embeddings and scaled."""
    labels = torch.tensor([2, 0, -1, 1, 0])
    method, views, codes = taught(labels, loss=form.__name__, margin=margin, scale=scale, outputs=NAMES)
    classes = method.outputs.weight.detach().numpy().astype(np.float64)
    each = []
    for code, label in zip(codes, labels.tolist(), strict=True):
        angles = [math.acos(cosine(code, w)) for w in classes]
        logits = [scale * (form(a, used) if k == label else math.cos(a)) for k, a in enumerate(angles)]
        each += [surprise(logits, label)] if label >= 0 else []
    agree(method, views, {"label": mean(each)})


def answers(method, codes):
    weight, bias = (p.detach().numpy().astype(np.float64) for p in method.outputs.parameters())
    return [weight @ code + bias for code in codes]


def test_classes_are_learned_by_their_cross_entropy():
    labels = torch.tensor([3, -1, 1, 1, 0])
    method, views, codes = taught(labels, loss="cross-entropy", outputs=NAMES)
    pairs = zip(answers(method, codes), labels.tolist(), strict=True)
    agree(method, views, {"label": mean(surprise(x, label) for x, label in pairs if label >= 0)})


def test_columns_are_learned_by_their_binary_cross_entropy():
    labels = torch.tensor([[1.0, 0.0], [math.nan, 0.8], [0.2, math.nan], [1.0, 1.0], [0.0, 0.0]])
    method, views, codes = taught(labels, loss="multi-label", outputs=NAMES[:2])
    each = []
    for row, label in zip(answers(method, codes), labels.tolist(), strict=True):
        known = [(x, y) for x, y in zip(row, label, strict=True) if not math.isnan(y)]
        each += [math.log(1 + math.exp(-x if y >= 0.5 else x)) for x, y in known]
    agree(method, views, {"label": mean(each)})


def test_numbers_are_learned_in_units_of_their_spread():
    centre, spread = (30.0, -5.0), (12.0, 3.0)
    labels = torch.tensor([[31.0, -4.0], [math.nan, -6.0], [50.0, math.nan], [8.0, -5.0], [33.0, 7.0]])
    changes = {"outputs": NAMES[:2], "centre": centre, "spread": spread}
    method, views, codes = taught(labels, loss="regression", **changes)
    each = []
    for row, label in zip(answers(method, codes), labels.tolist(), strict=True):
        for x, y, c, s in zip(row, label, centre, spread, strict=True):
            gap = abs(x - (y - c) / s)
            each += [] if math.isnan(y) else [gap**2 / 2 if gap < 1 else gap - 0.5]
    agree(method, views, {"label": mean(each)})


def orthogonal(form, faces, poses):
    """PCL's L_orth of flattened maps: squared cosines of each face, or the mean squared entry of the correlation."""
    if form == "dot":
        return mean(cosine(f, p) ** 2 for f, p in zip(faces, poses, strict=True))
    f, p = ([x - np.mean(maps, axis=0) for x in maps] for maps in (faces, poses))
    f, p = ([x / np.linalg.norm(x) for x in maps] for maps in (f, p))
    return float(np.square(sum(np.outer(x, y) for x, y in zip(f, p, strict=True))).mean())


@pytest.mark.parametrize(
    ("pose", "form", "flips", "weight"),
    [("own", "dot", 3, 1.0), ("batch", "correlation", 2, 0.5), ("queue", "dot", 1, 2.0)],
)
def test_pcl_is_the_sum_of_its_four_losses(pose, form, flips, weight):
    """PCL, sect. 3: L_face and L_pose over views, L_dis over four drawings, L_orth of a face and its flip."""
    views = pictures("face_0", "face_1", "whole", "pose_0", "pose_1") | pictures("flips", count=FACES * flips)
    changes = {"pose": pose, "orthogonal": form, "flips": flips, "pose_weight": weight}
    config = PCLConfig(**NARROW, **changes, mix=0.0, noise=0.0, queue=12, temperature=0.3)
    method = made(PCL, config, views)
    past = list(method.past.rows.numpy().astype(np.float64)) if pose == "queue" else []
    face = [rows(views[k], method.encoder, method.to_face, method.face_head) for k in ("face_0", "face_1")]
    a, b, flipped = (
        rows(views[k], method.encoder, method.to_pose, method.pose_head) for k in ("pose_0", "pose_1", "flips")
    )
    posed, drawn, apart = 0.0, 0.0, 0.0
    for i in range(FACES):
        negatives = flipped[i * flips : (i + 1) * flips] if pose == "own" else [*flipped, *past]
        posed += (contrast(a[i], b[i], negatives, 0.3) + contrast(b[i], a[i], negatives, 0.3)) / FACES
    frames = (views["whole"], views["whole"].flip(-1))
    with torch.no_grad():
        faces = [method.to_face(method.encoder(x)) for x in frames]
        poses = [method.to_pose(method.encoder(x)) for x in frames]
        for target, told in zip(frames, poses, strict=True):  # whose pose it is decides what is to be drawn
            drawn += sum((method.decode(f, told) - target).abs().mean().item() for f in faces)
        for f, p in zip(faces, poses, strict=True):
            apart += orthogonal(form, *(list(x.flatten(1).numpy().astype(np.float64)) for x in (f, p)))
    expected = {"face": contrast_of_views(*face, 0.3), "pose": posed, "reconstruction": drawn, "orthogonality": apart}
    agree(method, views, expected)
    assert learned_weights(method) == {"reconstruction": 1.0, "orthogonality": 1.0, "pose": weight, "face": 1.0}
