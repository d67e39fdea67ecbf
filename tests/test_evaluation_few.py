"""Few labels: what is asked, learned from and tested must not hang on which were drawn."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation_faces import Labelled, classes_in_space, parts
from vultus.evaluation import action_units, attributes, expression
from vultus.evaluation.evaluate import read
from vultus.evaluation.few_shot import fewer
from vultus.evaluation.measure import constant
from vultus.evaluation.over_seeds import over_seeds
from vultus.evaluation.paired import difference, why_not
from vultus.evaluation.preparation import prepare
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Splits, parts_of
from vultus.report.results import Named, rows

READOUTS = ("linear", "knn", "kernel")


def by_metric(figures):
    return {f.metric: f for f in figures}


def rare(count=600, seed=0):
    """Features, and two answers: a common one and one that a few faces in a hundred give."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 8)).astype(np.float32)
    return features, features[:, 0] > 0, features[:, 1] > 1.9


def units(**more):
    features, often, seldom = rare()
    return features, Labelled(au01=often.astype(np.float32), au02=seldom.astype(np.float32), **more)


@pytest.mark.parametrize("readout", READOUTS)
def test_the_units_that_few_labels_are_asked_for_are_the_same_for_every_seed(readout):
    features, faces = units(split=parts(400, 80, 120))
    figures = [read({"f": features}, faces, ["action_units"], Protocol(readout, seed=s, shots=20), method="m")
               for s in range(4)]  # fmt: skip
    found = [by_metric(own) for own in figures]
    assert all(own["f1"].detail["units"] == ["au01", "au02"] for own in found)
    assert {own["f1"].scores.columns.shape for own in found} == {(120, 6)}
    untaught = [own for own in found if "untaught" in own["f1"].detail]
    assert untaught and all(list(own["f1"].detail["untaught"]) == ["au02"] for own in untaught)
    for own in untaught:  # as always saying yes
        assert own["f1_au02"].value == pytest.approx(own["f1_au02"].chance)
        assert own["pr_auc_au02"].value == pytest.approx(own["pr_auc_au02"].chance)
        assert own["f1_au02"].detail["constant_for"] == own["f1_au02"].n == 120
        assert own["f1_au01"].value > own["f1_au01"].chance
    mean = over_seeds([own["f1"] for own in found])
    assert mean.value == pytest.approx(np.mean([own["f1"].value for own in found]))
    assert difference(mean, mean).value == 0


def test_a_unit_that_few_labels_teach_in_some_folds_is_read_there():
    person = np.arange(600) // 4
    features, faces = units(fold=(person % 3).astype(str), identity=person.astype(str))
    for seed in range(6):
        own = by_metric(action_units.evaluate(features, faces, Protocol(seed=seed, shots=80)))
        assert own["f1"].n == own["f1_au02"].n == 600 and own["f1"].scores.groups is not None
        told = own["f1"].detail.get("untaught", {}).get("au02", "")
        if "in 1 of 3 folds" in told or "in 2 of 3 folds" in told:
            assert own["f1_au02"].detail["constant_for"] == (200 if "in 1" in told else 400)
            break
    else:
        pytest.fail("no seed taught the rare unit in some folds alone")


def test_an_attribute_that_few_labels_do_not_teach_is_answered_by_the_common_answer():
    features, often, seldom = rare()
    yes = {name: np.where(mask, "yes", "no") for name, mask in (("smile", often), ("hat", seldom))}
    faces, seen = Labelled(split=parts(400, 80, 120), **yes), 0
    for seed in range(4):
        own = by_metric(attributes.evaluate(features, faces, Protocol(seed=seed, shots=20)))
        assert own["accuracy"].detail["attributes"] == ["smile", "hat"]
        assert own["accuracy"].scores.columns.shape == (120, 4)
        if untaught := own["accuracy"].detail.get("untaught"):
            seen += 1
            assert list(untaught) == ["hat"]
            assert own["accuracy_hat"].value == pytest.approx((yes["hat"][480:] == "no").mean())
    assert seen


def test_figures_of_other_units_are_neither_averaged_nor_compared():
    features, faces = units(split=parts(400, 80, 120))
    one = Labelled(split=faces.labels("split"), au01=faces.labels("au01"))
    a, b = (read({"f": features}, own, ["action_units"], method="m")[0] for own in (faces, one))
    with pytest.raises(ValueError, match=r"no mean over seeds of m: .* a mean of au01, au02 here and of au01 there"):
        over_seeds([a, b])
    assert "a mean of au01, au02 here" in why_not(a, b) and why_not(a, a) == ""
    assert len(rows([Named("m", a), Named("m", replace(b, seed=1))])) == 2  # a report shows both
    assert len(rows([Named("m", a), Named("m", replace(a, seed=1))])) == 1
    runs = [Named("m-s0", a, "m"), Named("m-s1", replace(b, seed=1), "m")]
    learned = [replace(one, figure=replace(one.figure, method="pcl")) for one in runs]
    assert [(row.label, row.contest) for row in rows(learned)] == [("m-s0", True), ("m-s1", True)]


@pytest.mark.parametrize("shots", [2, 10, 0.1])
def test_few_labels_are_chosen_by_faces_of_other_people(shots):
    rng = np.random.default_rng(0)
    people, labels = rng.integers(60, size=800).astype(str), rng.choice(["a", "b", "c"], 800)
    of = np.arange(800)
    whole = Splits(of[:600], of[600:700], of[700:], True, "cut", 0, people=people)
    plain = Splits(of[:600], of[600:700], of[700:], True, "cut", 0)
    for seed in range(3):
        part, free = fewer(whole, shots, seed, labels), fewer(plain, shots, seed, labels)
        assert not set(people[part.train]) & set(people[part.validation])
        np.testing.assert_array_equal(part.final, free.final)  # the same faces are drawn
        assert set(labels[part.train]) == {"a", "b", "c"} and len(part.validation)
        if shots == 10:
            assert len(free.validation) == 6 <= len(part.validation) <= 9


def test_few_labels_of_one_person_are_chosen_by_all_the_same_and_say_so():
    of = np.arange(100)
    alone = Splits(of[:80], of[80:90], of[90:], True, "cut", 0, people=np.full(100, "p"))
    part = fewer(alone, 10, 0)
    assert (len(part.train), len(part.validation)) == (8, 2) and "chosen by faces of people who are" in part.origin


@pytest.mark.parametrize("readout", READOUTS)
def test_components_of_few_labels_are_those_of_the_whole_training_part(readout):
    features, labels = classes_in_space(600, width=30, spread=1.5)
    for own in ({}, {"split": parts(480, 60, 60)}):  # cut here, and by the set itself
        faces, protocol = Labelled(expression=labels, **own), Protocol(readout, pca=10, shots=1)
        figure = read({"f": features}, faces, ["expression"], protocol, method="m")[0]
        assert figure.dim == (3 if readout == "kernel" else 10)
    part = parts_of(Labelled(expression=labels), np.ones(600, bool))[0]
    reduced = prepare(features[part.final], 10)(features)
    before = Labelled(expression=labels)
    own = expression.evaluate(features, before, Protocol(readout, pca=10, shots=5))[0]
    same = expression.evaluate(reduced, before, Protocol(readout, shots=5, reduced=True))[0]
    assert own.value == pytest.approx(same.value)


def test_more_components_than_faces_are_as_many_as_there_are():
    features, labels = classes_in_space(60, width=90)
    figure = read({"f": features}, Labelled(expression=labels), ["expression"], Protocol(pca=256), method="m")[0]
    assert figure.dim < 60


def test_values_that_are_constant_are_told_by_feature():
    features, labels = classes_in_space(200, width=6)
    features[:, 1] = 3.0
    faces = Labelled(expression=labels)
    figures = read({"shared": features, "rest": features[:, 2:]}, faces, ["expression"], method="pcl")
    assert constant(figures) == (
        "values that are the same for all training faces, of which nothing can be read: 1 (pcl shared)"
    )
    assert constant(figures[2:]) == ""
