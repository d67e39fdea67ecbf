"""Lists of pictures, with labels as columns."""

from pathlib import Path

import numpy as np
import pytest

from reader_sources import packed, put


def test_list_of_paths(tmp_path: Path) -> None:
    put(tmp_path, "x/2.jpg", "1.jpg")
    (tmp_path / "faces.txt").write_text("x/2.jpg\n\n1.jpg\nnowhere.jpg\n")
    result, found = packed(tmp_path / "faces.txt")
    assert result.reader == "list"
    assert found.names.tolist() == ["x/2.jpg", "1.jpg"]
    assert result.card.skipped[0].name == "nowhere.jpg"


def test_list_with_labels(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    lines = ["path,age,identity,landmarks,note", "1.jpg,31,007,0.1 0.2,a", "2.jpg,,8,,1", "3.jpg,4.5,,0.3 0.4,"]
    (tmp_path / "faces.csv").write_text("\n".join(lines))
    _, found = packed(tmp_path / "faces.csv")
    np.testing.assert_array_equal(found.labels("age"), np.float32([31, np.nan, 4.5]))
    assert found.labels("identity").tolist() == ["007", "8", ""]
    assert found.labels("note").tolist() == ["a", "1", ""]
    np.testing.assert_array_equal(found.labels("landmarks"), np.float32([[0.1, 0.2], [np.nan] * 2, [0.3, 0.4]]))


def test_folds_and_classes_of_a_list_are_texts(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "faces.csv").write_text("path,fold,pose,level\n1.jpg,0,2,3\n2.jpg,1,,4\n")
    _, found = packed(tmp_path / "faces.csv")
    assert found.labels("fold").tolist() == ["0", "1"]
    assert found.labels("pose").tolist() == ["2", ""]
    np.testing.assert_array_equal(found.labels("level"), np.float32([3, 4]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,age\n1.jpg,3\n", "one column path"),
        ("path,age\n1.jpg\n", "2 cells a line"),
        ("path\n", "no picture"),
        ("path,name,age\n1.jpg,kim,3\n", "no label can be called name: rename"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    put(tmp_path, "1.jpg")
    (tmp_path / "faces.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        packed(tmp_path / "faces.csv", reader="list")
