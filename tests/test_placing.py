"""A set takes the place of another whatever interrupts, and of the old one nothing is left behind unseen."""

import errno
import io
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faces_pictures import jpeg
from test_faces_writer import entries
from vultus.curate.forgetting import forget as forget_curated
from vultus.curate.written import TABLE
from vultus.faces import placing
from vultus.faces.faceset import FaceSet, write
from vultus.faces.forget import Request, forget
from vultus.faces.record import Record

SAID = {"source": "test", "licence": "none"}
FIRST = Request(names=("0.jpg",))
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def faces(*numbers: int) -> list[Record]:
    return [Record(jpeg(number), f"{number}.jpg") for number in numbers]


def names(folder: Path) -> list[str]:
    return FaceSet.open(folder).names.tolist()


@pytest.fixture
def four(tmp_path: Path) -> Path:
    write(faces(0, 1, 2, 3), tmp_path / "set", **SAID)
    return tmp_path / "set"


@pytest.fixture
def plain_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot exchange two names."""
    monkeypatch.setattr(placing, "exchange", lambda one, other: False)


def forget_and_die(folder: Path, where: str) -> int:
    """Forget the first face in a process in which `where` is changed; returns how it ended."""
    head = "import os, pathlib, shutil, signal, sys\nfrom vultus.faces import forget, placing\n"
    tail = "\nforget.forget(sys.argv[1], forget.Request(names=('0.jpg',)))\n"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    script = head + textwrap.dedent(where) + tail
    return subprocess.run([sys.executable, "-c", script, folder], env=environment, check=False).returncode


def test_a_kill_while_the_old_set_is_removed_leaves_nothing_for_long(four: Path) -> None:
    assert forget_and_die(four, f"placing.remove = lambda old: {KILL}") == -signal.SIGKILL
    assert names(four) == ["1.jpg", "2.jpg", "3.jpg"]
    (left,) = [one for one in four.parent.iterdir() if one != four]
    assert "0.jpg" in names(left)
    with pytest.raises(ValueError, match="forgotten already"):
        forget(four, FIRST)
    assert entries(four.parent) == ["set"]


def test_where_names_are_exchanged_no_kill_finds_the_set_away(four: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    if not placing.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system cannot exchange two names")
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "b")
    assert forget_and_die(four, f"pathlib.Path.rename = lambda one, other: {KILL}") == 0
    assert names(four) == ["1.jpg", "2.jpg", "3.jpg"] and entries(tmp_path) == ["set"]


BETWEEN = f"""
placing.exchange = lambda one, other: False
rename = pathlib.Path.rename
def first_only(one, other):
    if ".partial-" in one.name:
        {KILL}
    return rename(one, other)
pathlib.Path.rename = first_only
"""


def test_where_not_the_old_set_comes_back(four: Path, plain_system: None) -> None:
    assert forget_and_die(four, BETWEEN) == -signal.SIGKILL
    assert not four.exists() and len(entries(four.parent)) == 2
    with pytest.raises(FileExistsError, match="already holds a face set"):
        write(faces(7), four, **SAID)
    assert names(four)[0] == "0.jpg" and entries(four.parent) == ["set"]
    assert forget_and_die(four, BETWEEN) == -signal.SIGKILL
    assert forget(four, FIRST).left == 3
    assert names(four) == ["1.jpg", "2.jpg", "3.jpg"] and entries(four.parent) == ["set"]


def test_a_rename_that_fails_keeps_the_old_set(four: Path, plain_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def refused(one: Path, other: Path) -> Path:
        if ".partial-" in one.name:
            raise PermissionError(errno.EACCES, "not now")
        return rename(one, other)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError, match="not now"):
        forget(four, FIRST)
    assert names(four)[0] == "0.jpg" and entries(four.parent) == ["set"]


def test_an_old_set_that_cannot_be_removed_is_told(four: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise PermissionError(errno.EACCES, "somebody else's")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refused)
        with pytest.raises(OSError, match=r"the old one could not be removed \(.*somebody else's\).*\.set\."):
            forget(four, FIRST)
        assert names(four) == ["1.jpg", "2.jpg", "3.jpg"]
        with pytest.raises(FileExistsError, match="may hold the faces"):
            forget(four, FIRST)
    write(faces(1), four, overwrite=True, **SAID)
    assert entries(four.parent) == ["set"]


@pytest.mark.parametrize("machine", [platform.node(), f"far-{platform.node()}"])
def test_another_writing_of_the_set_is_not_touched_and_stops_forgetting(four: Path, machine: str) -> None:
    other = four.with_name(f".set.partial-{machine}-{os.getppid()}")
    other.mkdir()
    with pytest.raises(FileExistsError, match="still runs, or was left"):
        forget(four, FIRST)
    assert forget(four, FIRST, dry_run=True).faces == 1
    write(faces(1, 2), four, overwrite=True, **SAID)
    assert entries(four.parent) == sorted(["set", other.name])


def test_behind_a_link_the_set_is_written_where_it_leads(tmp_path: Path) -> None:
    link, disk = tmp_path / "link", tmp_path / "disk" / "faces"
    link.symlink_to(disk)
    assert write(faces(0, 1), link, **SAID).name == "link"
    assert link.is_symlink() and len(FaceSet.open(disk)) == 2
    write(faces(1), link, overwrite=True, **SAID)
    assert link.is_symlink() and names(disk) == ["1.jpg"]
    assert entries(disk.parent) == ["faces"] and entries(tmp_path) == ["disk", "link"]


def test_the_table_keeps_photographs_of_which_a_face_stays(tmp_path: Path) -> None:
    rows = [
        ("p.jpg", None, None),
        ("p.jpg#2", None, None),
        ("p.jpg#3", "quality", "blurred"),
        ("q.jpg", None, None),
        ("q.jpg#2", "quality", "blurred"),
        ("r.jpg", "duplicates", "p.jpg"),
        ("s.jpg", "duplicates", "p.jpg#2"),
    ]
    columns = dict(zip(("name", "stage", "detail"), map(list, zip(*rows, strict=True)), strict=True))
    digests = [name[0].encode() * 32 for name in columns["name"]]
    table = io.BytesIO()
    pq.write_table(pa.table(columns | {"sha256": digests, "labels": ["{}"] * len(rows)}), table)
    kept = [Record(jpeg(number), name) for number, name in enumerate(("p.jpg", "p.jpg#2", "q.jpg"))]
    write(kept, tmp_path / "set", beside=lambda card: {TABLE: table.getvalue()}, **SAID)

    def left(request: Request) -> list[str]:
        forget_curated(tmp_path / "set", request)
        return pq.read_table(tmp_path / "set" / TABLE)["name"].to_pylist()

    assert left(Request(names=("p.jpg",))) == ["p.jpg#2", "p.jpg#3", "q.jpg", "q.jpg#2", "s.jpg"]
    photograph = forget_curated(tmp_path / "set", Request(hashes=((b"p" * 32).hex(),)), dry_run=True)
    assert photograph.names == ("p.jpg#2",)
    assert left(Request(names=("q.jpg",))) == ["p.jpg#2", "p.jpg#3", "s.jpg"]
