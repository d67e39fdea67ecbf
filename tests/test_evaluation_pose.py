"""Head pose in degrees and as classes, of sets that know only some of the angles."""

import numpy as np
import pytest

from evaluation_faces import Labelled, parts
from vultus.evaluation import head_pose, pose_class
from vultus.evaluation.splits import parts_of
from vultus.evaluation.tasks import possible_tasks
from vultus.training.finetuning import lessons


def by_metric(figures):
    return {f.metric: f for f in figures}


def test_head_pose_reads_the_angles_that_a_set_has():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 8)).astype(np.float32)
    yaw, pitch = (features[:, i] * 20 + rng.normal(size=300) for i in (0, 1))
    split = parts(200, 30, 70)
    both = by_metric(head_pose.evaluate(features, Labelled(split=split, yaw=yaw, pitch=pitch)))
    assert set(both) == {f"{kind}{angle}" for kind in ("mae", "r2") for angle in ("", "_yaw", "_pitch")}
    assert both["mae"].value == pytest.approx((both["mae_yaw"].value + both["mae_pitch"].value) / 2)
    assert both["mae"].detail["angles"] == ["yaw", "pitch"] and both["mae"].n == 70
    one = by_metric(head_pose.evaluate(features, Labelled(split=split, yaw=yaw)))
    assert one["mae"].value == pytest.approx(one["mae_yaw"].value) and one["mae"].detail["angles"] == ["yaw"]
    assert "head_pose" in possible_tasks(Labelled(split=split, pitch=pitch))


def test_poses_made_of_two_angles_are_read_by_each_angle_too():
    rng = np.random.default_rng(0)
    yaw, pitch = rng.choice([-15.0, 0.0, 15.0], 400), rng.choice([-30.0, 30.0], 400)
    features = np.stack([yaw, rng.normal(size=400), pitch * 0], axis=1).astype(np.float32)  # holds nothing of pitch
    pose = np.array([f"{p:+g}{y:+g}" for p, y in zip(pitch, yaw, strict=True)])
    faces = Labelled(split=parts(250, 50, 100), yaw=yaw, pitch=pitch, pose=pose)
    figures = by_metric(pose_class.evaluate(features, faces))
    assert set(figures) == {"accuracy", "balanced_accuracy", "accuracy_yaw", "accuracy_pitch"}
    assert figures["accuracy_yaw"].value == 1 and 0.3 < figures["accuracy_pitch"].value < 0.7
    assert figures["accuracy_yaw"].task == "pose_class" and 0.3 < figures["accuracy"].value < 0.7
    views = Labelled(split=parts(250, 50, 100), yaw=yaw, pose=[f"{y:g}" for y in yaw])  # BU-3DFE: the pose is the yaw
    assert set(by_metric(pose_class.evaluate(features, views))) == {"accuracy", "balanced_accuracy"}


def test_a_network_is_tuned_for_the_angles_that_a_set_has():
    angles = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    faces = Labelled(split=parts(40, 10, 10), yaw=angles[:, 0], pitch=angles[:, 1])
    (part,) = parts_of(faces, np.ones(60, bool))
    name, lesson = lessons.of_numbers(faces, "head_pose", part, angles)
    assert (name, lesson.objective.names, len(lesson.objective.centre)) == ("head_pose", ("yaw", "pitch"), 2)
