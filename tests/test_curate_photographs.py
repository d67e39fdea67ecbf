"""Sources are listed and read whatever they are; what is wrong with one is told, and nothing is passed over."""

import io
import json
import os
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faces_pictures import jpeg
from vultus.curate.bounded import UnreadableError
from vultus.curate.photographs import fingerprint, listing, open_photograph
from vultus.faces.decode import upright


def contents(src: str | Path, **options: object) -> dict[str, object]:
    """Name → bytes and labels, or the reason."""
    found: dict[str, object] = {}
    for reference in listing(src, **options):
        try:
            photograph = open_photograph(reference)
            found[reference.name] = (photograph.data, dict(photograph.labels))
        except UnreadableError as error:
            found[reference.name] = str(error)
    return found


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def test_folder_tree(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "a/1.JPG", "0.png", ".hidden.jpg", "notes.txt", "b/.git/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    found = contents(tmp_path)
    assert {name: one[0] for name, one in found.items() if isinstance(one, tuple)} == {
        "0.png": b"0.png", "a/1.JPG": b"a/1.JPG", "b/2.jpg": b"b/2.jpg",
    }  # fmt: skip
    assert found["pipe.jpg"] == "not a plain file"
    assert found["gone.jpg"] == "cannot be read: No such file or directory"
    assert list(found) == sorted(found)


def test_list_with_labels(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/1.jpg").write_bytes(b"one")
    (tmp_path / "faces.csv").write_text(
        "path,identity,age,landmarks\npictures/1.jpg,007,31,0.1 0.2 0.3 0.4\npictures/2.jpg,,,\n"
        f"pictures/1.jpg,8,1,\n{tmp_path}/pictures/1.jpg,9,2,\n"
    )
    found = contents(tmp_path / "faces.csv")
    assert found["pictures/1.jpg"] == (b"one", {"identity": "007", "age": 31.0, "landmarks": (0.1, 0.2, 0.3, 0.4)})
    assert "No such file" in str(found["pictures/2.jpg"])
    assert found["pictures/1.jpg (2)"] == "listed twice"
    assert found[f"{tmp_path}/pictures/1.jpg"] == (b"one", {"identity": "9", "age": 2.0})


def test_webdataset(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard-000.tar", "w") as tar:
        add(tar, "d/0001.jpg", b"first")
        described = {"age": 3, "smile": True, "box": [1, 2], "nested": {"no": 1}, "points": [0.5, 1], "x": None}
        add(tar, "d/0001.json", json.dumps(described).encode())
        add(tar, "d/0002.json", b"{}")
        add(tar, "d/0003.seg.png", b"third")
        add(tar, "d/0003.json", b"[not an object")
    found = contents(tmp_path)
    assert found == {
        "shard-000.tar/d/0001": (b"first", {"age": 3.0, "smile": "yes", "points": (0.5, 1.0)}),
        "shard-000.tar/d/0002": "a sample without a picture",
        "shard-000.tar/d/0003": (b"third", {}),
    }
    assert contents(tmp_path / "shard-000.tar") == found


def test_tars_that_are_broken_or_compressed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in range(4):
            add(tar, f"{number}.jpg", bytes(3000))
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:6000])
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        add(tar, "0.jpg", b"x")
    (tmp_path / "c.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "d.jpg").write_bytes(b"good")
    found = contents(tmp_path)
    assert found["a.tar/0"] == (bytes(3000), {})
    assert "not a whole tar" in str(found["a.tar (rest)"])
    assert "unpack it" in str(found["b.tar.gz"])
    assert "not a whole tar" in str(found["c.tar (rest)"])
    assert found["d.jpg"] == (b"good", {})


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image": [{"bytes": b"one", "path": "1.jpg"}, {"bytes": b"two", "path": None}, None],
            "thumbnail": [b"t"] * 3,
            "gender": ["female", None, "male"],
            "age": [30, 31, None],
            "yaw": [float("nan"), 2.5, 1.0],
        }
    )
    pq.write_table(table, tmp_path / "faces.parquet", row_group_size=2)
    found = contents(tmp_path, column="image")
    assert found == {
        "faces.parquet/00000000": (b"one", {"gender": "female", "age": 30.0}),
        "faces.parquet/00000001": (b"two", {"age": 31.0, "yaw": 2.5}),
        "faces.parquet/00000002": "column 'image' holds no bytes in this row",
    }
    with pytest.raises(ValueError, match="image, thumbnail; name it with --column"):
        listing(tmp_path)
    with pytest.raises(ValueError, match="no column 'photo'; it has image"):
        listing(tmp_path, column="photo")


def film(path: Path, frames: int) -> list[np.ndarray]:
    """A video of plain grey frames, each brighter than the last."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    shown = [np.full((48, 64, 3), 8 * number, np.uint8) for number in range(frames)]
    for frame in shown:
        writer.write(frame)
    writer.release()
    return shown


def test_video_frames_in_any_order(tmp_path: Path) -> None:
    shown = film(tmp_path / "clip.avi", 20)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    listed = listing(tmp_path, every=6)
    assert [one.name for one in listed] == ["broken.mp4", *(f"clip.avi/{n:08d}" for n in (1, 7, 13, 19))]
    with pytest.raises(UnreadableError, match="OpenCV cannot open it"):
        open_photograph(listed[0])
    for place in (3, 1, 2, 4):
        pixels = upright(open_photograph(listed[place]).data)
        assert pixels.mean() == pytest.approx(shown[6 * (place - 1)].mean(), abs=3)
    beyond = listed[1]._replace(key="21")
    with pytest.raises(UnreadableError, match="ends before frame 21"):
        open_photograph(beyond)


def test_sources_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        listing(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no photograph; expected\n.*SOURCE/\*\*/\*\.jpg"):
        listing(tmp_path)
    (tmp_path / "faces.csv").write_text("file,age\n1.jpg,3\n")
    with pytest.raises(ValueError, match="one column path"):
        listing(tmp_path / "faces.csv")


def test_fingerprint_tells_listings_apart(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(1))
    before = fingerprint(listing(tmp_path))
    assert fingerprint(listing(tmp_path)) == before
    (tmp_path / "2.jpg").write_bytes(jpeg(2))
    assert fingerprint(listing(tmp_path)) != before
