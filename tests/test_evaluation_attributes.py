"""Attributes and pose classes on planted answers; test faces that were learned as well."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from conftest import tiny_records
from evaluation_faces import Labelled, classes_in_space, parts
from vultus.evaluation import attributes, expression, pose_class
from vultus.evaluation.evaluate import read
from vultus.evaluation.joined import Joined
from vultus.evaluation.measure import leaked
from vultus.evaluation.paired import difference
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.table import markdown
from vultus.evaluation.tasks import TASKS, hindrance, possible_tasks, task_for
from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record

WIDTH = 10


def by_metric(figures):
    return {f.metric: f for f in figures}


def yes(mask):
    return np.where(mask, "yes", "no")


def known(seed=0, noise=0.7):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(600, WIDTH)).astype(np.float32)
    seen = features + noise * rng.normal(size=features.shape)
    labels = {
        "split": parts(400, 80, 120),
        "smile": yes(seen[:, 0] > 0),
        "glasses": yes(seen[:, 1] > 1),
        "gender": np.where(seen[:, 2] > 0, "male", "female"),
        "ethnicity": np.array(["asian", "black", "white"])[seen[:, 3:6].argmax(axis=1)],
        "age": (40 + 10 * seen[:, 6]).astype(np.float32),
        "peak": yes(seen[:, 7] > 0),
    }
    return features, labels


def scaled(features):
    return (features - features[:400].mean(0)) / features[:400].std(0)


def test_each_attribute_is_read_as_by_scikit_learn_and_the_headline_is_their_mean():
    features, labels = known()
    found = by_metric(attributes.evaluate(features, Labelled(**labels)))
    names = ("smile", "glasses", "gender", "ethnicity")
    expected = [f"{kind}_{name}" for name in names for kind in ("accuracy", "balanced_accuracy")]
    assert list(found) == ["accuracy", *expected, "mae_age"]
    x = scaled(features)
    for name in names:
        figure = found[f"accuracy_{name}"]
        # a softmax has a column for each class, which with two halves the penalty's constant
        C = figure.detail["C"] * (2 if name == "gender" else 1)
        oracle = LogisticRegression(C=C, tol=1e-8, max_iter=5000).fit(x[:400], labels[name][:400])
        assert figure.value == pytest.approx(oracle.score(x[480:], labels[name][480:]), abs=0.0085)  # one face
        values, counts = np.unique(labels[name][:400], return_counts=True)
        assert figure.chance == pytest.approx((labels[name][480:] == values[counts.argmax()]).mean())
        assert found[f"balanced_accuracy_{name}"].chance == pytest.approx(1 / len(values))
    head = found["accuracy"]
    assert head.value == pytest.approx(np.mean([found[f"accuracy_{name}"].value for name in names]))
    assert head.chance == pytest.approx(np.mean([found[f"accuracy_{name}"].chance for name in names]))
    assert head.low < head.value < head.high and head.detail["attributes"] == list(names)


def test_age_is_a_ridge_regression_in_years():
    features, labels = known()
    labels["age"][[3, 500]] = np.nan
    figure = by_metric(attributes.evaluate(features, Labelled(**labels)))["mae_age"]
    learn, tested = np.setdiff1d(np.arange(400), [3]), np.setdiff1d(np.arange(480, 600), [500])
    x, years = (features - features[learn].mean(0)) / features[learn].std(0), labels["age"].astype(float)
    oracle = Ridge(alpha=figure.detail["alpha"][0]).fit(x[learn], years[learn])
    assert figure.value == pytest.approx(np.abs(oracle.predict(x[tested]) - years[tested]).mean(), rel=1e-3)
    assert figure.chance == pytest.approx(np.abs(years[learn].mean() - years[tested]).mean())
    assert (figure.unit, figure.lower_is_better, figure.n, figure.detail["left_out"]) == ("years", True, 119, 2)


def test_a_face_counts_for_the_attributes_known_of_it_and_scores_give_the_headline_back():
    features, labels = known()
    labels["smile"][500:590] = ""
    for column in ("age", "gender", "ethnicity"):
        del labels[column]
    found = by_metric(attributes.evaluate(features, Labelled(**labels)))
    head = found["accuracy"]
    assert (head.n, found["accuracy_smile"].n, found["accuracy_glasses"].n) == (120, 30, 120)
    assert head.value == pytest.approx((found["accuracy_smile"].value + found["accuracy_glasses"].value) / 2)
    for figure in (head, found["accuracy_smile"]):
        assert TASKS["attributes"].reads(figure.metric).value(figure.scores.columns) == pytest.approx(figure.value)


def test_a_set_that_knows_age_alone_is_measured_by_it():
    features, labels = known()
    faces = Labelled(split=labels["split"], age=labels["age"])
    noise = np.random.default_rng(1).normal(size=features.shape).astype(np.float32)
    ours, theirs = (read({"z": x}, faces, ["attributes"], method="m") for x in (features, noise))
    assert [f.metric for f in ours] == ["mae_age"] and "mae age years" in markdown(ours)
    better = difference(ours[0], theirs[0])
    assert better.value == pytest.approx(theirs[0].value - ours[0].value) and better.low > 0


def test_what_cannot_be_learned_is_skipped_with_its_counts_and_male_is_the_gender():
    features, labels = known()
    labels["hat"] = yes(np.arange(600) == 7)
    labels["male"] = yes(labels["gender"] == "male")
    labels["ethnicity"][:480] = "asian"
    found = by_metric(attributes.evaluate(features, Labelled(**labels)))
    skipped = found["accuracy"].detail["skipped"]
    assert skipped["hat"] == "shown by 1 of 400 training and 0 of 120 test faces"
    assert "only ['asian'] in the training split" in skipped["ethnicity"]
    strange = Labelled(split=labels["split"], smile=labels["smile"], ethnicity=np.zeros(600), age=labels["smile"])
    skipped = attributes.evaluate(features, strange)[0].detail["skipped"]
    assert skipped["ethnicity"].startswith("words expected") and skipped["age"].startswith("years expected")
    assert found["accuracy"].detail["attributes"] == ["smile", "glasses", "male"]
    nothing = Labelled(split=labels["split"], hat=labels["hat"])
    with pytest.raises(ValueError, match=r"no attribute of fake can be read: .*hat.*shown by 1 of 400"):
        attributes.evaluate(features, nothing)
    assert "hat" in hindrance("attributes", nothing) and possible_tasks(nothing) == ("attributes",)
    with pytest.raises(ValueError, match="needs column gender or ethnicity or age or columns of yes and no"):
        task_for("attributes", Labelled(split=labels["split"], peak=labels["peak"]))


@pytest.mark.parametrize("protocol", [Protocol("knn"), Protocol(pca=6), Protocol(shots=0.5), Protocol(shots=60)])
def test_attributes_are_read_under_every_protocol(protocol):
    features, labels = known(noise=0.2)
    found = by_metric(attributes.evaluate(features, Labelled(**labels), protocol))
    assert found["accuracy"].value > found["accuracy"].chance + 0.05
    assert found["mae_age"].value < found["mae_age"].chance


def test_a_collapsed_feature_reads_at_chance_and_a_diverged_one_is_refused():
    features, labels = known()
    found = by_metric(attributes.evaluate(np.ones_like(features), Labelled(**labels)))
    assert found["accuracy"].value == pytest.approx(found["accuracy"].chance)
    features[5, 2] = np.nan
    with pytest.raises(ValueError, match="1 values in 1 of 400 faces are NaN"):
        attributes.evaluate(features, Labelled(**labels))


def test_pose_classes_are_a_task_of_their_own():
    features, labels = classes_in_space(400)
    figures = pose_class.evaluate(features, Labelled(split=parts(250, 50, 100), pose=labels))
    assert [(f.task, f.metric) for f in figures] == [("pose_class", "accuracy"), ("pose_class", "balanced_accuracy")]
    assert figures[0].value > figures[0].chance + 0.2


def test_test_faces_that_were_learned_are_counted():
    features, labels = classes_in_space(400)
    pictures = [f"picture {i}" for i in range(400)]
    pictures[390], pictures[391], pictures[392] = pictures[3], pictures[3], pictures[260]
    for split, count in ((parts(250, 50, 100), 2), (parts(300, 0, 100), 3)):  # validation faces are learned last
        faces = Labelled(pictures=pictures, split=split, expression=labels)
        figures = expression.evaluate(features, faces)
        assert all(f.detail["leaked_test_faces"] == count for f in figures)
    assert leaked(figures) == (
        "test faces whose very picture the read-out learns from, which flatters it: 3 of 100 (expression)"
    )
    folds = Labelled(pictures=pictures, fold=(np.arange(400) % 10).astype(str), expression=labels)
    assert expression.evaluate(features, folds)[0].detail["leaked_test_faces"] == 5  # each is tested once
    clean = expression.evaluate(features, Labelled(split=split, expression=labels))
    assert "leaked_test_faces" not in clean[0].detail and leaked(clean) == ""


def test_pictures_that_two_sets_share_leak_from_one_to_the_other(tmp_path):
    """And the second face of a picture is no copy of its first."""
    records = [
        Record(record.image, record.name, {"expression": record.labels["expression"]}) for record in tiny_records()
    ]
    shared = [replace(record, name=f"other {record.name}") for record in records[:20]]
    second = [replace(record, name=f"{record.name}#2") for record in records[20:40]]
    sets = [tmp_path / "learn", tmp_path / "test"]
    for own, path in zip((records, [*shared, *second]), sets, strict=True):
        write(own, path, source="made by the tests", licence="CC0")
    both = Joined(*map(FaceSet.open, sets))
    features = np.random.default_rng(0).normal(size=(len(both), 4)).astype(np.float32)
    figure = expression.evaluate(features, both)[0]
    assert (figure.n, figure.detail["leaked_test_faces"]) == (40, 20)
