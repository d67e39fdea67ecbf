"""Disentanglement on planted answers: what a feature holds, what an oracle draws, what changes a feature."""

import importlib.util
import json
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import jpeg
from evaluation_faces import Labelled
from vultus import cli
from vultus.evaluation import disentanglement
from vultus.evaluation.disentanglement import Disentanglement, disentangle, keep, known_set, read_disentanglement
from vultus.evaluation.disentanglement_table import RENDERED, grids
from vultus.evaluation.factors import leakage_of
from vultus.evaluation.invariance import between_people, curves, directions
from vultus.evaluation.rendered import Sweep, Triples, people, pictures, sweeps, swept, triple, triples
from vultus.evaluation.swap import follows_pose, swap_errors
from vultus.faces.faceset import write
from vultus.faces.record import Record
from vultus.faces.synthetic import AU_NAMES, prototype
from vultus.methods.catalogue import build_method
from vultus.methods.model import save_model
from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.report.disentanglement import COLUMNS, ROWS, write_pictures
from vultus.report.disentanglement import disentanglement as section
from vultus.report.sheets import CLEAR, GAP, LETTERS

needs_mesh = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None, reason="the package anny (extra 'synthetic') is not installed"
)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def labelled(count=60, each=6):
    """People turned at random, without expression."""
    angles = normal(count * each, 3) * [20, 10, 5]
    names = np.repeat([f"p{i}" for i in range(count)], each)
    columns = dict(zip(("yaw", "pitch", "roll"), angles.T.astype(np.float32), strict=True))
    return Labelled(identity=names, **columns), angles


def test_leakage_finds_what_was_planted_in_each_feature():
    faces, angles = labelled()
    noise = normal(len(faces), 12, seed=1)
    pose = angles / [20, 10, 5] @ normal(3, 12, seed=2)
    person = np.repeat(normal(60, 12, seed=3), 6, axis=0)
    features = {"pose": pose + 0.1 * noise, "person": person + 0.3 * noise, "both": np.concatenate([pose, person], 1)}
    found = leakage_of({k: v.astype(np.float32) for k, v in features.items()}, faces, method="planted")
    value = {(f.feature, f.task, f.metric): f for f in found.figures}
    assert set(value) == {
        (f, *m) for f in features for m in (("identity", "accuracy"), ("head_pose", "mae"), ("head_pose", "r2"))
    }
    assert found.left_out == dict.fromkeys(("expression", "pose_class"), "the set lacks its labels")
    assert value["person", "identity", "accuracy"].value > 0.95
    assert value["pose", "identity", "accuracy"].value < 0.6
    assert value["pose", "head_pose", "mae"].value < 2 < 5 < value["person", "head_pose", "mae"].value
    assert found.pose_held["both"] == 1
    assert found.pose_held["pose"] > 0.95 and found.pose_held["person"] < 0.15


def test_pose_held_is_left_open_where_no_feature_holds_any():
    faces, _ = labelled()
    found = leakage_of({"constant": np.ones((360, 4), np.float32)}, faces, method="planted")
    assert found.pose_held == {} and {f.task for f in found.figures} == {"head_pose"}
    assert "the same for all" in found.left_out["identity of constant"]  # nothing to compare: the others are read
    with pytest.raises(ValueError, match="tells none of expression, identity, head_pose, pose_class"):
        leakage_of({"constant": np.ones((6, 4), np.float32)}, Labelled(glasses=["yes"] * 6), method="planted")


class Oracle:
    """Reads whole pictures and draws the right one of those that it knows."""

    config = None

    def __init__(self, cases, size):
        self.size, self.known = size, {}
        sides = [torch.as_tensor(side).float() / 255 for side in (cases.a, cases.b, cases.truth)]
        for a, b, truth in zip(*sides, strict=True):
            for face, pose, drawn in ((a, b, truth), (a, a, a), (truth, truth, truth), (a, a.flip(-1), a.flip(-1))):
                self.known[self.key(face), self.key(pose)] = drawn

    def key(self, picture):
        return picture.flatten().numpy().tobytes()

    def features(self, images):
        return {"face": images.flatten(1), "pose": images.flatten(1)}

    def decode(self, face, pose):
        return torch.stack([self.known[self.key(f), self.key(p)] for f, p in zip(face, pose, strict=True)])


def test_an_oracle_swaps_without_error_and_trivial_answers_err_by_their_difference():
    cases = Triples(*np.random.default_rng(0).integers(0, 256, (3, 5, 3, 8, 8)).astype(np.uint8))
    errors, flipped = ({one.name: one for one in part} for part in swap_errors(Oracle(cases, 8), cases))
    a, b, truth = (side / 255 for side in (cases.a, cases.b, cases.truth))
    mean = (a.mean(0) + b.mean(0)) / 2
    assert errors["D(F_f(A), F_p(B))"].value == errors["D(F_f(T), F_p(T))"].value == 0
    assert errors["A"].value == pytest.approx(np.abs(a - truth).mean())
    assert errors["D(F_f(A), F_p(A))"].value == pytest.approx(errors["A"].value)
    assert errors["B"].value == pytest.approx(np.abs(b - truth).mean())
    assert errors["mean face"].value == pytest.approx(np.abs(mean - truth).mean())
    assert errors["A"].low < errors["A"].value < errors["A"].high
    assert flipped["D(F_f, F_p̂)"].value == 0
    assert flipped["A"].value == pytest.approx(np.abs(a - a[..., ::-1]).mean())


def test_a_pose_feature_follows_the_pose_and_a_face_feature_does_not():
    face, pose = normal(2, 2, 50, 6).astype(np.float32)  # of A and B
    nothing = np.ones((50, 6), np.float32)
    a, b, truth = (
        {"pose": p, "face": f, "nothing": nothing}
        for p, f in ((pose[0], face[0]), (pose[1], face[1]), (pose[1], face[0]))
    )
    centre = {name: (a[name].mean(0) + b[name].mean(0))[None] / 2 for name in a}
    found = {one.name: one.value for one in follows_pose(a, b, truth, centre)}
    assert found == {"pose": 1.0, "face": 0.0, "nothing": 0.5}


def sweep(at=(-1.0, 0.0, 1.0)):
    return Sweep("light direction", "°", at, 0.0, lambda face, at: face)


def test_the_curve_of_a_feature_that_ignores_light_is_flat_at_one():
    person = np.repeat(normal(8, 1, 16), 3, axis=1)
    light = np.repeat(np.eye(3, 16)[None], 8, axis=0)
    features = {"person": person, "light": light + 1e-3 * person, "mixed": person + 4 * light}
    centre = {name: np.zeros((1, 16)) for name in features}
    found = {curve.feature: curve for curve in curves(features, sweep(), centre)}
    flat, lit, mixed = found["person"], found["light"], found["mixed"]
    for line in (flat.similarity, flat.low, flat.high):
        assert line == pytest.approx((1, 1, 1))
    assert lit.similarity == pytest.approx((0, 1, 0), abs=0.01) and lit.others == pytest.approx(1, abs=0.01)
    assert 0.3 < mixed.changed < 0.99 and mixed.similarity[1] == pytest.approx(1)
    assert mixed.low[0] < mixed.similarity[0] < mixed.high[0]
    assert abs(flat.others) < 0.3 < mixed.others


def test_the_line_of_other_people_is_the_mean_over_all_pairs():
    unit = directions(normal(5, 3, 7), np.ones((1, 7)))
    slow = [unit[i, v] @ unit[j, v] for v in range(3) for i in range(5) for j in range(5) if i != j]
    assert between_people(unit) == pytest.approx(np.mean(slow))


def test_what_is_left_of_a_constant_feature_has_no_direction():
    constant = np.full((4, 3, 9), 7.3, np.float32)
    assert not directions(constant, constant[:1, 0] * np.float32(1 + 1e-7)).any()


@needs_mesh
def test_triples_share_what_they_should():
    for number in (0, 1, 239, 240, 500):
        a, b, truth = triple(number)
        assert a.person != b.person and a.noise == 0
        assert (truth.yaw, truth.pitch, truth.roll) == (b.yaw, b.pitch, b.roll) != (a.yaw, a.pitch, a.roll)
        assert replace(truth, yaw=a.yaw, pitch=a.pitch, roll=a.roll) == a
    cases = triples(2, 32)
    assert cases.truth.shape == (2, 3, 32, 32) and cases.truth.dtype == np.uint8
    np.testing.assert_array_equal(cases.truth[1], pictures([triple(1)[2]], 32)[0])


@needs_mesh
def test_swept_people_differ_from_each_other_and_each_sweep_changes_one_thing():
    faces = people(3)
    assert len({face.person for face in faces}) == 3
    first = faces[0]
    alike = {replace(f, person=first.person, split="", expression="", grain=0) for f in faces}
    assert len(alike) == 1
    by_name = {one.factor: one for one in sweeps()}
    assert len(by_name) == 9
    for one in by_name.values():
        changed = [one.change(first, at) for at in one.at]
        assert changed[one.at.index(one.reference)] == first
        assert len(set(changed)) == len(one.at)
    shown = swept(by_name["happy"], faces[:2], 32)
    assert shown.shape == (2, 5, 3, 32, 32)
    far = np.abs(shown.astype(int) - shown[:, :1]).mean(axis=(0, 2, 3, 4))
    assert far[0] == 0 and (np.diff(far) > 0).all()


def test_a_prototype_grows_with_its_strength():
    full = dict(zip(AU_NAMES, prototype("happy"), strict=True))
    assert {name for name, value in full.items() if value} == {"au06", "au12"} and full["au12"] == 1
    assert prototype("happy", 0.5) == pytest.approx(0.5 * np.array(prototype("happy")))
    assert not any(prototype("surprise", 0.0)) and not any(prototype("neutral"))


def untrained(folder, config):
    torch.manual_seed(0)
    save_model(build_method(config, 32), config, 32, folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    pcl = PCLConfig(encoder="small", hidden=8, projection=8)
    return untrained(base / "pcl", pcl), untrained(base / "simclr", SimCLRConfig(encoder="small", hidden=8))


@needs_mesh
def test_the_command_measures_shows_and_keeps(runs, tiny_faces, monkeypatch, capsys):
    run, _ = runs
    monkeypatch.setattr(disentanglement, "disentangle", partial(disentangle, persons=2, swapped=3))
    monkeypatch.setattr(sys, "argv", ["vultus", "disentangle", str(run), "--data", str(tiny_faces), "--pca", "4"])
    monkeypatch.setenv("COLUMNS", "200")
    cli.main()
    printed = capsys.readouterr().out
    assert "D(F_f(A), F_p(B))" in printed and "follows pose" in printed and "expression accuracy" in printed
    result = read_disentanglement(run)
    assert Disentanglement.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    assert result.swap.n == 3 and len(result.curves) == 4 * 9
    assert set(result.leakage.left_out) == {"identity", "head_pose", "pose_class"}
    assert "identity is left out: " in printed
    assert all(curve.similarity[curve.at.index(curve.reference)] == pytest.approx(1) for curve in result.curves)
    with Image.open(run / "swap.png") as image:
        assert image.width == len(COLUMNS) * (CLEAR + GAP) - GAP
        assert image.height == ROWS * (CLEAR + GAP) + GAP + LETTERS  # the columns' names above them
    page = section([SimpleNamespace(label="<pcl>", folder=run)]).html()
    assert "&lt;pcl&gt;" in page and "<h4>light strength</h4>" in page
    assert page.count("<svg") == 9 and page.count("<img") == 1


@needs_mesh
def test_a_method_without_decoder_has_the_same_tables_but_no_swap(runs, tmp_path):
    _, run = runs
    result = disentangle(run, persons=2, swapped=2)
    assert result.leakage is None and result.swap.errors == () == result.swap.flipped
    assert [one.name for one in result.swap.follows_pose] == ["encoder"]
    assert {curve.feature for curve in result.curves} == {"encoder"}
    assert section([SimpleNamespace(label="simclr", folder=tmp_path)]) is None
    keep(result, tmp_path)
    paths = write_pictures(result, disentanglement.load(run), tmp_path)
    assert [path.name for path in paths] == ["invariance.png"]
    assert list(grids(result)) == [RENDERED]
    (tmp_path / "disentanglement.json").write_text("{}")
    with pytest.raises(ValueError, match="run `vultus disentangle` again"):
        read_disentanglement(tmp_path)


def test_the_set_that_a_run_learned_from_serves_where_it_has_labels(tiny_faces, tmp_path):
    assert known_set(tmp_path) is None
    noise = (Record(jpeg(np.full((8, 8, 3), i, np.uint8)), f"{i}.jpg") for i in range(3))
    write(noise, tmp_path / "unlabelled", source="tests", licence="CC0")
    for path, found in ((tiny_faces, tiny_faces), (tmp_path / "unlabelled", None), (tmp_path / "gone", None)):
        (tmp_path / "run.json").write_text(json.dumps({"faces_path": str(path)}))
        assert known_set(tmp_path) == found


def test_without_the_head_mesh_it_says_what_to_install(runs, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vultus\[synthetic\]'"):
        disentangle(runs[0], persons=2, swapped=2)
    with pytest.raises(ValueError, match="two people and two triples"):
        disentangle(runs[0], persons=1)
