"""Readers of head pose on miniatures of their layouts, and on what is wrong with them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from reader_sources import RING, RING_BOX, RING_LABEL, column, packed, put, put_wide, skips, text
from vultus.evaluation.tasks import possible_tasks
from vultus.faces.readers import detect
from vultus.faces.readers.biwi import angles


def pose_mat(path: Path, degrees: tuple[float, float, float], **points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"Pose_Para": np.radians([[*degrees, 1, 2, 3, 4]]), **points})


@pytest.fixture
def w300lp(tmp_path: Path) -> Path:
    src = put_wide(tmp_path / "src", "AFW/AFW_1_1_0.jpg", "AFW/AFW_1_1_3.jpg", "AFW_Flip/AFW_1_1_0.jpg")
    pose_mat(src / "AFW/AFW_1_1_0.mat", (-10, 20, 30), pt2d=RING)
    pose_mat(src / "AFW/AFW_1_1_3.mat", (5, 120, -3), pt2d=RING)
    pose_mat(src / "AFW_Flip/AFW_1_1_0.mat", (-10, -20, -30), pt2d=RING)
    return src


def test_w300lp(w300lp: Path) -> None:
    assert detect(w300lp) == "w300lp"
    result, faces = packed(w300lp)
    assert faces.names.tolist() == ["AFW/AFW_1_1_0.jpg", "AFW/AFW_1_1_3.jpg", "AFW_Flip/AFW_1_1_0.jpg"]
    assert set(faces.labels("split")) == {"train"}
    assert set(faces.labels("identity")) == {"AFW_1_1"}  # one face, turned and mirrored
    np.testing.assert_allclose(faces.labels("pitch"), [-10, 5, -10], atol=1e-4)
    np.testing.assert_allclose(faces.labels("yaw"), [20, 120, -20], atol=1e-4)
    np.testing.assert_allclose(faces.labels("roll"), [30, -3, -30], atol=1e-4)
    np.testing.assert_allclose(faces.boxes, [RING_BOX] * 3, atol=1e-6)
    landmarks = faces.labels("landmarks")
    np.testing.assert_allclose(landmarks[[0, 2]], [RING_LABEL] * 2, atol=1e-6)
    assert np.isnan(landmarks[1]).all()  # pt2d of a turned picture are not its landmarks
    assert (result.skipped, result.card.notes) == (0, ())


def test_w300lp_with_a_folder_of_landmarks(w300lp: Path) -> None:
    (w300lp / "landmarks/AFW").mkdir(parents=True)
    savemat(w300lp / "landmarks/AFW/AFW_1_1_3_pts.mat", {"pts_2d": RING.T, "pts_3d": RING.T + 1})
    _, faces = packed(w300lp)
    known = column(faces, "landmarks")
    np.testing.assert_allclose(known["AFW/AFW_1_1_3.jpg"], ((RING.T + 1) / [40, 20]).ravel(), atol=1e-6)
    assert np.isnan(known["AFW/AFW_1_1_0.jpg"]).all()


def test_w300lp_leaves_out_what_it_cannot_read(w300lp: Path) -> None:
    put_wide(w300lp, "AFW/bare.jpg", "AFW/nan_0.jpg", "AFW/short_0.jpg", "AFW/bent_0.jpg", "AFW/torn_0.jpg")
    pose_mat(w300lp / "AFW/nan_0.mat", (np.nan, 0, 0), pt2d=RING)
    pose_mat(w300lp / "AFW/short_0.mat", (0, 0, 0), pt2d=RING[:, :21])
    pose_mat(w300lp / "AFW/bent_0.mat", (0, 0, 0), pt2d=RING + 1000)
    (w300lp / "AFW/torn_0.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    pose_mat(w300lp / "AFW/alone_0.mat", (0, 0, 0), pt2d=RING)
    (w300lp / "AFW/AFW_1_1_3.jpg").write_text("no picture")
    result, faces = packed(w300lp)
    assert len(faces) == 2
    found = skips(result)
    expected = {"AFW/bare.jpg": "no file bare.mat", "AFW/nan_0.jpg": "not finite", "AFW/short_0.jpg": "(2, 21)"}
    expected |= {"AFW/bent_0.jpg": "a box is", "AFW/torn_0.jpg": "torn_0.mat", "AFW/alone_0.mat": "no picture"}
    expected |= {"AFW/AFW_1_1_3.jpg": "cannot identify image"}
    assert found.keys() == expected.keys()
    assert all(part in found[name] for name, part in expected.items())


def test_aflw2000(tmp_path: Path) -> None:
    src = put_wide(tmp_path / "src", "AFLW2000/image00002.jpg", "AFLW2000/image00004.jpg")
    depth = np.concatenate([RING, np.zeros((1, 68))])
    pose_mat(src / "AFLW2000/image00002.mat", (1, -40, 2), pt3d_68=depth, pt2d=-np.ones((2, 21)))
    pose_mat(src / "AFLW2000/image00004.mat", (1, 140, 2), pt3d_68=depth)
    assert detect(src) == detect(src / "AFLW2000") == "aflw2000"
    _, faces = packed(src)
    assert faces.labels("split").tolist() == ["test", "test"]
    np.testing.assert_allclose(faces.labels("yaw"), [-40, 140], atol=1e-4)  # beyond ±99 is the task's to drop
    np.testing.assert_allclose(faces.labels("landmarks")[0], RING_LABEL, atol=1e-6)


def turned(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    return cv2.Rodrigues(np.radians(degrees) * np.array(axis, np.float64))[0]


@pytest.mark.parametrize(
    ("axis", "seen", "name"),  # in the camera's space (x right, y down, z away); the face looks along -z
    [
        ((0, 1, 0), lambda r: -(r @ [0, 0, -1])[0], "yaw"),  # the nose to the picture's left
        ((1, 0, 0), lambda r: -(r @ [0, 0, -1])[1], "pitch"),  # the nose up
        ((0, 0, 1), lambda r: (r @ [0, -1, 0])[0], "roll"),  # the top of the head to the right
    ],
)
def test_signs_of_biwi(axis, seen, name) -> None:
    for degrees in (25.0, -25.0):
        rotation = turned(axis, degrees)
        found = angles(rotation)
        assert found[name] == pytest.approx(np.degrees(np.arcsin(seen(rotation))))
        assert [abs(found[other]) for other in ("yaw", "pitch", "roll") if other != name] == pytest.approx([0, 0])


CALIBRATION = (
    "500 0 320",
    "0 500 240",
    "0 0 1",
    "",
    "0 0 0 0",
    "",
    "1 0 0",
    "0 1 0",
    "0 0 1",
    "",
    "20 0 0",
    "",
    "640 480",
)


def put_frame(src: Path, sequence: str, number: int, rotation: np.ndarray, centre: str = "-20 0 1000") -> None:
    rows = [" ".join(map(str, row)) for row in rotation.tolist()]
    text(src / sequence / f"frame_{number:05d}_pose.txt", *rows, "", centre)


def test_biwi(tmp_path: Path) -> None:
    src = tmp_path / "src"
    frames = [("02", 3), ("02", 4), ("02", 5), ("21", 3), ("99", 3)]
    put(src, *(f"hpdb/{sequence}/frame_{number:05d}_rgb.png" for sequence, number in frames))
    for sequence, number in frames:
        put_frame(src / "hpdb", sequence, number, turned((0, 1, 0), 30))
    put_frame(src / "hpdb", "02", 4, 2 * np.eye(3))
    put_frame(src / "hpdb", "02", 5, np.eye(3), centre="0 0 -1000")
    put_frame(src / "hpdb", "02", 6, np.eye(3))
    for sequence in ("02", "99"):
        text(src / "hpdb" / sequence / "rgb.cal", *CALIBRATION)
    assert detect(src) == detect(src / "hpdb") == "biwi"
    result, faces = packed(src)
    assert faces.labels("identity").tolist() == ["F02", "F02", "99"]  # 02 and 21 are one person
    assert faces.labels("gender").tolist() == ["female", "female", ""]
    np.testing.assert_allclose(faces.labels("yaw"), [30] * 3, atol=1e-4)
    # seen by the colour camera the head is at the middle, and 100 mm are 50 pixels
    np.testing.assert_allclose(faces.boxes[0], [270 / 640, 190 / 480, 370 / 640, 290 / 480], atol=1e-6)
    assert faces.boxes[1].tolist() == [0, 0, 1, 1]
    assert result.card.notes == ("no rgb.cal in 21: their faces have no box",)
    assert list(skips(result)) == [f"hpdb/02/frame_0000{n}" for n in ("4_rgb.png", "5_rgb.png", "6_pose.txt")]
    result, faces = packed(src, every=3, overwrite=True)
    assert len(faces) == 3


def test_pointing04(tmp_path: Path) -> None:
    names = ["person01100-90+0", "person01114-30+45", "person15292+15-75", "person01101-45+0", "portrait"]
    src = put_wide(tmp_path / "src", *(f"{name[:1].upper()}{name[1:8]}/{name}.jpg" for name in names))
    put_wide(src, "Front/person01146+0+0.jpg")
    text(src / "Person01/person01100-90+0.txt", "person01100-90+0.jpg", "Face", "20", "10", "4", "6")
    text(src / "Person01/person01114-30+45.txt", "person01114-30+45.jpg", "Face", "20", "ten", "4", "6")
    text(src / "Person01/person01199+0+0.txt", "person01199+0+0.jpg", "Face", "20", "10", "4", "6")
    assert detect(src) == "pointing04"
    result, faces = packed(src)
    assert column(faces, "fold") == {f"Person01/{names[0]}.jpg": "0", f"Person15/{names[2]}.jpg": "14"}
    assert faces.labels("pitch").tolist() == [-90, 15]
    assert faces.labels("yaw").tolist() == [0, -75]
    assert faces.labels("pose").tolist() == ["-90+0", "+15-75"]
    assert {"head_pose", "pose_class"} <= {*possible_tasks(faces)}
    assert faces.labels("series").tolist() == ["1", "2"]
    half = 3.6  # half the longer side, and a tenth of it
    np.testing.assert_allclose(faces.boxes[0], [(20 - half) / 40, (10 - half) / 20, (20 + half) / 40, (10 + half) / 20])
    assert result.skipped == 5
    assert result.card.notes == ("3 pictures without a .txt beside them: they have no box",)


def test_bu3dfe(tmp_path: Path) -> None:
    people = [f"{person}/{person}_NE00WH_F2D.bmp" for person in ("F0001", "F0002", "M0001")]
    views = [f"F0001/F0001_AN04AE_{tail}" for tail in ("F3D.bmp", "F3D_-30.png", "F3D_yaw45.png", "F3D_left.png")]
    wrong = [f"F0001/F0001_{code}_F2D.bmp" for code in ("XX01WH", "AN01XX", "AN05WH")]
    src = put(tmp_path / "src", *people, *views, *wrong)
    assert detect(src) == "bu3dfe"
    result, faces = packed(src)
    assert set(column(faces, "pose").items()) == {
        *((one, "") for one in people),
        *zip(views[1:], ["-30", "yaw45", "left"], strict=True),
    }
    assert [column(faces, "yaw")[view] for view in views[1:3]] == [-30, 45]
    assert [column(faces, "expression")[one] for one in (people[0], views[1])] == ["neutral", "angry"]
    assert [column(faces, "level")[one] for one in (people[0], views[1])] == [0, 4]
    assert [column(faces, "ethnicity")[one] for one in (people[0], views[1])] == ["white", "asian"]
    assert [column(faces, "fold")[one] for one in people] == ["0", "1", "2"]
    assert column(faces, "gender")[people[2]] == "male"
    assert skips(result).keys() == {views[0], *wrong}
