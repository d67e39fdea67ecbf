"""Files by path and by address read and write alike."""

import fsspec
import pytest

from vultus.curate import places


@pytest.fixture(params=["path", "file", "memory"])
def folder(request, tmp_path):
    if request.param == "memory":
        yield "memory://bucket/faces"
        fsspec.filesystem("memory").rm("/bucket", recursive=True)
        return
    yield tmp_path if request.param == "path" else f"file://{tmp_path}"


def test_what_is_written_is_listed_and_read(folder):
    for name in ("b/1.bin", "a.bin", "b/c/2.bin"):
        places.write(places.join(folder, name), name.encode() * 100)
    assert places.files(folder) == ["a.bin", "b/1.bin", "b/c/2.bin"]
    assert places.is_folder(folder) and places.is_folder(places.join(folder, "b"))
    assert not places.is_folder(places.join(folder, "a.bin"))
    with places.open_file(places.join(folder, "b/1.bin")) as file:
        file.seek(7)
        assert file.read(7) == b"b/1.bin"
    assert places.read_range(places.join(folder, "b/1.bin"), 7, 7) == b"b/1.bin"
    assert places.read_range(places.join(folder, "b/1.bin"), 697, 70) == b"bin"
    assert places.size(places.join(folder, "b/1.bin")) == 700
    with pytest.raises(OSError):
        places.open_file(places.join(folder, "nothing"))


def test_a_stores_own_exceptions_are_errors_of_the_system(monkeypatch):
    class RefusedError(Exception):
        """As a store's client raises."""

    def refuse(*given, **more):
        raise RefusedError("no credentials")

    monkeypatch.setattr(fsspec.filesystem("memory"), "cat_file", refuse)
    with pytest.raises(OSError, match=r"memory://bucket/a: .*no credentials"):
        places.read_range("memory://bucket/a", 0, 10)


def test_a_file_is_fetched_once(folder, tmp_path):
    places.write(places.join(folder, "one"), b"first")
    cache = tmp_path / "cache"
    local = places.fetch(places.join(folder, "one"), cache)
    assert local.read_bytes() == b"first"
    if places.is_address(folder):
        places.write(places.join(folder, "one"), b"other")
        assert places.fetch(places.join(folder, "one"), cache).read_bytes() == b"first"
    else:
        assert not cache.exists()  # it is there already


def test_an_unknown_store_is_named():
    with pytest.raises(ValueError, match=r"nowhere://bucket/x cannot be opened: .*nowhere"):
        places.open_file("nowhere://bucket/x")


def test_paths_are_never_addresses(tmp_path):
    assert not places.is_address(tmp_path) and not places.is_address("s3:/bucket")
    assert places.place("file:///data/faces").as_posix() == "/data/faces"
    assert places.place("s3://bucket/faces/") == "s3://bucket/faces"
