"""Readers of landmarks on miniatures of their layouts, and on what is wrong with them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from reader_sources import RING, RING_BOX, RING_LABEL, column, packed, put_wide, skips, text
from vultus.faces.readers import aflw, detect, matlab


def pts(path: Path, points: np.ndarray) -> None:
    rows = [f"{x} {y}" for x, y in points.T]
    text(path, "version: 1", f"n_points:  {len(rows)}", "{", *rows, "}")


def test_w300(tmp_path: Path) -> None:
    kept = ["afw/1_1", "helen/trainset/2_1", "lfpw/testset/image_0001", "ibug/image_003_1"]
    src = put_wide(tmp_path / "src", *(f"{name}.jpg" for name in (*kept, "afw/bare", "afw/short", "afw/2_mirror")))
    (src / "lfpw/testset/image_0001.jpg").rename(src / "lfpw/testset/image_0001.png")
    for name in (*kept, "afw/2_mirror", "ibug/alone"):
        pts(src / f"{name}.pts", RING + 1)  # the files count pixels from 1
    pts(src / "afw/short.pts", RING[:, :67])
    assert detect(src) == "w300"
    result, faces = packed(src)
    assert [name.rpartition(".")[0] for name in faces.names] == kept
    assert faces.labels("split").tolist() == ["train", "train", "test", "test"]
    assert faces.labels("subset").tolist() == ["", "", "common", "challenging"]
    np.testing.assert_allclose(faces.labels("landmarks"), [RING_LABEL] * 4, atol=1e-6)
    np.testing.assert_allclose(faces.boxes, [RING_BOX] * 4, atol=1e-6)
    assert skips(result).keys() == {"afw/bare.jpg", "afw/short.jpg", "afw/2_mirror.jpg", "ibug/alone.pts"}


def wflw_row(points: np.ndarray, answers: str, picture: str, rect: str = "18 8 22 12") -> str:
    return " ".join([*(str(number) for number in points.T.ravel()), rect, answers, picture])


def test_wflw(tmp_path: Path) -> None:
    src = put_wide(tmp_path / "src", "WFLW_images/0--Parade/a.jpg", "WFLW_images/0--Parade/b.jpg")
    points = np.concatenate([RING, RING[:, :30]], axis=1)
    lists = src / "WFLW_annotations/list_98pt_rect_attr_train_test"
    rows = [wflw_row(points, "1 0 0 0 0 1", "0--Parade/a.jpg"), wflw_row(points + 1, "0 0 0 0 0 0", "0--Parade/a.jpg")]
    bad = [wflw_row(points, "0 0 0 0 0 2", "0--Parade/a.jpg"), wflw_row(points, "0 0 0", "0--Parade/a.jpg")]
    bad += [
        wflw_row(points, "0 0 0 0 0 0", "0--Parade/c.jpg"),
        wflw_row(points * np.nan, "0 0 0 0 0 0", "0--Parade/a.jpg"),
    ]
    text(lists / "list_98pt_rect_attr_train.txt", rows[0], *bad)
    text(lists / "list_98pt_rect_attr_test.txt", rows[1])
    assert detect(src) == "wflw"
    result, faces = packed(src, drop_duplicates=True)
    first, second = "WFLW_images/0--Parade/a.jpg", "WFLW_images/0--Parade/a.jpg#5"
    assert column(faces, "split") == {first: "train", second: "test"}  # two faces of a picture are no duplicates
    assert result.duplicates == 0
    assert column(faces, "large_pose") == {first: "yes", second: "no"}
    assert column(faces, "blur") == {first: "yes", second: "no"}
    np.testing.assert_allclose(faces.labels("landmarks")[1], ((points.T + 1) / [40, 20]).ravel(), atol=1e-6)
    np.testing.assert_allclose(faces.boxes[0], [17.6 / 40, 7.6 / 20, 22.4 / 40, 12.4 / 20], atol=1e-6)
    found = skips(result)
    assert len(found) == 5
    assert found["0--Parade/b.jpg"] == "no row of the labels names it"
    assert found["WFLW_images/0--Parade/c.jpg"] == "no such picture"


def test_aflw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(aflw.PUBLISHED, "train", 2)
    names = ["0/a.jpg", "0/a.jpg", "2/b.jpg", "3/c.jpg"]
    src = put_wide(tmp_path / "src", *(f"data/flickr/{name}" for name in ("0/a.jpg", "2/b.jpg", "3/d.jpg")))
    data = np.tile(RING[:, :19].ravel(), (4, 1))
    data[2, 0] = np.nan
    data[1] += 1e-6  # another face of the picture
    visible = np.ones((4, 19))
    visible[1, 5] = 0
    info = {
        "bbox": np.tile([18.0, 22, 8, 12], (4, 1)),
        "data": data,
        "mask_new": visible,
        "ra": np.array([[3, 4, 1, 2]]),
    }
    info["nameList"] = np.array(names, dtype=object)[:, None]
    savemat(src / aflw.LIST, info)
    assert detect(src) == "aflw"
    result, faces = packed(src)
    assert column(faces, "split") == {
        "data/flickr/0/a.jpg": "test",
        "data/flickr/0/a.jpg#2": "test",
        "data/flickr/2/b.jpg": "train",
    }
    assert faces.labels("subset").tolist() == ["frontal", "", ""]
    landmarks = faces.labels("landmarks")
    np.testing.assert_allclose(landmarks[0], RING_LABEL[:38], atol=1e-6)
    np.testing.assert_allclose(landmarks[1], landmarks[0], atol=1e-6)  # a hidden point was annotated too
    assert np.isnan(landmarks[2]).tolist() == [True] + [False] * 37
    np.testing.assert_allclose(faces.boxes, [[17.6 / 40, 7.6 / 20, 22.4 / 40, 12.4 / 20]] * 3, atol=1e-6)
    assert skips(result).keys() == {"data/flickr/3/c.jpg", "data/flickr/3/d.jpg"}
    savemat(src / aflw.LIST, info | {"ra": np.array([[3, 4, 1, 1]])})
    with pytest.raises(ValueError, match="ra is not an order of its 4 faces"):
        packed(src, overwrite=True)


def test_points68(tmp_path: Path) -> None:
    src = put_wide(
        tmp_path / "src", "training/Ann_Lee_01.jpg", "training/Bo_10.jpg", "test/Ann_Lee_02.jpg", "test/x_1.jpg"
    )
    header = ",".join(["image", *(f"{axis}{number}" for number in range(68) for axis in "xy")])
    cells = RING.T.ravel().tolist()
    row = ",".join(map(str, cells))
    half = ",".join(["", *map(str, cells[1:])])
    text(
        src / "training_keypoints.csv",
        header,
        f"Ann_Lee_01.jpg,{row}",
        f"Bo_10.jpg,{half}",
        f"Cy_1.jpg,{row}",
        "Bo_10.jpg,1,2",
    )
    text(src / "test_keypoints.csv", header, f"Ann_Lee_02.jpg,{row}")
    assert detect(src) == "points68"
    result, faces = packed(src)
    assert "split" not in faces.columns
    assert faces.labels("identity").tolist() == ["Ann_Lee", "Bo", "Ann_Lee"]
    assert result.card.notes == ("1 people are in both folders: the published split is not kept",)
    np.testing.assert_allclose(faces.labels("landmarks")[0], RING_LABEL, atol=1e-6)
    assert np.isnan(faces.labels("landmarks")[1]).sum() == 1
    np.testing.assert_allclose(faces.boxes[0], RING_BOX, atol=1e-6)
    assert sorted(skips(result)) == ["test/x_1.jpg", "training/Bo_10.jpg", "training/Cy_1.jpg"]
    _, faces = packed(src, published_split=True, overwrite=True)
    assert faces.labels("split").tolist() == ["train", "train", "test"]
    text(src / "test_keypoints.csv", "image,x0,y0", "Ann_Lee_02.jpg,1,2")
    with pytest.raises(ValueError, match=r"1 \+ 136 columns expected \(image,x0,y0, …\), found 3"):
        packed(src, overwrite=True)


def test_matlab_of_version_7_3_needs_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(600))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=r"is a Matlab file of version 7\.3, which needs h5py"):
        matlab.load(tmp_path / "new.mat", "label")
