"""Trees with folders that nobody may enter, names that are no Unicode, and lists that repeat themselves."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faces_pictures import jpeg
from reader_sources import packed, put, skips, text
from vultus.curate.photographs import listing
from vultus.faces.card import Skipped
from vultus.faces.readers import detect
from vultus.faces.readers.reading import LayoutError, pictures, subfolders

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """As root, who may enter everything, be somebody else for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A source in which one folder may be listed and not entered, and a link leads into it."""
    with tempfile.TemporaryDirectory() as place:  # pytest's own folder lets nobody in
        Path(place).chmod(0o755)
        src = put(Path(place) / "src", "a/1.jpg", "train/2.jpg", "train/deep/3.jpg", "z/4.jpg")
        (src / "link").symlink_to(src / "train" / "deep")
        (src / "train").chmod(0o444)
        yield src
        (src / "train").chmod(0o755)


def test_a_folder_that_may_be_listed_and_not_entered_is_told(forbidden: Path) -> None:
    with as_nobody():
        found = list(pictures(forbidden))
        layout, folders = detect(forbidden), subfolders(forbidden)
        listed = {one.name: one.key for one in listing(forbidden)}
    assert [one for one in found if isinstance(one, Path)] == [forbidden / "a" / "1.jpg", forbidden / "z" / "4.jpg"]
    reasons = {one.name: one.reason for one in found if isinstance(one, Skipped)}
    told = {"link": "cannot be read: Permission denied", "train": "folder cannot be read: Permission denied"}
    assert reasons == told
    assert (layout, folders) == ("folder", ["a", "train", "z"])
    assert listed == told | {"a/1.jpg": "", "z/4.jpg": ""}


def test_a_source_that_may_be_listed_and_not_entered_says_so(forbidden: Path) -> None:
    with as_nobody():
        with pytest.raises(PermissionError, match="train cannot be read: permission denied"):
            packed(forbidden / "train")
        assert "a folder that cannot be read" in str(LayoutError(forbidden / "train", "", "nothing"))


def test_names_that_are_no_unicode_stay_apart(tmp_path: Path) -> None:
    src = put(tmp_path / "src", "ok.jpg")
    for number, name in enumerate((b"caf\xe8.jpg", b"caf\xe9.jpg")):
        (src / os.fsdecode(name)).write_bytes(jpeg(number + 7))
    result, found = packed(src)
    assert found.names.tolist() == [r"caf\xe8.jpg", r"caf\xe9.jpg", "ok.jpg"]
    assert result.skipped == 0
    assert [one.name for one in listing(src)] == found.names.tolist()


def test_a_repeated_line_of_a_list_is_told(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "2.jpg")
    result, found = packed(text(tmp_path / "faces.txt", "1.jpg", "2.jpg", "1.jpg", "1.jpg"))
    assert found.names.tolist() == ["1.jpg", "2.jpg"]
    assert skips(result) == {"1.jpg (2)": "listed twice", "1.jpg (3)": "listed twice"}
    table = text(tmp_path / "faces.csv", "path,age", "2.jpg,31", "2.jpg,32")
    result, found = packed(table)
    assert found.labels("age").tolist() == [31] and skips(result) == {"2.jpg (2)": "listed twice"}
