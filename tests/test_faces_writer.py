"""A face set is written whole or not at all, and its card tells what was wrong with the source."""

import errno
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from faces_pictures import bomb, encoded, jpeg, records, smooth
from vultus.faces import shards
from vultus.faces.card import Skipped
from vultus.faces.faceset import FaceSet, write
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record, numbered

SAID = {"source": "test", "licence": "none"}


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bad_pictures_are_skipped_and_told(tmp_path: Path) -> None:
    bad = [
        Record(b"", "empty.jpg"),
        Record(jpeg(1)[:-40], "cut.jpg"),
        Record(b"hello" * 100, "text.jpg"),
        Record(bomb(), "bomb.png"),
        Record(encoded(np.zeros((1, 1), np.uint8), "PNG"), "dot.png"),
        Skipped("gone.jpg", "cannot be read: Permission denied"),
    ]
    good = list(records(4))
    card = write([*good[:2], *bad, *good[2:]], tmp_path / "set", **SAID)
    assert card.faces == 4
    assert card.skipped_count == 6
    assert [one.name for one in card.skipped] == [one.name for one in bad]
    reasons = ["empty file", "truncated", "not a picture", "decompression bomb", "too small", "Permission denied"]
    for one, reason in zip(card.skipped, reasons, strict=True):
        assert reason in one.reason
    found = FaceSet.open(tmp_path / "set")
    assert found.card == card
    assert found.names.tolist() == [face.name for face in good]


def twins() -> list[Record]:
    """a = b = f, across splits, of two expressions; c = d, one class; e alone."""
    picture = {name: jpeg(seed) for name, seed in {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3, "f": 1}.items()}
    split = {"a": "train", "b": "train", "c": "train", "d": "train", "e": "test", "f": "test"}
    expression = {"a": "happy", "b": "sad", "c": "sad", "d": "sad", "e": "sad", "f": ""}
    return [Record(picture[n], n, {"split": split[n], "expression": expression[n], "age": 7}) for n in picture]


def test_duplicates_are_counted_and_kept(tmp_path: Path) -> None:
    card = write(twins(), tmp_path / "set", **SAID)
    found = card.duplicates
    assert card.faces == 6
    assert (found.images, found.groups, found.across_splits) == (3, 2, 1)
    assert found.conflicting == {"expression": 1}
    assert not found.dropped


def test_dropped_duplicates_are_still_counted_and_still_paired(tmp_path: Path) -> None:
    pairs = [NamedPair(0, "d", "f", False)]
    card = write(twins(), tmp_path / "set", drop_duplicates=True, pairs=pairs, shard_faces=2, **SAID)
    found = FaceSet.open(tmp_path / "set")
    assert found.names.tolist() == ["a", "c", "e"]
    assert (card.duplicates.images, card.duplicates.across_splits) == (3, 1)
    assert card.duplicates.conflicting == {"expression": 1}
    assert found.pairs is not None
    assert (found.pairs.left[0], found.pairs.right[0]) == (1, 0)


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ([], "not one face to write"),
        ([Record(b"", "x")], "x: empty file"),
        ([Record(jpeg(1), "x"), Record(jpeg(2), "x")], "two faces have the name 'x'"),
        ([Record(jpeg(1), "")], "needs a name"),
        ([Record(jpeg(1), "x", {"name": "y"})], "'name' cannot name a label"),
        ([Record(jpeg(1), "x", {"age": (1.0,)})], "a vector has two numbers or more"),
        ([Record(jpeg(1), "x", {"age": 3}), Record(jpeg(2), "y", {"age": "old"})], "'y': label 'age' is string"),
        ([Record(jpeg(1), "x", box=(0.5, 0, 0.5, 1))], "left, top, right, bottom"),
    ],
)
def test_contradictions_are_refused_and_leave_nothing(tmp_path: Path, faces: list[Record], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write(faces, tmp_path / "set", **SAID)
    assert entries(tmp_path) == []


def test_targets(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="is not a face set"):
            write(records(2), taken, overwrite=overwrite, **SAID)
    assert entries(taken) == ["thesis.txt"]

    empty = tmp_path / "empty"
    empty.mkdir()
    write(records(2), empty, **SAID)
    with pytest.raises(FileExistsError, match="already holds a face set"):
        write(records(3), empty, **SAID)
    assert len(FaceSet.open(empty)) == 2
    write(records(3), empty, overwrite=True, **SAID)
    assert len(FaceSet.open(empty)) == 3
    (empty / "notes.txt").write_text("who labelled what")
    with pytest.raises(FileExistsError, match=r"not the set's, and would lose them: notes\.txt"):
        write(records(2), empty, overwrite=True, **SAID)
    assert len(FaceSet.open(empty)) == 3 and (empty / "notes.txt").exists()
    assert entries(tmp_path) == ["empty", "taken"]


def test_an_error_while_overwriting_keeps_the_old_set(tmp_path: Path) -> None:
    def broken() -> Iterator[Record]:
        yield from records(2)
        raise RuntimeError("the reader broke")

    old = write(records(3), tmp_path / "set", **SAID)
    with pytest.raises(RuntimeError, match="the reader broke"):
        write(broken(), tmp_path / "set", overwrite=True, **SAID)
    assert entries(tmp_path) == ["set"]
    assert FaceSet.open(tmp_path / "set").card == old


class FullDisk(io.FileIO):
    """A file on a disk with a few KB left."""

    left = 5000

    def write(self, data: object) -> int:
        FullDisk.left -= memoryview(data).nbytes
        if FullDisk.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_a_full_disk_leaves_the_target_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write(records(3), tmp_path / "set", **SAID)
    monkeypatch.setattr(shards, "create", lambda path: FullDisk(path, "x"))
    with pytest.raises(OSError, match="no room left for the face set") as caught:
        write(records(40), tmp_path / "set", overwrite=True, **SAID)
    assert caught.value.errno == errno.ENOSPC
    assert entries(tmp_path) == ["set"]
    assert FaceSet.open(tmp_path / "set").card == old


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(OSError, match="no room left for the face set"):
            write(records(80), disk / "set", **SAID)
        assert entries(disk) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_killed_writer_leaves_no_set(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from faces_pictures import records
        from vultus.faces.writer import write
        def slow():
            yield from records(5)
            print("half way", flush=True)
            time.sleep(60)
        write(slow(), sys.argv[1], source="test", licence="none", shard_faces=2)
        """
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    target = tmp_path / "set"
    with subprocess.Popen([sys.executable, "-c", script, target], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    partial = next(tmp_path.iterdir())
    assert any(partial.glob("shard-*.arrow"))
    with pytest.raises(FileNotFoundError, match="is not a face set"):
        FaceSet.open(partial)
    write(records(3), target, **SAID)  # the next writer of the same set clears away what is left
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("make", [lambda: encoded(smooth(1), "PNG"), lambda: jpeg(1)])
def test_bytes_are_kept(tmp_path: Path, make: Callable[[], bytes]) -> None:
    write([Record(make(), "x")], tmp_path / "set", **SAID)
    assert FaceSet.open(tmp_path / "set").image_bytes(0) == make()


def test_a_second_face_takes_no_other_pictures_name():
    assert numbered(["a", "a#2", "a", "a", "b", "b"]) == ["a", "a#2", "a#3", "a#4", "b", "b#2"]
    assert numbered(["a", "a", "a#2", "a#2"]) == ["a", "a#3", "a#2", "a#2#2"]
