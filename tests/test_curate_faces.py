"""Finding, aligning and judging faces, on rendered ones and on points whose place is known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from curate_pictures import face, photograph, rendered
from vultus.curate import align
from vultus.curate.align import ARCFACE, TEMPLATES
from vultus.curate.config import CurateConfig
from vultus.curate.detect import Detector, Found, merged
from vultus.curate.judge import Judgement, fault_of, judge, pose

PLAIN = CurateConfig()
LEFT_EYE, RIGHT_EYE, NOSE, MOUTH = [36, 39], [42, 45], [30], [48, 54]  # of 68 points


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PLAIN.scales, PLAIN.min_score)


def blue_first(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[..., ::-1])


def points_of(number: int) -> np.ndarray:
    """The five points [5, 2] of a rendered face, in parts of its side."""
    marks = np.array(rendered()[number].labels["landmarks"]).reshape(68, 2)
    return np.stack([marks[part].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE, NOSE, MOUTH[:1], MOUTH[1:])])


def test_rendered_faces_are_found_with_their_points(detector: Detector) -> None:
    for number in range(6):
        (found,) = detector(blue_first(photograph(number)))
        truth = points_of(number) * 120 + (6, 20)  # where `photograph` puts the first face
        left, top, right, bottom = found.box
        assert ((truth > (left, top)) & (truth < (right, bottom))).all()
        eyes = np.linalg.norm(truth[0] - truth[1])
        assert np.linalg.norm(found.points - truth, axis=1).mean() < 0.2 * eyes


def test_no_face_is_found_where_there_is_none(detector: Detector) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 140, 3), np.uint8)
    assert detector(noise) == []
    assert detector(np.full((40, 300, 3), 128, np.uint8)) == []


def test_a_small_face_is_found_at_the_second_scale_only() -> None:
    large = np.full((1000, 1000, 3), 110, np.uint8)
    large[480:560, 300:380] = cv2.resize(face(1), (80, 80), interpolation=cv2.INTER_AREA)
    coarse, both = Detector((160,), 0.7), Detector((160, 640), 0.7)
    assert not [one for one in coarse(blue_first(large)) if one.score > 0.7]
    (found,) = [one for one in both(blue_first(large)) if one.score > 0.7]
    assert found.box == pytest.approx((310, 480, 370, 560), abs=16)


def test_largest_comes_first(detector: Detector) -> None:
    found = detector(blue_first(photograph(0, 2)))
    assert len(found) == 2
    assert found[0].area > 2 * found[1].area
    assert found[0].box[2] < found[1].box[0]


def test_overlapping_answers_become_their_mean() -> None:
    def answer(left: float, score: float) -> list[float]:
        return [left, 10, 40, 40, *[left + 5] * 10, score]

    faces = merged(np.array([answer(14, 0.5), answer(10, 1.0), answer(300, 0.4), answer(36, 0.9)], np.float32))
    assert faces[:, 0].tolist() == pytest.approx([(10 * 1.0 + 14 * 0.5) / 1.5, 36, 300], abs=1e-4)
    assert faces[:, 14].tolist() == pytest.approx([1.0, 0.9, 0.4])
    assert merged(np.empty((0, 15), np.float32)).shape == (0, 15)


def test_fit_undoes_any_similarity_and_never_mirrors() -> None:
    turn = np.radians(33)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    seen = 0.37 * ARCFACE @ rotation.T + (120, -40)
    fitted = align.fit(seen)
    assert align.moved(seen, fitted.matrix) == pytest.approx(ARCFACE)
    assert (fitted.residual, fitted.side, fitted.roll) == pytest.approx((0, 0.37 * 112, 33))
    mirrored = ARCFACE * (-1, 1)
    assert np.linalg.det(align.fit(mirrored).matrix[:, :2]) > 0
    with pytest.raises(ValueError, match="coincide"):
        align.fit(np.ones((5, 2)))


def test_fit_is_the_least_squares_one() -> None:
    noisy = ARCFACE + np.random.default_rng(0).normal(0, 4, (5, 2))
    fitted = align.fit(noisy)
    # a similarity is linear in (a, b, x, y): [a −b; b a] p + (x, y)
    rows = np.concatenate([np.array([[x, -y, 1, 0], [y, x, 0, 1]]) for x, y in noisy])
    a, b, x, y = np.linalg.lstsq(rows, ARCFACE.ravel(), rcond=None)[0]
    assert fitted.matrix == pytest.approx(np.array([[a, -b, x], [b, a, y]]), abs=1e-8)


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_put_the_mean_points_where_they_say(template: str) -> None:
    found = Found((0, 0, 112, 112), ARCFACE.astype(np.float32), 1.0)
    matrix = align.placed(found, align.fit(ARCFACE), template, 200, 0.0)
    eyes, mouth = align.moved(ARCFACE, matrix)[:2].mean(axis=0), align.moved(ARCFACE, matrix)[3:].mean(axis=0)
    apart = {"arcface": 0.3146, "loose": 0.3146 / 1.6, "ffhq": 0.2406}[template] * 200
    assert np.linalg.norm(np.diff(align.moved(ARCFACE, matrix)[:2], axis=0)) == pytest.approx(apart, rel=1e-3)
    assert eyes[0] == pytest.approx(100, abs=1)
    assert 0.3 * 200 < eyes[1] < 0.5 * 200 < mouth[1]
    wider = align.placed(found, align.fit(ARCFACE), template, 200, 0.25)
    assert np.hypot(*wider[:, 0]) == pytest.approx(np.hypot(*matrix[:, 0]) / 1.5)


def test_box_is_the_square_round_the_box() -> None:
    found = Found((10, 20, 50, 100), ARCFACE.astype(np.float32), 1.0)
    matrix = align.placed(found, align.fit(ARCFACE), "box", 64, 0.0)
    assert align.corners(matrix, 64) == pytest.approx(np.array([[-10, 20], [70, 20], [70, 100], [-10, 100]]))


def test_a_crop_shows_what_the_matrix_says_and_shrinks_without_aliases() -> None:
    rows, columns = np.mgrid[0:400, 0:400]
    fine = ((rows + columns) % 2 * 255).astype(np.uint8)  # a checkerboard of single pixels: grey from afar
    for side in (20, 90, 150, 260):
        matrix = np.array([[64 / side, 0, -30.0], [0, 64 / side, -20.0]])
        small = align.crop(fine, matrix, 64)[8:-8, 8:-8]
        if side >= 150:
            assert small.std() < 25
    ramp = (rows * 0.6).astype(np.uint8)
    matrix = np.array([[0.4, 0.1, -20.0], [-0.1, 0.4, 5.0]])
    crop = align.crop(ramp, matrix, 64)
    at = np.linalg.solve(matrix[:, :2], (np.array([[30.5, 40.5], [50.5, 10.5]]) - matrix[:, 2]).T).T
    assert crop[[40, 10], [30, 50]] == pytest.approx(0.6 * at[:, 1], abs=2)


def test_a_crop_of_a_small_part_equals_that_of_the_whole() -> None:
    """Only the surroundings of a face are looked at; that must not show."""
    pixels = np.random.default_rng(0).integers(0, 255, (300, 320, 3), np.uint8)
    matrix = np.array([[1.3, 0.2, -150.0], [-0.2, 1.3, -90.0]])
    whole = matrix.copy()
    whole[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    wanted = cv2.warpAffine(pixels, whole, (48, 48), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(align.crop(pixels, matrix, 48).astype(int) - wanted).max() <= 8  # OpenCV's steps of 1/32 pixel


def test_judgement_falls_with_what_spoils_a_face(detector: Detector) -> None:
    def judged(pixels: np.ndarray) -> Judgement:
        return judge(pixels, found, align.fit(found.points))

    good = photograph(3)
    (found,) = detector(blue_first(good))
    fine = judged(good)
    spoilt = {
        "sharpness": judged(cv2.GaussianBlur(good, (0, 0), 3)),
        "contrast": judged((110 + 0.1 * (good.astype(float) - 110)).astype(np.uint8)),
        "brightness": judged((good * 0.12).astype(np.uint8)),
    }
    for part, worse in spoilt.items():
        assert getattr(worse, part) < 0.5 * getattr(fine, part)
        assert worse.quality < 0.8 * fine.quality
    assert judged((good * 0.5).astype(np.uint8)).sharpness == pytest.approx(fine.sharpness, rel=0.1)
    assert fine.outside < 0.01
    cut = judge(np.ascontiguousarray(good[:, :70]), found, align.fit(found.points))
    assert 0.1 < cut.outside < 0.7
    assert fine.quality > 0.7


def test_pose_of_a_turned_head() -> None:
    """Rendered heads: the yaw of the label within a few degrees, and its sign."""
    for number in range(6):
        labels = rendered()[number].labels
        yaw, pitch, roll = pose(points_of(number))
        assert yaw == pytest.approx(labels["yaw"], abs=12)
        assert roll == pytest.approx(labels["roll"], abs=8)
        assert abs(pitch) < 30
    turned = points_of(0) @ np.array([[0.0, 1.0], [-1.0, 0.0]])  # a quarter, clockwise
    assert pose(turned)[2] - pose(points_of(0))[2] == pytest.approx(90, abs=1e-3)
    mirrored = ((points_of(0) * (-1, 1)) + (1, 0))[[1, 0, 2, 4, 3]]
    assert np.array(pose(mirrored)) * (-1, 1, -1) == pytest.approx(np.array(pose(points_of(0))))


def test_thresholds_name_the_first_that_is_missed() -> None:
    fine = Judgement(0.9, 80, 0.4, 0.5, 0.2, 0.01, 0.0, 0.1, 5, 0, 0, 0.9)
    assert fault_of(fine, PLAIN) == ""
    assert fault_of(replace(fine, size=20, sharpness=0.01), PLAIN) == "too small"
    assert fault_of(replace(fine, sharpness=0.01), PLAIN) == "blurred"
    assert fault_of(replace(fine, outside=0.5), PLAIN) == "cut off by the border"
    assert fault_of(replace(fine, brightness=0.97), PLAIN) == "too bright"
    assert fault_of(replace(fine, yaw=-50), replace(PLAIN, max_yaw=40)) == "turned away"
    assert fault_of(replace(fine, quality=0.3), replace(PLAIN, min_quality=0.5)) == "low quality"


@pytest.mark.parametrize("wrong", [{"scales": (640, 160)}, {"size": 4}, {"every": 0}, {"min_size": -1.0}, {"piece": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(PLAIN, **wrong).check()
