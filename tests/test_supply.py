"""What a step is made of: partners of the same person, landmarks cut to boxes, labels as targets."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from conftest import jpeg
from vultus.faces.companions import Companions
from vultus.faces.faceset import FaceSet, write
from vultus.faces.landmarks import landmarks_in_boxes
from vultus.faces.record import Record
from vultus.methods.contrawarping import ContraWarping, ContraWarpingConfig
from vultus.methods.fabnet import FAbNetConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.methods.splitbrain import SplitBrainConfig
from vultus.methods.supervised import Supervised, SupervisedConfig
from vultus.training.adapting import adapted
from vultus.training.config import RunConfig
from vultus.training.run import pretrain
from vultus.training.supply import described_pairs, described_warps, supply
from vultus.training.targets import targets_of, with_outputs
from vultus.views import View
from vultus.views.geometry import Flip

PAIR = {"source": View(16), "target": View(16, partner=True)}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Faces with every kind of label, grey by their number; person p has p + 1 pictures; two are of unknown people."""
    people = ["", "", *(f"p{p}" for p in range(5) for _ in range(p + 1))]
    records = []
    for i, person in enumerate(people):
        labels = {"identity": person, "age": 20.0 + i, "au01": float(i % 2), "au12": 0.25, "yaw": 2.0 * i - 10}
        labels |= {"expression": "happy" if i % 2 else "", "landmarks": (0.5, 0.5, 0.75, 0.25)}
        box = (0.25, 0.0, 0.75, 0.5) if i % 3 else None
        records.append(Record(jpeg(np.full((32, 32, 3), 8 * i, np.uint8)), f"{i:02d}.jpg", labels, box))
    out = tmp_path_factory.mktemp("known") / "set"
    write(records, out, source="made by the tests", licence="CC0")
    return FaceSet.open(out)


def test_a_partner_is_another_picture_of_the_same_person_whenever_there_is_one(known):
    companions = Companions.of(known)
    people = known.labels("identity")
    rows = np.arange(len(known))
    drawn = np.stack([companions.draw(rows, np.random.default_rng(seed)) for seed in range(60)])
    for row in rows:
        others = {r for r in rows if people[r] == people[row] and people[row] and r != row}
        assert set(drawn[:, row]) == (others or {row})
    assert companions.share == pytest.approx((people[2:] != "p0").sum() / len(known))


def test_frames_of_a_film_are_partners_where_nobody_says_who_is_who(tmp_path):
    told = [("ann", "a.mp4"), ("ann", "b.mp4"), ("", "a.mp4"), ("", "a.mp4"), ("", "b.mp4"), ("", ""), ("", "")]
    kept = [{k: v for k, v in zip(("identity", "video"), one, strict=True) if v} for one in told]
    grey = [jpeg(np.full((32, 32, 3), 8 * i, np.uint8)) for i in range(len(told))]
    records = [Record(grey[i], f"{i}.jpg", labels) for i, labels in enumerate(kept)]
    write(records, tmp_path / "set", source="made by the tests", licence="CC0")
    faces = FaceSet.open(tmp_path / "set")
    companions = Companions.of(faces)
    partners = companions.draw(np.arange(7), np.random.default_rng(0))
    assert partners.tolist() == [1, 0, 3, 2, 4, 5, 6] and companions.share == pytest.approx(4 / 7)
    pairs = described_pairs(supply(RunConfig(method=FAbNetConfig(), size=16), faces, 16, PAIR), PAIR)
    assert pairs.startswith("two pictures of a person or a video (57% of the faces)")


def test_a_set_that_shows_nobody_twice_has_no_companions(known):
    assert Companions.of(known.take(np.array([0, 1, 2, 3]))) is None


def test_partners_come_beside_their_faces_and_only_when_a_view_shows_them(known):
    config = RunConfig(method=FAbNetConfig(), size=16, batch=4)
    supplied = supply(config, known, 16, PAIR)
    people = {8 * i: p for i, p in enumerate(known.labels("identity"))}
    for batch in supplied.batches(config, 0, 3):
        shown = [[round(float(x.float().mean()) / 8) * 8 for x in side] for side in (batch.images, batch.partners)]
        for mine, other in zip(*shown, strict=True):
            assert mine == other or people[mine] == people[other] != ""
    assert supply(config, known, 16, {"a": View(16)}).companions is None
    assert supply(replace(config, pairs="self"), known, 16, PAIR).companions is None


def test_the_same_steps_have_the_same_batches_wherever_one_begins(known):
    config = RunConfig(method=FAbNetConfig(), size=16, batch=4)
    supplied = supply(config, known, 16, PAIR)
    whole, late = list(supplied.batches(config, 0, 5)), list(supplied.batches(config, 3, 5))
    for a, b in zip(whole[3:], late, strict=True):
        assert (a.images == b.images).all() and (a.partners == b.partners).all()


def test_what_stands_for_pairs_is_told(known):
    config = RunConfig(method=FAbNetConfig(), size=16, batch=4)
    assert "two pictures of a person (82%" in described_pairs(supply(config, known, 16, PAIR), PAIR)
    alone = supply(replace(config, pairs="self"), known, 16, PAIR)
    assert described_pairs(alone, PAIR) == "a face and its augmentation"
    assert described_pairs(alone, {"a": View(16)}) == ""


def test_partners_that_are_the_face_itself_are_told(known):
    config = RunConfig(method=FAbNetConfig(), size=16, batch=4)
    batches = list(supply(config, known, 16, PAIR).batches(config, 0, 3))
    for batch in batches:
        same = (batch.images == batch.partners).flatten(1).all(1)
        assert torch.equal(batch.paired, ~same)
        assert torch.equal(torch.cat([part.paired for part in batch.parts(2)]), batch.paired)
    assert torch.cat([batch.paired for batch in batches]).unique().tolist() == [False, True]


def test_where_warps_stand_is_told(known, tiny_faces, tmp_path):
    config = RunConfig(method=ContraWarpingConfig(encoder="small", control="landmarks"), size=32, batch=4, epochs=0.5)
    views = ContraWarping(config.method, 32).views()
    assert (
        described_warps(supply(config, known, 32, views), views)
        == "landmarks (100% of the faces), else places of a usual face"
    )
    assert described_warps(supply(config, known, 32, PAIR), PAIR) == ""
    result = pretrain(config, tiny_faces, tmp_path / "run", quiet=True)
    assert result.warps == "places of a usual face alone: no face of the set has landmarks"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["warps_at"] == result.warps


def test_landmarks_follow_the_box(known):
    found = landmarks_in_boxes(known)
    np.testing.assert_allclose(found[0], [[0.5, 0.5], [0.75, 0.25]])  # no box
    np.testing.assert_allclose(found[1], [[0.5, 1.0], [1.0, 0.5]])


@pytest.mark.parametrize(
    ("target", "loss", "outputs"),
    [
        ("identity", "arcface", tuple(f"p{p}" for p in range(5))),
        ("expression", "cross-entropy", ("happy",)),
        ("action_units", "multi-label", ("au01", "au12")),
        ("head_pose", "regression", ("yaw",)),
        ("age", "regression", ("age",)),
    ],
)
def test_a_supervised_method_learns_of_the_set_what_the_label_asks_for(known, target, loss, outputs):
    method = with_outputs(SupervisedConfig(target=target), known)
    assert (method.loss, method.outputs) == (loss, outputs)
    if loss == "regression":
        np.testing.assert_allclose(method.centre, [known.labels(outputs[0]).mean()], rtol=1e-5)
        np.testing.assert_allclose(method.spread, [known.labels(outputs[0]).std()], rtol=1e-5)


def test_targets_number_the_classes_and_know_the_unknown(known):
    method = with_outputs(SupervisedConfig(target="identity"), known)
    assert targets_of(method, known).tolist() == [-1, -1, *(p for p in range(5) for _ in range(p + 1))]
    units = targets_of(with_outputs(SupervisedConfig(target="action_units"), known), known)
    assert units.shape == (len(known), 2) and units.dtype == np.float32
    assert targets_of(SimCLRConfig(), known) is None


def test_labels_that_are_not_there_and_losses_that_do_not_fit_are_explained(known):
    with pytest.raises(ValueError, match=r"no label for --target gender; it has .*identity"):
        with_outputs(SupervisedConfig(target="gender"), known)
    with pytest.raises(ValueError, match="loss arcface does not fit --target age: choose regression"):
        with_outputs(SupervisedConfig(target="age", loss="arcface"), known)

    for task in ("attributes", "retrieval"):  # names of tasks that no single label answers
        with pytest.raises(ValueError, match=f"no label for --target {task}; .*action_units, head_pose stand for"):
            with_outputs(SupervisedConfig(target=task), known)


@pytest.mark.parametrize(("target", "flips"), [("expression", 1), ("identity", 1), ("pose", 0), ("side", 0)])
def test_faces_are_flipped_only_where_the_label_stays(target, flips):
    view = Supervised(SupervisedConfig(encoder="small", target=target, loss="cross-entropy"), 32).views()["face"]
    assert sum(isinstance(one, Flip) for one in view.geometry) == flips and len(view.geometry) == 1 + flips


@pytest.mark.parametrize("target", ["identity", "expression", "action_units", "head_pose"])
def test_a_supervised_run_resumes_under_the_same_command(known, target, tmp_path):
    config = RunConfig(
        method=SupervisedConfig(encoder="small", target=target), size=32, batch=4, epochs=1, split="all", warmup=0.0
    )
    result = pretrain(config, known.path, tmp_path / "run", quiet=True)
    assert result.status == "finished" and np.isfinite(result.losses["label"])
    assert pretrain(config, known.path, tmp_path / "run", quiet=True).status == "already finished"


def test_grey_faces_are_split_in_bands_and_coloured_ones_by_colour(known, tiny_faces):
    assert adapted(SplitBrainConfig(), known).channels == "bands"
    assert adapted(SplitBrainConfig(), FaceSet.open(tiny_faces)).channels == "colour"
    assert adapted(SplitBrainConfig(channels="bands"), FaceSet.open(tiny_faces)).channels == "bands"
    assert adapted(SimCLRConfig(), known) == SimCLRConfig()


def test_a_run_on_pairs_says_what_they_were(known, tmp_path):
    config = RunConfig(method=FAbNetConfig(encoder="small"), size=32, batch=4, epochs=1, split="all")
    assert "two pictures of a person" in pretrain(config, known.path, tmp_path / "run", quiet=True).pairs
