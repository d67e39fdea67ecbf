"""What a task refuses, leaves out and tells: constant features, labels that do not suffice, units beside a mean."""

import numpy as np
import pytest

from evaluation_faces import Labelled, parts
from test_evaluation_tasks import by_metric, people
from vultus.evaluation import action_units, identity, measure, retrieval
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.table import markdown
from vultus.evaluation.tasks import hindrance


def test_identity_refuses_a_feature_that_is_the_same_for_all_faces():
    features, names = people()
    for still in (np.zeros_like(features), np.full_like(features, 0.3)):
        with pytest.raises(ValueError, match=r"24 values of the feature are the same for all .* collapsed"):
            identity.evaluate(still, Labelled(identity=names))


def test_components_of_pairs_are_at_most_those_that_the_faces_have():
    features, names = people(width=40)
    figure = identity.evaluate(features, Labelled(identity=names), Protocol(pca=900))[0]
    assert figure.dim == 40


def test_few_faces_are_not_whitened_until_all_are_equally_far_apart():
    features, names = people(count=12, each=4, width=90, spread=0.3)
    figure = retrieval.evaluate(features, Labelled(identity=names), Protocol(pca=256))[0]
    assert figure.dim == 24 and figure.value > figure.chance + 0.3


def test_the_mean_of_a_published_protocol_is_of_its_units_and_the_others_stand_by_themselves():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 14)).astype(np.float32)
    numbers = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
    units = {f"au{n:02d}": (features[:, i] + rng.normal(size=600) > 0.5) * 0.6 for i, n in enumerate(numbers)}
    faces = Labelled(split=parts(400, 80, 120), **units)
    every = by_metric(action_units.evaluate(features, faces))
    faces.card.made = "vultus pack, reader disfa every=2"
    found = by_metric(action_units.evaluate(features, faces))
    eight = [f"au{n:02d}" for n in (1, 2, 4, 6, 9, 12, 25, 26)]
    assert found.keys() == every.keys() and "beside_the_mean" not in every["f1"].detail
    for kind in ("f1", "pr_auc"):
        assert found[kind].value == pytest.approx(np.mean([found[f"{kind}_{unit}"].value for unit in eight]))
        assert found[kind].chance == pytest.approx(np.mean([found[f"{kind}_{unit}"].chance for unit in eight]))
        assert found[kind].detail["units"] == eight
        assert found[kind].detail["beside_the_mean"] == ["au05", "au15", "au17", "au20"]
    assert action_units.mean_f1(found["f1"].scores.columns.mean(0)[None])[0] == pytest.approx(found["f1"].value)
    assert "fake: action units f1 %, 8 units |" in markdown([found["f1"]])
    assert "units au01, au02" in measure.beside_the_mean([found["f1"]]) and measure.beside_the_mean([every["f1"]]) == ""


def test_a_task_whose_labels_do_not_suffice_says_why():
    few = Labelled(identity=["a", "a", "b", "c"])
    assert "3 people in the test part" in hindrance("identity", few)
    rng = np.random.default_rng(0)
    words = rng.choice(["happy", "sad"], 100).astype("<U8")
    own = {"split": parts(60, 20, 20), "expression": words, "pose": words.copy(), "yaw": rng.normal(size=100)}
    own |= {"au12": (words == "sad").astype(np.float32), "landmarks": rng.random((100, 10)).astype(np.float32)}
    faces = Labelled(**own)
    tasks = ("expression", "pose_class", "head_pose", "action_units", "landmarks")
    assert [hindrance(name, faces) for name in tasks] == [""] * 5
    wanted = {name: hindrance(name, faces, Protocol(shots=90)) for name in tasks}
    assert all("90 labelled faces" in reason for reason in wanted.values())
    own["expression"][3], own["pose"][90], own["yaw"][:55], own["au12"][:] = "contempt", "up", np.nan, 0
    own["landmarks"][:70] = np.nan
    told = [hindrance(name, Labelled(**own)) for name in tasks]
    assert "['contempt'] have one training face" in told[0] and "'up': 1" in told[1]
    assert "too few" in told[2] and "no action unit" in told[3] and "too few" in told[4]


def test_all_leaves_out_a_task_that_cannot_learn_a_label_and_tells_why():
    rng, told = np.random.default_rng(0), []
    words = rng.choice(["happy", "sad"], 100).astype("<U8")
    words[3] = "contempt"
    faces = Labelled(split=parts(60, 20, 20), expression=words, yaw=rng.normal(size=100))
    assert measure._all_tasks(faces, Protocol(), False, told.append) == ("head_pose", "retrieval")
    assert len(told) == 1 and "expression is left out: expression: ['contempt'] have one training face" in told[0]
    assert measure._all_tasks(faces, Protocol(shots=90), False, told.append) == ("retrieval",)
