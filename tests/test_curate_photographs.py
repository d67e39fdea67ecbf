"""Sources are listed and read whatever they are; what is wrong with one is told, and nothing is passed over."""

import faulthandler
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
from vultus.curate import videos
from vultus.curate.bounded import UnreadableError
from vultus.curate.config import CurateConfig
from vultus.curate.examine import Examiner
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
        "shard-000.tar/d/0001": (b"first", {"age": 3.0, "smile": "yes", "box_label": (1.0, 2.0), "points": (0.5, 1.0)}),
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
            "name": ["image", None, None],
            "age": [30, 31, None],
            "yaw": [float("nan"), 2.5, 1.0],
        }
    )
    pq.write_table(table, tmp_path / "faces.parquet", row_group_size=2)
    found = contents(tmp_path, column="image")
    assert found == {
        "faces.parquet/00000000": (b"one", {"gender": "female", "age": 30.0, "name_label": "image"}),
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


def test_people_and_classes_by_number_are_texts(tmp_path: Path) -> None:
    """A float32 would make one person of 16777216 and 16777217."""
    table = pa.table(
        {
            "image": [b"one", b"two", b"three"],
            "identity": [16777216, 16777217, None],
            "fold": [0.0, float("nan"), 2.5],
            "age": [30, None, 31],
        }
    )
    pq.write_table(table, tmp_path / "faces.parquet")
    with tarfile.open(tmp_path / "faces.tar", "w") as tar:
        add(tar, "1.jpg", b"four")
        add(tar, "1.json", b'{"identity": 5, "series": 2.0, "pose": "\\ud800", "subset": [1, 2]}')
    assert [one[1] for one in contents(tmp_path).values() if isinstance(one, tuple)] == [
        {"identity": "16777216", "fold": "0", "age": 30.0},
        {"identity": "16777217"},
        {"fold": "2.5", "age": 31.0},
        {"identity": "5", "series": "2", "pose": "?"},
    ]


def test_pictures_of_a_tar_that_share_a_key(tmp_path: Path) -> None:
    """A plain tar is no WebDataset: dots in its names say nothing."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in (1, 2):
            add(tar, f"trip/IMG.2021.0{number}.jpg", bytes([number]))
        add(tar, "trip/IMG.json", b'{"age": 3}')
        add(tar, "trip/other.jpg", b"o")
        add(tar, "trip/IMG.2021.03.jpg", b"3")
    assert contents(tmp_path) == {
        "a.tar/trip/IMG.2021.01.jpg": (b"\x01", {"age": 3.0}),
        "a.tar/trip/IMG.2021.02.jpg": (b"\x02", {"age": 3.0}),
        "a.tar/trip/IMG.2021.03.jpg": (b"3", {}),
        "a.tar/trip/other": (b"o", {}),
    }


def test_names_in_a_tar_in_another_encoding(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        for name in ("café.jpg", "cafè.jpg"):
            add(tar, name, name.encode())
    found = contents(tmp_path)
    assert sorted(data for data, _ in found.values()) == ["cafè.jpg".encode(), "café.jpg".encode()]
    assert all(name.encode() for name in found)  # valid, as a table wants them


@pytest.mark.parametrize("taken", ["name", "image", "box"])
def test_a_label_cannot_be_called_as_the_sets_own_columns(tmp_path: Path, taken: str) -> None:
    (tmp_path / "faces.csv").write_text(f"path,{taken}\n1.jpg,kim\n")
    with pytest.raises(ValueError, match=f"faces.csv: no label can be called {taken}: rename the column"):
        listing(tmp_path / "faces.csv")


def test_video_frames_in_any_order(tmp_path: Path) -> None:
    shown = film(tmp_path / "clip.avi", 20)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    listed = listing(tmp_path, every=6)
    assert [one.name for one in listed] == ["broken.mp4", *(f"clip.avi/{n:08d}" for n in (1, 7, 13, 19))]
    with pytest.raises(UnreadableError, match="OpenCV cannot open it"):
        open_photograph(listed[0])
    assert open_photograph(listed[1]).labels == {"video": "clip.avi"}
    for place in (3, 1, 1, 2, 4):
        pixels = upright(open_photograph(listed[place]).data)
        assert pixels.mean() == pytest.approx(shown[6 * (place - 1)].mean(), abs=3)
    last, beyond = listed[1]._replace(key="20"), listed[1]._replace(key="21")
    for _ in range(2):  # the end was seen, and the last frame is shown still
        assert upright(open_photograph(last).data).mean() == pytest.approx(shown[-1].mean(), abs=3)
        with pytest.raises(UnreadableError, match="ends before frame 21"):
            open_photograph(beyond)


def test_the_way_to_a_late_frame_is_limited_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a film is, a frame is not too late in it; and never is a frame waited for without a limit."""
    film(tmp_path / "clip.avi", 30)
    told: list[str] = []

    class Told:
        """A film that tells what is asked of it."""

        def __init__(self, path: str) -> None:
            self._film = film_of(path)

        def __getattr__(self, name: str) -> object:
            told.append(name)
            return getattr(self._film, name)

    (frame,) = (one for one in listing(tmp_path, every=29) if one.key == "30")
    film_of = cv2.VideoCapture
    videos._reel.cache_clear()
    monkeypatch.setattr(videos.cv2, "VideoCapture", Told)
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda *_, **__: told.append("limit"))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: told.append("no limit"))
    (found,) = Examiner(CurateConfig(), lambda pixels: [])(frame)
    assert found.reason == "no face"
    limits = " ".join(told).split("no limit")[0].split("limit")
    assert limits[0].strip() == "" and len(told) - told.index("no limit") == 1
    assert max(part.count("grab") for part in limits) == videos.STEP
    assert sum(part.count("grab") for part in limits) == 30
    assert limits[-1].split() == ["retrieve"]


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
