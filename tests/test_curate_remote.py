"""Photographs in an object store are listed and read as those of this machine are."""

import io
import json
import tarfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faces_pictures import jpeg
from vultus.curate import places
from vultus.curate.bounded import UnreadableError
from vultus.curate.photographs import listing, open_photograph
from vultus.curate.reference import FAULT

STORE = "memory://bucket/source"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Pictures, a tar with labels, one that breaks off, a table, a hidden file; and the same in the store."""
    folder = tmp_path / "source"
    (folder / "a").mkdir(parents=True)
    for number in range(3):
        (folder / "a" / f"{number}.jpg").write_bytes(jpeg(number))
    (folder / ".hidden.jpg").write_bytes(jpeg(9))
    with tarfile.open(folder / "whole.tar", "w") as tar:
        for number in range(3, 6):
            _add(tar, f"{number}.jpg", jpeg(number))
            _add(tar, f"{number}.json", json.dumps({"age": number, "name": "taken"}).encode())
    whole = (folder / "whole.tar").read_bytes()
    (folder / "torn.tar").write_bytes(whole[: len(whole) // 3])
    table = pa.table({"picture": [jpeg(6), None], "smile": [True, False]})
    pq.write_table(table, folder / "table.parquet")
    (folder / "clip.mp4").write_bytes(b"no video")
    for name in places.files(folder):
        places.write(f"{STORE}/{name}", (folder / name).read_bytes())
    yield folder
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def read(src: str | Path) -> dict[str, object]:
    """Name → what opening gives, of every reference."""
    found = {}
    for reference in listing(src):
        try:
            photograph = open_photograph(reference)
            found[reference.name] = (photograph.data, photograph.labels)
        except UnreadableError as error:
            found[reference.name] = str(error).split(":")[0]
    return found


def test_a_store_is_read_as_a_folder_is(source):
    local, remote = read(source), read(STORE)
    assert local.pop("clip.mp4").startswith("OpenCV cannot open it")
    assert "of this machine only" in remote.pop("clip.mp4")
    assert remote == local and len(remote) >= 3 + 3 + 2
    assert any(name.startswith("torn.tar") for name in remote)
    assert remote["whole.tar/4"] == (jpeg(4), {"age": 4.0, "name_label": "taken"})
    assert remote["table.parquet/00000000"] == (jpeg(6), {"smile": "yes"})


@pytest.mark.parametrize("name", ["whole.tar", "table.parquet", "a"])
def test_one_file_of_a_store_is_a_source(source, name):
    assert read(f"{STORE}/{name}") == read(source / name)


def test_a_list_in_a_store_names_its_neighbours(source):
    text = "path,expression\na/0.jpg,happy\na/2.jpg,\na/gone.jpg,sad\n"
    places.write(f"{STORE}/faces.csv", text.encode())
    (source / "faces.csv").write_text(text)
    assert read(f"{STORE}/faces.csv") == read(source / "faces.csv")
    assert read(f"{STORE}/faces.csv")["a/0.jpg"] == (jpeg(0), {"expression": "happy"})


def test_a_photograph_that_is_gone_is_a_reason_and_a_store_that_is_empty_an_error(source):
    listed = [one for one in listing(STORE) if one.kind != FAULT]
    fsspec.filesystem("memory").rm("/bucket/source/a/1.jpg")
    gone = next(one for one in listed if one.name == "a/1.jpg")
    with pytest.raises(UnreadableError, match="cannot be read"):
        open_photograph(gone)
    with pytest.raises((ValueError, OSError), match="nothing"):
        listing("memory://bucket/nothing")
