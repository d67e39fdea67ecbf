"""Each reader on a miniature of its layout, and on what is wrong with it."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_sources import packed, put
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack
from vultus.faces.readers import READERS, LayoutError, detect


def test_folder(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "b/2.jpg", "b/1.JPG", "a/deep/3.jpeg", "0.jpg", ".hidden/4.jpg", "a/.5.jpg")
    (src / "notes.txt").write_text("not a picture, and not named like one")
    (src / "a" / "text.jpg").write_text("not a picture")
    result, found = packed(src)
    assert found.names.tolist() == ["0.jpg", "a/deep/3.jpeg", "b/1.JPG", "b/2.jpg"]
    assert found.columns == ()
    assert result.reader == "folder"
    assert (result.faces, result.skipped) == (4, 1)
    assert result.card.skipped[0].name == "a/text.jpg"


def test_folder_names_as_a_label(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "happy/1.jpg", "happy/more/2.jpg", "sad/3.jpg", "4.jpg")
    _, found = packed(src, label="expression", licence="CC-BY-4.0")
    assert found.labels("expression").tolist() == ["", "happy", "happy", "sad"]
    assert found.card.licence == "CC-BY-4.0"
    assert "label=expression" in found.card.made


def test_folder_with_splits(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "train/x/1.jpg", "train/y/2.jpg", "val/x/3.jpg", "Test/4.jpg")
    _, found = packed(src, label="identity")
    assert dict(zip(found.names.tolist(), found.labels("split").tolist(), strict=True)) == {
        "Test/4.jpg": "test",
        "train/x/1.jpg": "train",
        "train/y/2.jpg": "train",
        "val/x/3.jpg": "validation",
    }
    assert found.labels("identity").tolist() == ["", "x", "y", "x"]


def test_folder_that_contains_itself(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "a/1.jpg")
    (src / "a" / "again").symlink_to(src, target_is_directory=True)
    (src / "loop").symlink_to(src / "loop")
    put(tmp_path / "elsewhere", "2.jpg")
    (src / "z").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    _, found = packed(src)
    assert found.names.tolist() == ["a/1.jpg", "z/2.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "a/1.jpg", "b/2.jpg", "c/3.jpg")
    (src / "a").chmod(0)
    (src / "b" / "2.jpg").chmod(0)
    try:
        result, _ = packed(src)
        with pytest.raises(PermissionError, match="cannot be read"):
            packed(src / "a")
    finally:
        (src / "a").chmod(0o755)
    assert {one.name: "Permission denied" in one.reason for one in result.card.skipped} == {"a": True, "b/2.jpg": True}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "1.jpg")
    (src / "2.jpg").symlink_to(src / "nowhere.jpg")
    result, _ = packed(src)
    assert [(one.name, one.reason) for one in result.card.skipped] == [
        ("2.jpg", "cannot be read: No such file or directory")
    ]


def test_an_empty_folder_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with pytest.raises(LayoutError, match=r"(?s)no picture below it.*an empty folder.*SOURCE/\*\*/\*\.jpg"):
        packed(tmp_path / "src")
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such file or folder$"):
        packed(tmp_path / "nowhere")


@pytest.mark.parametrize("reader", READERS)
def test_a_wrong_layout_shows_the_right_one(tmp_path: Path, reader: str) -> None:
    src = tmp_path / "src"
    src.mkdir()
    (src / "readme.md").write_text("nothing here")
    with pytest.raises(LayoutError) as caught:
        packed(src, reader=reader)
    assert READERS[reader].layout in str(caught.value)
    assert "readme.md" in str(caught.value)


def test_options_belong_to_their_reader(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "1.jpg")
    with pytest.raises(ValueError, match="reader folder has no option crop; it has: label"):
        packed(src, crop=0.5)
    with pytest.raises(ValueError, match="reader is auto or one of fer2013"):
        packed(src, reader="ferplus")


def test_fer2013_folders(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "train/angry/a.jpg", "train/neutral/b.jpg", "validation/fear/c.jpg", "test/sad/d.jpg")
    assert detect(src) == "fer2013"
    result, found = packed(src)
    assert found.labels("expression").tolist() == ["angry", "neutral", "fear", "sad"]
    assert found.labels("split").tolist() == ["train", "train", "validation", "test"]
    assert result.card.notes == ()


def fer_csv(path: Path, *rows: str, header: str = "emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


PIXELS = np.random.default_rng(0).integers(0, 256, (3, 48, 48))
TEXT = [" ".join(map(str, picture.ravel())) for picture in PIXELS]


def test_fer2013_csv(tmp_path: Path) -> None:
    rows = [f"0,{TEXT[0]},Training", f"6,{TEXT[1]},PublicTest", f"3,{TEXT[2]},PrivateTest"]
    src = fer_csv(tmp_path / "fer2013.csv", *rows)
    assert detect(src) == "fer2013"
    _, found = packed(src)
    assert found.labels("expression").tolist() == ["angry", "neutral", "happy"]
    assert found.labels("split").tolist() == ["train", "validation", "test"]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(found.image_bytes(1)))), PIXELS[1])
    np.testing.assert_array_equal(found.images([2], 48)[0, 0], PIXELS[2])


def test_fer2013_csv_of_the_challenge_in_its_folder(tmp_path: Path) -> None:
    """icml_face_data.csv: another order, and blanks before the names."""
    (tmp_path / "src").mkdir()
    fer_csv(tmp_path / "src" / "icml_face_data.csv", f"5,Training,{TEXT[0]}", header="emotion, Usage, pixels")
    _, found = packed(tmp_path / "src")
    assert found.labels("expression").tolist() == ["surprise"]
    assert found.labels("split").tolist() == ["train"]


def test_fer2013_csv_with_bad_rows(tmp_path: Path) -> None:
    rows = [
        f"7,{TEXT[0]},Training",
        f"-1,{TEXT[0]},Training",
        f"0,{TEXT[0]},Holdout",
        f"0,{TEXT[0][:-4]},Training",
        f"0,{TEXT[0].replace(' ', ' x', 1)},Training",
        f"0,999 {TEXT[0].split(' ', 1)[1]},Training",
        "0",
        f"4,{TEXT[1]},Training",
    ]
    result, found = packed(fer_csv(tmp_path / "fer2013.csv", *rows))
    assert found.labels("expression").tolist() == ["sad"]
    reasons = [one.reason for one in result.card.skipped]
    expected = ["from 0 to 6, got '7'", "got '-1'", "got 'Holdout'", "2304", "not all whole", "from 0 to 255", "got ''"]
    assert len(reasons) == 7
    for reason, part in zip(reasons, expected, strict=True):
        assert part in reason.replace("48×48", "2304")


def test_fer2013_csv_without_a_column(tmp_path: Path) -> None:
    src = fer_csv(tmp_path / "fer2013.csv", "0,1", header="emotion,pixel")
    with pytest.raises(ValueError, match="missing pixels, Usage, found emotion, pixel"):
        packed(src, reader="fer2013")


PEOPLE = ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bo/Bo_0001.jpg", "Cy_[X]/Cy_[X]_0001.jpg")


def test_lfw(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *PEOPLE)
    lines = ["2\t1", "Ann_Lee\t1\t2", "Ann_Lee\t1\tBo\t1", "Ann_Lee\t2\t1", "Bo\t1\tCy_[X]\t1"]
    (src / "pairs.txt").write_text("\n".join(lines) + "\n")
    assert detect(src) == "lfw"
    _, found = packed(src)
    assert found.labels("identity").tolist() == ["Ann_Lee", "Ann_Lee", "Bo", "Cy_[X]"]
    pairs = found.pairs
    assert pairs is not None
    assert pairs.fold.tolist() == [0, 0, 1, 1]
    assert pairs.left.tolist() == [0, 0, 1, 2]
    assert pairs.right.tolist() == [1, 2, 0, 3]
    assert pairs.same.tolist() == [True, False, True, False]


def test_lfw_box_is_the_middle(tmp_path: Path) -> None:
    pixels = np.full((64, 64, 3), 30, np.uint8)
    pixels[16:48, 16:48] = 220
    src = tmp_path / "src"
    (src / "Bo").mkdir(parents=True)
    Image.fromarray(pixels).save(src / "Bo" / "Bo_0001.jpg", quality=100)
    _, found = packed(src)
    assert (found.images([0], 32) > 200).all()
    assert found.card.notes == ("no pairs.txt: the set has no verification pairs",)
    pack(src, tmp_path / "whole", crop=1.0, progress=False)
    assert FaceSet.open(tmp_path / "whole").images([0], 64)[0, 0, 0, 0] < 40
    with pytest.raises(ValueError, match="crop is the part"):
        pack(src, tmp_path / "none", crop=0.0, progress=False)


def test_lfw_pairs_of_missing_pictures(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *PEOPLE)
    (src / "pairs.txt").write_text("1\t1\nAnn_Lee\t1\t3\nBo\t1\tDee\t1\n")
    with pytest.raises(ValueError, match=r"2 pictures .* \(Ann_Lee/Ann_Lee_0003.jpg, Dee/Dee_0001.jpg\)"):
        packed(src)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("ten folds\n", "first line"),
        ("1\t2\nBo\t1\t1\n", r"1 folds of 2 \+ 2 pairs announced, found 1"),
        ("1\t1\nBo\t1\nBo\t1\tAnn_Lee\t1\n", "line 2: name <tab> number <tab> number expected, got 'Bo 1'"),
        ("1\t1\nBo\t1\t1\nBo\t1\tAnn_Lee\tx\n", "line 3"),
    ],
)
def test_lfw_pairs_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    src = put(tmp_path / "src", *PEOPLE)
    (src / "pairs.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        packed(src)


def test_utkface(tmp_path: Path) -> None:
    names = [
        "26_0_1_20170116174525125.jpg.chip.jpg",
        "1_1_4_20161219140623097.jpg",
        "61_1_20170109142408075.jpg.chip.jpg",
    ]
    src = put(tmp_path / "src", *names)
    assert detect(src) == "utkface"
    result, found = packed(src)
    by_name = dict(zip(found.names.tolist(), range(3), strict=True))
    order = [by_name[name] for name in names]
    np.testing.assert_array_equal(found.labels("age")[order], np.float32([26, 1, np.nan]))
    assert found.labels("gender")[order].tolist() == ["male", "female", ""]
    assert found.labels("ethnicity")[order].tolist() == ["black", "other", ""]
    assert set(found.labels("split").tolist()) <= {"train", "validation", "test"}
    assert result.card.notes[0].startswith("1 pictures without labels")


def test_mtfl(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "net/a.jpg", "net/b.jpg", "net/c.jpg")
    points = "4 12 8 5 11 6 6 9 12 12"
    (src / "training.txt").write_text(f"net\\a.jpg {points} 1 2 1 3\n net\\c.jpg {points} 1 9 1 3\n")
    (src / "testing.txt").write_text(f"net\\b.jpg {points} 2 1 2 5\n")
    assert detect(src) == "mtfl"
    result, found = packed(src)
    assert found.labels("split").tolist() == ["train", "test"]
    assert found.labels("gender").tolist() == ["male", "female"]
    assert found.labels("smile").tolist() == ["no", "yes"]
    assert found.labels("glasses").tolist() == ["yes", "no"]
    assert found.labels("pose").tolist() == ["frontal", "right profile"]
    expected = np.float32([4, 6, 12, 6, 8, 9, 5, 12, 11, 12]) / 16
    np.testing.assert_allclose(found.labels("landmarks")[0], expected)
    assert result.card.skipped[0].name == "net/c.jpg"


def test_a_folder_of_anything_is_a_folder(tmp_path: Path) -> None:
    assert detect(put(tmp_path / "src", "a/1.jpg", "train/b.jpg", "26_0_1.jpg")) == "folder"
