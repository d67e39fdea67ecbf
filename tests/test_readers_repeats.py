"""Rows that a label file repeats or contradicts, rows without a picture, pictures without a row, published counts."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from reader_sources import RING, column, packed, put, put_wide, skips, text
from test_readers_attributes import HOST, LFW, NAMES, answers, fec_row
from test_readers_landmarks import wflw_row
from test_readers_units import disfa_labels
from vultus.faces.readers import aflw, ferplus, mtfl, points68, utkface

AGAIN, OTHER = "listed a second time", "listed a second time, with other labels: the first row counts"
POINTS = "4 12 8 5 11 6 6 9 12 12"  # of MTFL


def test_celeba(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"img_align_celeba/00000{n}.jpg" for n in (1, 2)))
    rows = [f"000001.jpg {answers('1')}", f"000002.jpg  {answers('1')}", f"000001.jpg {answers('-1')}"]
    text(src / "list_attr_celeba.txt", "3", " ".join(NAMES), *rows, "", f"000002.jpg {answers('1')}", "some words")
    text(src / "list_eval_partition.txt", "000001.jpg 0", "000002.jpg 2", "000001.jpg 2", "000009.jpg 1")
    result, faces = packed(src)
    assert faces.labels("male").tolist() == ["yes", "yes"] and faces.labels("split").tolist() == ["train", "test"]
    assert [(one.name, one.reason) for one in result.card.skipped] == [
        ("list_attr_celeba.txt", f"line 5: 000001.jpg is {OTHER}"),
        ("list_attr_celeba.txt", f"line 7: 000002.jpg is {AGAIN}"),
        ("list_attr_celeba.txt", "line 8: a picture and its labels expected, got 'some words'"),
        ("list_eval_partition.txt", f"line 3: 000001.jpg is {OTHER}"),
        ("000009.jpg", "no such picture"),
    ]


def test_lfwa(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"lfw/{name}" for name in LFW[:2]))
    label = np.zeros((4, 40))
    label[2, 1] = 1  # contradicts the first row
    cells = {"name": [LFW[0], LFW[1], LFW[0], LFW[1]], "AttrName": NAMES}
    parts = {"label": label} | {name: np.array(cell, dtype=object)[:, None] for name, cell in cells.items()}
    savemat(src / "lfw_att_40.mat", parts)
    savemat(src / "indices_train_test.mat", {"indices_img_train": [[1], [3], [4]], "indices_img_test": [[2], [1]]})
    result, faces = packed(src)
    assert column(faces, "gender") == {f"lfw/{name}": "female" for name in LFW[:2]}
    assert faces.labels("split").tolist() == ["train", "test"]
    assert [one.reason for one in result.card.skipped] == [OTHER, f"{AGAIN}, as train: the first row counts"]
    assert result.card.notes == (
        "1 pictures stand in both parts of indices_train_test.mat: they count as train",
        "1 faces are listed in two splits: the first row counts",
    )


def test_mtfl(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"net/{name}.jpg" for name in ("a", "b", "c", "extra")))
    lines = [f"net\\a.jpg {POINTS} 1 2 1 3", f"net\\a.jpg {POINTS} 2 2 1 3", f"net\\c.jpg {POINTS} 2 1 2 5"]
    text(src / "training.txt", *lines, lines[2])
    text(src / "testing.txt", f"net\\b.jpg {POINTS} 2 1 2 5", lines[2])
    result, faces = packed(src)
    assert column(faces, "split") == {"net/a.jpg": "train", "net/c.jpg": "train", "net/b.jpg": "test"}
    assert column(faces, "gender")["net/a.jpg"] == "male"
    assert [(one.name, one.reason) for one in result.card.skipped] == [
        ("net/a.jpg", OTHER),
        ("net/c.jpg", AGAIN),
        ("net/c.jpg", f"{AGAIN}, as test: the first row counts"),
        ("net/extra.jpg", "no row of the labels names it"),
    ]
    assert result.card.notes == ("1 faces are listed in two splits: the first row counts",)


def test_points68(tmp_path: Path) -> None:
    src = put_wide(tmp_path / "src", "training/Bo_1.jpg", "test/Bo_1.jpg")
    header = ",".join(["image", *(f"{axis}{number}" for number in range(68) for axis in "xy")])
    row, other = (",".join(["Bo_1.jpg", *map(str, (RING.T.ravel() + moved).tolist())]) for moved in (0, 1))
    text(src / "training_keypoints.csv", header, row, row, other)
    text(src / "test_keypoints.csv", header, row)
    result, faces = packed(src)
    assert faces.names.tolist() == ["training/Bo_1.jpg", "test/Bo_1.jpg"]  # a picture of its own each
    assert [one.reason for one in result.card.skipped] == [AGAIN, OTHER]


def test_wflw(tmp_path: Path) -> None:
    src = put_wide(tmp_path / "src", "WFLW_images/0--Parade/a.jpg")
    points = np.concatenate([RING, RING[:, :30]], axis=1)
    lists = src / "WFLW_annotations/list_98pt_rect_attr_train_test"
    row = wflw_row(points, "1 0 0 0 0 1", "0--Parade/a.jpg")
    text(lists / "list_98pt_rect_attr_train.txt", row, row, wflw_row(points, "0 0 0 0 0 1", "0--Parade/a.jpg"))
    text(lists / "list_98pt_rect_attr_test.txt", row, wflw_row(points + 1, "1 0 0 0 0 1", "0--Parade/a.jpg"))
    result, faces = packed(src)
    name = "WFLW_images/0--Parade/a.jpg"
    assert column(faces, "split") == {name: "train", f"{name}#5": "test"}
    as_test = f"{AGAIN}, as test: the first row counts"
    assert skips(result) == {f"{name}#2": AGAIN, f"{name}#3": OTHER, f"{name}#4": as_test}
    assert result.card.notes == (
        "1 faces are listed in two splits: the first row counts",
        "1 pictures show faces of two splits",
    )


def test_aflw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(aflw.PUBLISHED, "train", 2)
    src = put_wide(tmp_path / "src", "data/flickr/0/a.jpg")
    data = np.tile(RING[:, :19].ravel(), (3, 1))
    data[2] += 1
    info = {"bbox": np.tile([18.0, 22, 8, 12], (3, 1)), "data": data, "mask_new": np.ones((3, 19))}
    info |= {"ra": np.array([[1, 3, 2]]), "nameList": np.array(["0/a.jpg"] * 3, dtype=object)[:, None]}
    savemat(src / aflw.LIST, info)
    result, faces = packed(src)
    assert column(faces, "split") == {"data/flickr/0/a.jpg": "train", "data/flickr/0/a.jpg#3": "train"}
    assert skips(result) == {"data/flickr/0/a.jpg#2": f"{AGAIN}, as test: the first row counts"}
    assert "1 faces are listed in two splits: the first row counts" in result.card.notes


def test_fec(tmp_path: Path) -> None:
    src = put_wide(tmp_path / "src", *(f"pictures/{name}.jpg" for name in "abc"))
    box, same = "0.1,0.5,0.2,0.6", "0.10,0.50,0.20,0.60"
    a, b, c = (f"{HOST}/{name}.jpg" for name in "abc")
    text(src / "faceexp-comparison-data-train-public.csv", fec_row(f"{a},{box}", f"{b},{box}", f"{c},{box}"))
    other = "https://elsewhere/c.jpg"
    rows = [fec_row(f"{a},{same}", f"{b},0.2,0.6,0.2,0.6", f"{other},{box}")]
    text(src / "faceexp-comparison-data-test-public.csv", *rows)
    result, faces = packed(src)
    # a is one face however its box is written; whose picture c.jpg is cannot be told
    assert faces.names.tolist() == ["pictures/a.jpg", "pictures/b.jpg", "pictures/b.jpg#2"]
    assert faces.labels("split").tolist() == ["train", "train", "test"]
    told = skips(result)
    assert {c, other} <= told.keys() and all("name its picture by its SHA-1" in told[url] for url in (c, other))
    assert "1 faces are named by both lists: they count as train" in result.card.notes
    assert "1 pictures show faces of two splits" in result.card.notes


def test_disfa(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "Images/SN001/f1.jpg", "Images/SN001/f2.jpg")
    disfa_labels(src, "SN001", "1,5", "1,0", "2,0", "2,0")
    result, faces = packed(src)
    assert faces.labels("au01").tolist() == [1, 0]
    told = [one.reason for one in result.card.skipped if one.name == "SN001_au1.txt"]
    intensity = f"{AGAIN}, with another intensity: the first row counts"
    assert told == [f"frame 1 is {intensity}", f"frame 2 is {AGAIN}"]


def test_ckplus_sequence_with_two_emotions(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"cohn-kanade-images/S005/001/S005_001_0000000{n}.png" for n in (1, 2)))
    for number, emotion in ((1, 3), (2, 5)):
        text(src / f"Emotion/S005/001/S005_001_0000000{number}_emotion.txt", str(emotion))
    result, faces = packed(src)
    assert set(faces.labels("expression")) == {"disgust"}
    assert "another such file, which counts" in skips(result)["S005_001_00000002_emotion.txt"]


def test_ferplus(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "train/angry/a.jpg", "test/sad/b.jpg")
    rows = ["train/angry/a.jpg,1,2,3,0,4,0,0,0,0,0", "test/sad/b.jpg,0,0,0,10,0,0,0,0,0,0"]
    text(src / "ferplus_votes.csv", f"file,{','.join(ferplus.COLUMNS)}", *rows, rows[1], rows[0].replace("4", "5"))
    result, faces = packed(src)
    assert faces.labels("votes")[:, 4].tolist() == [4, 0]
    assert [one.reason for one in result.card.skipped] == [
        f"row 4: test/sad/b.jpg is {AGAIN}",
        f"row 5: train/angry/a.jpg is {AGAIN}, with other votes: the first row counts",
    ]


@pytest.mark.parametrize(
    ("reader", "counts", "note"),
    [
        (mtfl, {"train": 2, "test": 1}, "train: 1 found, 2 published"),
        (points68, {"training": 1, "test": 1}, "test: 2 found, 1 published"),
        (utkface, {"pictures": 1}, "pictures: 3 found, 1 published"),
    ],
)
def test_counts_that_differ_from_the_published(tmp_path, monkeypatch, reader, counts, note) -> None:
    monkeypatch.setattr(reader, "PUBLISHED", counts)
    if reader is mtfl:
        src = put(tmp_path / "src", "net/a.jpg", "net/b.jpg", "net/c.jpg")
        text(src / "training.txt", f"net\\a.jpg {POINTS} 1 2 1 3")
        text(src / "testing.txt", *(f"net\\{name}.jpg {POINTS} 1 2 1 3" for name in "bc"))
    elif reader is points68:
        src = put_wide(tmp_path / "src", "training/Bo_1.jpg", "test/Bo_2.jpg", "test/Bo_3.jpg")
        header = ",".join(["image", *(f"{axis}{number}" for number in range(68) for axis in "xy")])
        rows = [",".join([f"Bo_{n}.jpg", *map(str, RING.T.ravel().tolist())]) for n in (1, 2, 3)]
        text(src / "training_keypoints.csv", header, rows[0])
        text(src / "test_keypoints.csv", header, *rows[1:])
    else:
        src = put(tmp_path / "src", *(f"{age}_0_1_20170116174525125.jpg" for age in (20, 30, 40)))
    assert note in packed(src)[0].card.notes
