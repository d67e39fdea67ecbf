"""Each task on planted answers, and on what it must refuse."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.metrics import balanced_accuracy_score, f1_score, r2_score

from evaluation_faces import Labelled, classes_in_space, parts
from vultus.evaluation import action_units, classes, expression, head_pose, identity
from vultus.evaluation.evaluate import read
from vultus.evaluation.made_pairs import make_pairs
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.tasks import possible_tasks, task_for
from vultus.faces.pairs import Pairs
from vultus.report.results import Measure


def by_metric(figures):
    return {f.metric: f for f in figures}


def labelled_classes(spread=1.5, seed=0):
    features, labels = classes_in_space(600, spread=spread, seed=seed)
    return features, Labelled(split=parts(400, 80, 120), expression=labels)


def test_expression_reports_both_accuracies_with_their_circumstances():
    features, faces = labelled_classes()
    faces._columns["expression"][:7] = ""
    figures = by_metric(expression.evaluate(features, faces, Protocol(pca=6)))
    plain, balanced = figures["accuracy"], figures["balanced_accuracy"]
    assert plain.low <= plain.value <= plain.high and 0.6 < plain.value < 1
    assert (plain.n, plain.dim, plain.detail["left_out"], plain.detail["train"]) == (120, 6, 7, 393)
    assert balanced.chance == pytest.approx(1 / 3)
    assert balanced.value == pytest.approx(np.mean(list(balanced.detail["recalls"].values())))
    assert balanced.low < balanced.value < balanced.high


def test_balanced_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    truth, said = rng.integers(3, size=200), rng.integers(3, size=200)
    means = classes._hits(truth, said, 3).mean(0)
    assert classes.mean_recall(means[None])[0] == pytest.approx(balanced_accuracy_score(truth, said))


@pytest.mark.parametrize(
    ("rows", "label", "message"),
    [
        (slice(500, 502), "contempt", "'contempt': 2.* in the test split but never in training"),
        (slice(10, 11), "contempt", r"\['contempt'\] have one training face"),
        (slice(None), "happy", r"only \['happy'\] in the training split"),
    ],
)
def test_expression_refuses_classes_it_cannot_learn(rows, label, message):
    features, faces = labelled_classes()
    faces._columns["expression"] = faces._columns["expression"].astype("<U10")
    faces._columns["expression"][rows] = label
    with pytest.raises(ValueError, match=message):
        expression.evaluate(features, faces)


def test_a_collapsed_encoder_reads_at_chance_and_says_why():
    _, faces = labelled_classes()
    figure = expression.evaluate(np.full((600, 12), 0.25, np.float32), faces)[0]
    assert figure.value == pytest.approx(figure.chance)
    assert figure.detail["constant_values"] == 12


def people(count=40, each=6, width=24, spread=0.6, seed=0):
    rng = np.random.default_rng(seed)
    names = np.repeat([f"p{i}" for i in range(count)], each)
    centre = np.repeat(rng.normal(size=(count, width)), each, axis=0)
    return (centre + spread * rng.normal(size=(len(names), width))).astype(np.float32), names


def test_verification_reads_people_and_not_the_axes_they_are_written_in():
    features, names = people(spread=1.0)
    faces = Labelled(identity=names)
    turned = (features @ ortho_group.rvs(24, random_state=0)).astype(np.float32)
    straight, rotated = identity.evaluate(features, faces), identity.evaluate(turned, faces)
    for a, b in zip(straight, rotated, strict=True):
        assert a.metric == b.metric and a.value == pytest.approx(b.value, abs=0.011)
    figures = by_metric(straight)
    assert 0.6 < figures["accuracy"].value < 1
    assert figures["accuracy"].detail["folds"] == 10 and figures["accuracy"].detail["standard_error"] > 0


def test_whitening_helps_where_a_nuisance_direction_drowns_the_person():
    features, names = people(spread=0.5)
    nuisance = 30 * np.random.default_rng(1).normal(size=(len(names), 1)) * np.eye(1, 24)
    faces = Labelled(identity=names)
    raw = identity.evaluate((features + nuisance).astype(np.float32), faces)[0]
    white = identity.evaluate((features + nuisance).astype(np.float32), faces, Protocol(pca=20))[0]
    assert white.value > raw.value + 0.1
    assert white.dim == 20


def test_the_threshold_comes_from_the_other_folds():
    same = np.array([True, False] * 4)
    score = np.array([0.9, 0.1, 0.8, 0.2, 0.5, 0.45, 0.3, 0.28])
    fold = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    right, thresholds = identity.fold_accuracy(score, same, fold)
    # fold 0 decides fold 1: anything from 0.2 to 0.8 is best there, its middle is 0.5: 0.5 passes, 0.3 does not
    assert thresholds[1] == pytest.approx(0.5)
    assert right[4:].tolist() == [True, True, False, True]
    # fold 1 decides fold 0: the gap between 0.28 and 0.3 and that between 0.45 and 0.5 decide three of four rightly
    assert thresholds[0] == pytest.approx(0.29)
    assert right[:4].all()


def test_equal_scores_are_never_cut_apart():
    score, same = np.array([0.5, 0.5, 0.5, 0.1]), np.array([True, False, True, False])
    assert 0.1 < identity.best_threshold(score, same) < 0.5


def test_made_pairs_are_balanced_and_no_person_is_in_two_folds():
    _, names = people()
    pairs = make_pairs(Labelled(identity=names))
    assert pairs.same.mean() == 0.5
    np.testing.assert_array_equal(names[pairs.left] == names[pairs.right], pairs.same)
    assert (pairs.left != pairs.right).all()
    folds = {}
    for side in (pairs.left, pairs.right):
        for fold, name in zip(pairs.fold, names[side], strict=True):
            assert folds.setdefault(name, fold) == fold
    assert len(set(folds.values())) == 10
    with pytest.raises(ValueError, match="12 people in the test part"):
        make_pairs(Labelled(identity=names[:72]))


def test_pairs_of_a_set_need_the_whole_set():
    features, _ = people(4, 2)
    pairs = Pairs(np.array([0, 1]), np.array([0, 1]), np.array([1, 2]), np.array([True, False]))
    faces = Labelled(pairs, split=np.array(["test"] * 8))
    faces.content_hash = "a part"
    with pytest.raises(ValueError, match="rows of the whole set"):
        identity.evaluate(features, faces)


def test_head_pose_recovers_planted_angles_and_knows_what_chance_is():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 16)).astype(np.float32)
    angles = features[:, :3] * [20, 10, 5] + [5, 0, -3] + rng.normal(size=(500, 3))
    columns = dict(zip(("yaw", "pitch", "roll"), angles.T.astype(np.float32), strict=True))
    columns["yaw"][:4], columns["roll"][450] = np.nan, 150.0
    faces = Labelled(split=parts(350, 50, 100), **columns)
    for readout in ("linear", "knn"):
        figures = by_metric(head_pose.evaluate(features, faces, Protocol(readout)))
        three = [figures[f"mae_{angle}"].value for angle in head_pose.ANGLES]
        assert figures["mae"].value == pytest.approx(np.mean(three))
        assert figures["mae"].detail["left_out"] == 5 and figures["mae"].n == 99
        assert figures["mae_yaw"].value < figures["mae_yaw"].chance
        assert figures["mae_yaw"].low < figures["mae_yaw"].value < figures["mae_yaw"].high
        if readout == "linear":
            assert np.mean(three) < 1.1 and figures["r2_yaw"].value > 0.99


def test_r_squared_is_scikit_learns():
    rng = np.random.default_rng(0)
    y, said = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    means = np.concatenate([y, y**2, (y - said) ** 2], 1).mean(0)[None]
    assert head_pose.r_squared(means)[0] == pytest.approx(r2_score(y, said))


def test_the_intensity_that_counts_as_shown_is_the_protocols_and_told():
    rng = np.random.default_rng(0)
    strength = rng.choice([0.0, 0.2, 0.6, 1.0], 300)
    faces = Labelled(split=parts(200, 40, 60), au06=strength)
    features = np.c_[strength >= 0.6, rng.normal(size=300)].astype(np.float32)
    usual = by_metric(action_units.evaluate(features, faces))["f1_au06"]
    low = by_metric(action_units.evaluate(features, faces, Protocol(present=0.2)))["f1_au06"]
    share = (strength[240:] >= 0.2).mean()
    assert usual.value == 1 and low.value < 1 and low.chance == pytest.approx(2 * share / (1 + share))
    assert (usual.detail["readout"], low.detail["readout"]) == ("linear", "linear, units from 0.2")
    with pytest.raises(ValueError, match="at most 1; got 2"):
        Protocol(present=2)


def test_action_units_skip_what_cannot_be_read_and_say_so():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 8)).astype(np.float32)
    smile, frown = (features[:, 0] > 0.5).astype(np.float32), (features[:, 1] > 1).astype(np.float32)
    smile[:20] = np.nan
    faces = Labelled(split=parts(400, 80, 120), au12=smile, au04=frown, au45=np.zeros(600, np.float32))
    figures = by_metric(action_units.evaluate(features, faces))
    assert set(figures) == {f"{kind}{unit}" for kind in ("f1", "pr_auc") for unit in ("", "_au12", "_au04")}
    assert figures["f1"].value == pytest.approx((figures["f1_au12"].value + figures["f1_au04"].value) / 2)
    assert figures["f1_au12"].value > 0.9
    assert figures["f1"].detail["skipped"] == {"au45": "shown by 0 of 400 training and 0 of 120 test faces"}
    assert figures["f1_au12"].detail["left_out"] == 20
    rate = (frown[480:] == 1).mean()
    assert figures["f1_au04"].chance == pytest.approx(f1_score(frown[480:], np.ones(120)))
    assert rate == pytest.approx(figures["f1_au04"].detail["positive_rate"])


def test_every_figure_of_a_task_tells_how_many_labels_it_learned_from():
    """Few labels and all of them are two columns, of the units' mean as of each unit."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 8)).astype(np.float32)
    units = {f"au0{k}": (features[:, k] > 0.3).astype(np.float32) for k in (1, 2)}
    faces = Labelled(split=parts(400, 80, 120), **units)
    for protocol in (Protocol(shots=60), Protocol()):
        told = {f.detail.get("shots") for f in action_units.evaluate(features, faces, protocol)}
        assert told == {protocol.shots}


def test_a_unit_that_a_group_never_shows_says_nothing_of_the_group():
    """(tp, fp, fn) of two units: the second is shown by nobody, and once claimed."""
    means = np.array([[0.4, 0.1, 0.1, 0.0, 0.0, 0.0], [0.4, 0.1, 0.1, 0.0, 0.2, 0.0], [0.0] * 6])
    np.testing.assert_allclose(action_units.mean_f1(means), [0.8, 0.8, 0.0])
    both = np.array([[0.4, 0.1, 0.1, 0.0, 0.1, 0.1]])
    np.testing.assert_allclose(action_units.mean_f1(both), [0.4])


def test_copies_of_a_picture_are_no_pair_to_be_told():
    identity = np.repeat([f"p{i:02d}" for i in range(60)], 3)
    shown = [f"{name}-{k % 2}" for name in sorted(set(identity)) for k in range(3)]  # two of three are one picture
    pairs = make_pairs(Labelled(identity=identity, pictures=shown))
    assert pairs.same.sum() == 60 and all(shown[a] != shown[b] for a, b in zip(pairs.left, pairs.right, strict=True))


def test_an_unknown_unit_of_a_test_face_counts_for_neither_side():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4)).astype(np.float32)
    unit = (features[:, 0] > 0).astype(np.float32)
    unit[280:] = np.nan
    figures = by_metric(action_units.evaluate(features, Labelled(split=parts(200, 40, 60), au06=unit)))
    assert figures["f1_au06"].n == 40
    assert figures["f1_au06"].value == pytest.approx(figures["f1"].value)


def test_a_task_names_the_columns_it_misses():
    faces = Labelled(split=parts(10, 0, 5), age=np.zeros(15))
    with pytest.raises(ValueError, match="needs column yaw or pitch or roll; the set fake has split, age"):
        task_for("head_pose", faces)
    with pytest.raises(ValueError, match="auNN"):
        task_for("action_units", faces)
    with pytest.raises(ValueError, match="there are expression, expression_votes, identity"):
        task_for("smell", faces)
    assert possible_tasks(Labelled(expression=["happy"], identity=["a"])) == ("expression", "identity", "retrieval")


def test_an_error_names_the_method_the_feature_and_the_task():
    features, faces = labelled_classes()
    features[5, 2] = np.inf
    with pytest.raises(ValueError, match="pcl, feature 'F_p', task expression: 1 values in 1 of"):
        read({"F_p": features}, faces, ["expression"], method="pcl")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_what_is_read_and_a_file_is_not(terminal, monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    features, faces = labelled_classes()
    figures = read({"F_p": features, "F_f": features[:, :4]}, faces, ["expression"], method="pcl")
    shown = capsys.readouterr()
    assert shown.out == "" and [figure.feature for figure in figures if figure.metric == "accuracy"] == ["F_p", "F_f"]
    assert [part in shown.err for part in ("pcl F_f: expression on fake", "2/2")] == [terminal] * 2
    assert terminal or not shown.err


def test_whitening_by_parts_is_asked_for_and_told_and_stands_apart():
    """A nuisance in the first component, noise in the last: by neither end of the scale is the person read best."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(200), 2)
    person = rng.normal(size=(200, 12))[who]
    features = np.c_[8 * rng.normal(size=(400, 1)), 2 * person + rng.normal(size=(400, 12)), rng.normal(size=(400, 60))]
    features = (features @ ortho_group.rvs(73, random_state=0)).astype(np.float32)
    faces = Labelled(identity=np.array([f"p{p}" for p in who]))
    found = {w: identity.evaluate(features, faces, Protocol(pca=73, whiten=w))[0] for w in (0.0, 0.7, 1.0)}
    told = {w: figure.detail["whitened"] for w, figure in found.items()}
    assert told == {0.0: 0.0, 0.7: 0.7, 1.0: 1.0}
    assert found[0.7].value > found[0.0].value and found[0.7].value > found[1.0].value
    assert identity.evaluate(features, faces)[0].detail["whitened"] == 0
    assert {Measure.of(found[w]).place for w in (0.7, 1.0)} == {"fake", "fake, whitened by 1"}
    with pytest.raises(ValueError, match=r"whiten lies in 0…1 .* got 2"):
        Protocol(whiten=2)
