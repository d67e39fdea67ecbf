"""Readers of sets with expressions or verification pairs, each on a miniature of its layout."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from reader_sources import column, packed, put, skips, text
from vultus.faces.readers import ferplus
from vultus.faces.readers.pairs_file import deal

VOTES = ",".join(ferplus.COLUMNS)
PIXELS = " ".join(["7"] * 48 * 48)


def test_ferplus_by_file(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "train/angry/a.jpg", "train/sad/b.jpg", "test/sad/c.jpg", "validation/fear/d.jpg")
    shutil.copy(src / "train/angry/a.jpg", src / "test/sad/copy.jpg")
    rows = ["train/angry/a.jpg,x,1,2,3,0,4,0,0,0,0,0", "train/sad/b.jpg,x,1,2,three,0,4,0,0,0,0,0"]
    rows += ["test/sad/c.jpg,x,0,0,0,0,0,0,0,0,0,10", "test/sad/gone.jpg,x,0,0,0,0,0,0,0,0,0,10"]
    text(src / "ferplus_votes.csv", f"file,fer_row,{VOTES}", *rows)
    result, found = packed(src)
    votes = column(found, "votes")
    assert votes["train/angry/a.jpg"] == [1, 2, 3, 0, 4, 0, 0, 0, 0, 0]
    assert votes["test/sad/c.jpg"] == [0] * 9 + [10]
    assert np.isnan(votes["train/sad/b.jpg"]).all() and np.isnan(votes["test/sad/copy.jpg"]).all()
    assert column(found, "expression")["train/angry/a.jpg"] == "angry"
    assert result.card.notes == ("3 of 5 faces have no FER+ votes",)
    assert "no such picture" in skips(result)["test/sad/gone.jpg"]
    repeats = result.card.duplicates
    assert (repeats.across_splits, repeats.conflicting) == (1, {"expression": 1})


def fer_csv(src: Path, *usages: str, faulty: int = -1) -> Path:
    rows = [f"{9 if row == faulty else row},{PIXELS},{usage}" for row, usage in enumerate(usages)]
    return text(src / "fer2013.csv", "emotion,pixels,Usage", *rows).parent


def test_ferplus_by_row(tmp_path: Path) -> None:
    src = fer_csv(tmp_path / "src", "Training", "Training", "PublicTest", faulty=1)
    rows = [f"{usage},fer.png,{row},0,0,0,0,0,0,0,0,0" for row, usage in enumerate(("Training", "Training"))]
    text(src / "fer2013new.csv", f"Usage,Image name,{VOTES}", *rows, "PublicTest,,2,0,0,0,0,0,0,0,0,8")
    result, found = packed(src)
    assert found.labels("votes")[:, 0].tolist() == [0, 2]
    assert found.labels("votes")[1].tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 8]
    assert (result.skipped, result.card.notes) == (1, ())


@pytest.mark.parametrize(
    ("head", "row", "message"),
    [
        (f"Usage,{VOTES}", "Training" + ",1" * 10, "has 1 rows, the faces' table 2"),
        (
            f"Usage,{VOTES}",
            "Training" + ",1" * 10 + "\nTraining" + ",1" * 10,
            "row 3: usage 'Training', in .*'PublicTest'",
        ),
        ("Usage,neutral", "Training,1\nPublicTest,1", "missing happiness, surprise"),
    ],
)
def test_ferplus_of_another_table(tmp_path: Path, head: str, row: str, message: str) -> None:
    src = fer_csv(tmp_path / "src", "Training", "PublicTest")
    text(src / "fer2013new.csv", head, row)
    with pytest.raises(ValueError, match=message):
        packed(src)


def raf(basic: Path) -> Path:
    names = ("train_00001", "train_00002", "test_0001", "test_0009")
    put(basic, *(f"Image/aligned/{name}_aligned.jpg" for name in names))
    text(
        basic / "EmoLabel/list_patition_label.txt", *(f"{name}.jpg {n}" for name, n in zip(names, "5713", strict=True))
    )
    return basic


def test_raf_db(tmp_path: Path) -> None:
    basic = raf(tmp_path / "src" / "basic")
    points = ["10.5\t20"] * 5
    text(basic / "Annotation/manual/train_00001_manu_attri.txt", *points, "1", "2", "4")
    text(basic / "Annotation/manual/test_0001_manu_attri.txt", *points, "2", "0", "0")
    text(basic / "Annotation/manual/test_0009_manu_attri.txt", *points, "1", "3", "0")
    result, found = packed(tmp_path / "src")
    names = [f"basic/Image/aligned/{name}_aligned.jpg" for name in ("train_00001", "train_00002", "test_0001")]
    for label, expected in {
        "expression": ["sad", "neutral", "surprise"],
        "split": ["train", "train", "test"],
        "gender": ["female", "", ""],
        "ethnicity": ["asian", "", "white"],
        "age_band": ["70+", "", "0-3"],
    }.items():
        assert [column(found, label)[name] for name in names] == expected
    assert (result.reader, result.card.notes) == ("raf_db", ("1 of 4 faces have no file of attributes",))
    assert "race 0 to 2" in skips(result)["basic/Image/aligned/test_0009_aligned.jpg"]


def test_raf_db_flat_with_rows_too_many_and_too_few(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"aligned/test_000{n}_aligned.jpg" for n in range(5)))
    (src / "aligned/test_0004_aligned.jpg").write_bytes(b"broken")
    text(
        src / "list_patition_label.txt",
        "test_0001.jpg 4",
        "test_0002.jpg 12",
        "test_0003.jpg",
        "test_0004.jpg 1",
        "test_0007.jpg 1",
    )
    result, found = packed(src)
    assert column(found, "expression") == {"aligned/test_0001_aligned.jpg": "happy"}
    told = skips(result)
    assert list(told) == [
        "test_0002.jpg",
        "test_0003.jpg",
        "aligned/test_0000_aligned.jpg",
        "aligned/test_0004_aligned.jpg",
        "test_0007",
    ]
    assert (
        "line 2: name and 1 to 7" in told["test_0002.jpg"] and "no line for it" in told["aligned/test_0000_aligned.jpg"]
    )
    assert "no aligned picture" in told["test_0007"]


def npy(src: Path, stem: str, **values: object) -> None:
    for kind, value in values.items():
        (src / "annotations").mkdir(exist_ok=True)
        np.save(src / "annotations" / f"{stem}_{kind}.npy", np.asarray(value), allow_pickle=True)


def test_affectnet_of_eight_classes(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"train_set/images/{n}.jpg" for n in (0, 1, 2, 3, 4, 10)), "val_set/images/0.jpg")
    points = np.tile([4.0, 8.0], 68)
    npy(src / "train_set", "0", exp="7", val="-0.5", aro="1.0", lnd=points)
    npy(src / "train_set", "1", exp=0, val=-2, aro=-2.0, lnd=points.reshape(68, 2))
    npy(src / "train_set", "2", exp=1, val=np.nan, aro=0.0)
    npy(src / "train_set", "3", exp=11, val=0.0, aro=0.0)
    npy(src / "train_set", "4", exp=np.array([{}], object))
    npy(src / "train_set", "5", exp=2)
    npy(src / "val_set", "0", exp=6, val=0.25, aro=0.0, lnd=points)
    result, found = packed(src)
    assert result.reader == "affectnet"
    assert column(found, "expression") == {
        "train_set/images/0.jpg": "contempt", "train_set/images/1.jpg": "neutral", "val_set/images/0.jpg": "angry",
    }  # fmt: skip
    assert found.labels("split").tolist() == ["train", "train", "test"]
    np.testing.assert_array_equal(found.labels("valence"), np.float32([-0.5, np.nan, 0.25]))
    np.testing.assert_array_equal(found.labels("arousal"), np.float32([1, np.nan, 0]))
    np.testing.assert_array_equal(found.labels("landmarks")[:, :2], [[0.25, 0.5]] * 3)
    told = skips(result)
    expected = {"2": "valence lies", "3": "0 to 10", "4": "pickle", "5": "No such file", "10": "no 10_exp.npy"}
    assert {name.split("/")[-1][:-4] for name in told} == set(expected)
    for stem, part in expected.items():
        assert part in told[f"train_set/images/{stem}.jpg"].replace("Object arrays", "pickle")


def test_affectnet_tables(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"Manually_Annotated_Images/{n}/a.jpg" for n in range(5)))
    (src / "Manually_Annotated_Images/4/a.jpg").write_bytes(b"broken")
    points = ";".join(["4", "8"] * 68)
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    rows = [f"{n}/a.jpg,4,4,8,8,{points},{e},0.5,-0.5" for n, e in ((0, 3), (1, 8), (2, 10), (4, 1), (7, 1))]
    text(src / "training.csv", head, *rows, rows[0])
    text(src / "Manually_Annotated_file_lists/validation.csv", head, f"3/a.jpg,-90,4,8,8,{points},2,-2,-2")
    result, found = packed(src)
    assert column(found, "expression") == {
        f"Manually_Annotated_Images/{n}/a.jpg": e for n, e in ((0, "surprise"), (1, ""))
    }
    assert found.labels("valence").tolist() == [0.5, 0.5]
    assert found.boxes[0].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert result.card.notes == ("1 pictures left out: annotated as showing no face",)
    told = skips(result)
    assert list(told) == ["4/a.jpg", "7/a.jpg", "0/a.jpg", "3/a.jpg"]
    assert "second time" in told["0/a.jpg"] and "a box is" in told["3/a.jpg"]


def test_cplfw(tmp_path: Path) -> None:
    names = ("Ann_Lee_1", "Ann_Lee_2", "Bo-Li_3jpg", "nobody")
    src = put(tmp_path / "src", *(f"images/{name}.jpg" for name in names))
    for name in names:
        text(src / "CP_landmarks" / f"{name}_5loc_attri.txt", "6 6", "10 6", "8 8", "6 10", "10 10")
    same, other = ["Ann_Lee_1.jpg 1", "Ann_Lee_2.jpg 1"], ["Ann_Lee_2.jpg 0", "Bo-Li_3jpg.jpg 0"]
    text(src / "pairs_CPLFW.txt", *(same * 20), *(other * 10))
    result, found = packed(src)
    assert result.reader == "cplfw"
    assert found.labels("identity").tolist() == ["Ann_Lee", "Ann_Lee", "Bo-Li"]
    np.testing.assert_allclose(found.boxes[0], np.array([3.6, 3.6, 12.4, 12.4]) / 16)
    pairs = found.pairs
    assert pairs is not None
    assert pairs.fold.tolist() == [fold for fold in range(10) for _ in "ab"] + list(range(10))
    assert (pairs.left[-1], pairs.right[-1], pairs.same.tolist()) == (1, 2, [True] * 20 + [False] * 10)
    assert "a person's name" in skips(result)["images/nobody.jpg"]
    text(src / "pairs_CPLFW.txt", "Ann_Lee_1.jpg 1", "Ann_Lee_2.jpg 0")
    with pytest.raises(ValueError, match="line 1: both lines of a pair bear one number, got 1 and 0"):
        packed(src, overwrite=True)


def test_calfw_aligned(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "aligned images/A_0001.jpg", "aligned images/A_0002.jpg", "aligned images/B_0001.jpg")
    same = [line for fold in range(1, 11) for line in (f"A_0001.jpg {fold}", f"A_0002.jpg {fold}")]
    text(src / "pairs_CALFW.txt", *same, "A_0001.jpg 0", "B_0001.jpg 0")
    result, found = packed(src)
    assert (result.reader, result.card.notes, found.boxes.tolist()) == ("calfw", (), [[0, 0, 1, 1]] * 3)
    assert found.pairs is not None and found.pairs.fold.tolist() == [*range(10), 0]


def test_pairs(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "a/1.jpg", "a/2.jpg", "b c.jpg", "unused.jpg")
    text(src / "pairs.csv", "fold,left,right,same", "1,a/1.jpg,a/2.jpg,1", "3,b c.jpg,a/1.jpg,0")
    result, found = packed(src)
    assert result.reader == "pairs" and found.names.tolist() == ["a/1.jpg", "a/2.jpg", "b c.jpg"]
    assert (
        found.pairs is not None and found.pairs.fold.tolist() == [0, 1] and found.pairs.same.tolist() == [True, False]
    )
    listed, found = packed(text(src / "my.txt", "a/1.jpg a/2.jpg 1", "a/2.jpg a/1.jpg 1"))
    assert found.pairs is not None and found.pairs.fold.tolist() == deal([True] * 2) == [0, 5]
    assert listed.reader == "pairs" and listed.card.notes == ("my.txt has no folds: dealt to 10 in its order",)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a/1.jpg,a/2.jpg,1", "a/1.jpg,a/2.jpg,2"], "pair 2: same is 1 or 0"),
        (["a/1.jpg,a/2.jpg,1", "a/1.jpg,a/2.jpg"], "pair 2: left, right, same"),
        (["a/1.jpg,a/2.jpg,1,x"], "a fold is a whole number"),
        (["/a/1.jpg,a/2.jpg,1"], "paths below its folder"),
        (["a/1.jpg,a/3.jpg,1"], r"name 1 pictures .* \(a/3.jpg\)"),
    ],
)
def test_pairs_that_cannot_be_read(tmp_path: Path, rows: list[str], message: str) -> None:
    text(put(tmp_path / "src", "a/1.jpg", "a/2.jpg") / "pairs.csv", *rows)
    with pytest.raises(ValueError, match=message):
        packed(tmp_path / "src", reader="pairs")
