"""Readers of sets with action units, each on a miniature of its layout."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from reader_sources import column, packed, put, skips, text
from vultus.faces.readers import detect


def test_ckplus_crops(tmp_path: Path) -> None:
    frames = [f"S005_001_0000000{n}" for n in (7, 8, 9)]
    src = put(
        tmp_path / "src", *(f"anger/{frame}.png" for frame in frames), "happy/S010_002_00000003.png", "happy/x.png"
    )
    put(src, "sadness/S011_001_00000001.png")
    rows = [
        "S005_001,S005,anger,1_17,1,0,1",
        "S011_001,S011,fear,1,1,0,0",
        "S999_001,S999,fear,1,1,0,0",
        "S010_002,S010,happy,,2,0,0",
    ]
    text(src / "action_units.csv", "video,subject,emotion,combination,AU1,AU2,AU17", *rows)
    result, found = packed(src)
    assert result.reader == "ckplus"
    assert found.labels("expression").tolist() == ["angry"] * 3 + ["happy"]
    assert found.labels("peak").tolist() == ["no", "no", "yes", "yes"]
    np.testing.assert_array_equal(found.labels("au17"), np.float32([np.nan, np.nan, 1, np.nan]))
    np.testing.assert_array_equal(found.labels("au02"), np.float32([np.nan, np.nan, 0, np.nan]))
    assert found.labels("identity").tolist() == ["S005"] * 3 + ["S010"]
    assert found.labels("fold").tolist() == ["0"] * 3 + ["1"]
    assert result.card.notes == ("1 of 2 sequences have no action units",)
    told = skips(result)
    assert set(told) == {"happy/x.png", "sadness/S011_001_00000001.png", "S010_002", "S999_001"}
    assert "calls its sequence 'fear'" in told["sadness/S011_001_00000001.png"]
    assert detect(put(tmp_path / "others", "anger/1.png", "happy/2.png")) == "folder"


def test_ckplus_as_published(tmp_path: Path) -> None:
    src, images = tmp_path / "src", "cohn-kanade-images"
    put(
        src,
        *(f"{images}/S005/001/S005_001_0000000{n}.png" for n in range(1, 6)),
        f"{images}/S006/002/S006_002_00000001.png",
    )
    put(src, f"{images}/S007/001/S007_001_00000001.png")
    text(src / "Emotion_labels/Emotion/S005/001/S005_001_00000005_emotion.txt", "   3.0000000e+00")
    text(src / "Emotion_labels/Emotion/S006/002/S006_002_00000001_emotion.txt", "8")
    text(
        src / "FACS/S005/001/S005_001_00000005_facs.txt",
        "   1.0e+00   0.0e+00",
        "   9.0e+00   4.0e+00",
        "",
        " 5.4e+01 0",
    )
    text(src / "FACS/S006/002/S006_002_00000001_facs.txt", "25 2")
    text(src / "FACS/S007/001/S007_001_00000009_facs.txt", "25 nan")
    text(src / "FACS/S008/001/S008_001_00000001_facs.txt", "25 2")
    for frame in ("S005_001_00000004", "S005_001_00000005", "S006_002_00000001", "S007_001_00000001"):
        points = ["4 4", "12 12"] * 33 + ["8 8", {"S006": "12 nan", "S007": "900 4"}.get(frame[:4], "8 8")]
        text(src / "Landmarks" / frame[:4] / frame[5:8] / f"{frame}_landmarks.txt", *points)
    result, found = packed(src)
    place = f"{images}/S005/001/S005_001_0000000"
    assert column(found, "expression") == {
        f"{place}4.png": "disgust",
        f"{place}5.png": "disgust",
        f"{images}/S006/002/S006_002_00000001.png": "",
    }
    assert column(found, "peak")[f"{place}4.png"] == "no"
    units = {unit: column(found, f"au{unit}") for unit in ("01", "09", "25")}
    assert [units[unit][f"{place}5.png"] for unit in units] == [1, 1, 0]
    assert "au54" not in found.columns and np.isnan(units["01"][f"{place}4.png"])
    np.testing.assert_allclose(found.boxes[1], np.array([2.4, 2.4, 13.6, 13.6]) / 16)
    told = skips(result)
    assert set(told) == {
        f"{place}3.png", f"{images}/S007/001/S007_001_00000001.png",  "S006_002_00000001_emotion.txt",
        "S007_001_00000009_facs.txt", "S008_001",
    }  # fmt: skip
    shutil.rmtree(src / "Landmarks")
    whole, _ = packed(src, frames=0, overwrite=True)
    assert whole.faces == 7 and whole.card.columns["expression"].known == 3


def disfa_labels(src: Path, subject: str, *lines: str) -> None:
    for unit in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25):
        text(src / "ActionUnit_Labels" / subject / f"{subject}_au{unit}.txt", *(line for line in lines))


def test_disfa_videos(tmp_path: Path) -> None:
    src = tmp_path / "src"
    (src / "Videos_LeftCamera").mkdir(parents=True)
    film = cv2.VideoWriter(
        str(src / "Videos_LeftCamera/LeftVideoSN001_comp.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48)
    )
    for grey in (0, 50, 100, 150, 200):
        film.write(np.full((48, 64, 3), grey, np.uint8))
    film.release()
    (src / "Videos_LeftCamera/LeftVideoSN002_comp.avi").write_bytes(b"broken")
    disfa_labels(src, "SN001", "1,0", "2,9", "3,2", "4,1", "7,5")
    for subject in ("SN002", "SN003"):
        disfa_labels(src, subject, "1,1")
    for name in ("SN001_0000", "l00003"):
        (src / "Landmark_Points/SN001/tmp_frame_lm").mkdir(parents=True, exist_ok=True)
        points = np.tile([[16.0, 12.0], [48.0, 36.0]], (33, 1))
        savemat(src / f"Landmark_Points/SN001/tmp_frame_lm/{name}_lm.mat", {"pts": points})
    result, found = packed(src, every=2)
    assert result.reader == "disfa" and "every=2" in result.card.made
    assert found.names.tolist() == [f"Videos_LeftCamera/LeftVideoSN001_comp.avi/0000{n}.jpg" for n in (1, 3)]
    np.testing.assert_array_equal(found.labels("au25"), np.float32([0, 0.4]))
    assert found.labels("identity").tolist() == ["SN001"] * 2 and found.labels("fold").tolist() == ["0"] * 2
    np.testing.assert_allclose(found.boxes[0] * [64, 48, 64, 48], [9.6, 1.6, 54.4, 46.4], atol=1e-5)
    assert np.abs(found.images([1], 16).astype(int) - 100).max() < 4
    told = skips(result)
    assert "au26" in told["SN001_au26.txt"] and "got '2,9'" in told["SN001_au1.txt"]
    assert "no landmarks" in told["Videos_LeftCamera/LeftVideoSN001_comp.avi/00005.jpg"]
    assert "no such frame" in told["SN001 frame 7"] and "neither" in told["SN003"]
    assert "OpenCV" in told["Videos_LeftCamera/LeftVideoSN002_comp.avi"] and "not one" in told["SN002"]


def test_disfa_pictures(tmp_path: Path) -> None:
    src = put(
        tmp_path / "src", "Images/SN001/f1.jpg", "Images/SN001/f2.jpg", "Images/SN004/1.jpg", "Images/SN009/1.jpg"
    )
    disfa_labels(src, "SN001", "1,5")
    disfa_labels(src, "SN004", "1,0")
    result, found = packed(src)
    assert column(found, "au01") == {"Images/SN001/f1.jpg": 1, "Images/SN004/1.jpg": 0}
    assert found.labels("fold").tolist() == ["0", "1"]
    assert "no row" in skips(result)["Images/SN001/f2.jpg"] and "no folder of labels" in skips(result)["SN009"]


def test_bp4d(tmp_path: Path) -> None:
    src = put(
        tmp_path / "src",
        *(f"2D+3D/F001/T1/000{n}.jpg" for n in range(1, 7)),
        "2D+3D/F001/T2/1.jpg",
        "2D+3D/M002/T1/0001.jpg",
    )
    rows = ["2,1,0,1", "3,9,1,1", "5,7,0,0", "5,0,0,0", "9,0,0,1"]
    text(src / "AUCoding/AU_OCC/F001_T1.csv", "0,1,2,99", *rows)
    text(src / "AUCoding/AU_OCC/M002_T1_AU_OCC.csv", "frame,AU1,AU24", "1,0,1", "1,1,1")
    text(src / "AUCoding/AU_OCC/M009_T1.csv", "0,1", "1,1")
    result, found = packed(src)
    assert result.reader == "bp4d"
    assert column(found, "au01") == pytest.approx(
        {
            "2D+3D/F001/T1/0002.jpg": 1,
            "2D+3D/F001/T1/0003.jpg": np.nan,
            "2D+3D/F001/T1/0005.jpg": 0,
            "2D+3D/M002/T1/0001.jpg": 0,
        },
        nan_ok=True,
    )
    assert found.labels("gender").tolist() == ["female"] * 3 + ["male"]
    assert found.labels("fold").tolist() == ["0"] * 3 + ["1"]
    assert "au99" not in found.columns
    assert [(one.name, one.reason.split(":")[0]) for one in result.card.skipped] == [
        ("F001/T1 frame 9", "it is coded, and there is no such picture"),
        ("F001_T1.csv", "row 4"),
        ("F001/T2", "no table of action units for it"),
        ("M002_T1_AU_OCC.csv", "row 3"),
        ("M009_T1.csv", "no pictures in M009/T1"),
    ]
    assert packed(src, every=2, overwrite=True)[0].faces == 3
