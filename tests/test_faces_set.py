"""What goes into a face set comes out of it; damage is found and named."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faces_pictures import encoded, jpeg, records, smooth
from vultus.faces.faceset import FaceSet, write
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record

NAN = float("nan")


def packed(folder: Path, faces: list[Record], **options: object) -> FaceSet:
    write(faces, folder, source="test", licence="none", **options)
    return FaceSet.open(folder)


def test_round_trip(tmp_path: Path) -> None:
    faces = list(records(5, split=["train", "train", "test", None, "test"], age=[1.5, None, 3, 4, NAN]))
    found = packed(tmp_path / "set", faces)
    assert len(found) == 5
    assert [found.image_bytes(i) for i in range(5)] == [face.image for face in faces]
    assert found.names.tolist() == [face.name for face in faces]
    assert found.columns == ("age", "split")
    assert found.labels("split").tolist() == ["train", "train", "test", "", "test"]
    np.testing.assert_array_equal(found.labels("age"), np.float32([1.5, NAN, 3, 4, NAN]))
    assert found.card.splits == {"test": 2, "train": 2}
    assert found.card.columns["age"].known == 3
    assert (found.card.columns["age"].minimum, found.card.columns["age"].maximum) == (1.5, 4)
    assert found.card.columns["split"].values == {"test": 2, "train": 2}
    found.verify()


texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs",)), max_size=5))
numbers = st.one_of(st.none(), st.floats(width=32))
vectors = st.one_of(st.none(), st.tuples(*[st.floats(width=32)] * 3))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(texts, numbers, vectors), min_size=1, max_size=8), shard_faces=st.integers(1, 5))
def test_any_labels_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, tuple[float, ...]]], shard_faces: int
) -> None:
    columns = {"who": [r[0] for r in rows], "yaw": [r[1] for r in rows], "landmarks": [r[2] for r in rows]}
    faces = list(records(len(rows), **columns))
    found = packed(tmp_path_factory.mktemp("any") / "set", faces, shard_faces=shard_faces)
    unknown = {"who": "", "yaw": NAN, "landmarks": (NAN,) * 3}
    for column, values in columns.items():
        if column in found.columns:
            expected = [unknown[column] if value is None else value for value in values]
            np.testing.assert_array_equal(found.labels(column), np.array(expected, found.labels(column).dtype))
        else:
            assert all(value is None or value == "" or np.isnan(value).all() for value in values)


def test_random_access_equals_sequential(tmp_path: Path) -> None:
    found = packed(tmp_path / "set", list(records(23)), shard_faces=5)
    assert len(found.card.shards) == 5
    whole = found.images(range(23), 32)
    order = np.random.default_rng(0).permutation(23)
    np.testing.assert_array_equal(found.images(order, 32), whole[order])
    assert whole.shape == (23, 3, 32, 32)
    assert whole.dtype == np.uint8
    assert len({face.tobytes() for face in whole}) == 23


def test_content_hash_depends_on_the_content_alone(tmp_path: Path) -> None:
    def content(name: str, faces: list[Record], **options: object) -> str:
        return packed(tmp_path / name, faces, **options).content_hash

    faces = list(records(7, age=[1, 2, 3, 4, 5, 6, None]))
    first = content("a", faces)
    assert content("c", faces, shard_faces=2) == first
    assert content("d", faces[::-1]) != first
    for number, changed in enumerate(
        (
            Record(jpeg(99), faces[0].name, faces[0].labels),
            Record(faces[0].image, "other.jpg", faces[0].labels),
            Record(faces[0].image, faces[0].name, {"age": 1.5}),
            Record(faces[0].image, faces[0].name, faces[0].labels, (0, 0, 0.5, 0.5)),
        )
    ):
        assert content(f"e{number}", [changed, *faces[1:]]) != first


def test_a_late_label_reaches_every_shard(tmp_path: Path) -> None:
    """Shards written before a label turned up get its column too, so any Arrow tool reads them as one table."""
    import pyarrow.dataset

    faces = list(records(9, age=[None] * 6 + [1, 2, 3], split=["train"] * 9))
    found = packed(tmp_path / "set", faces, shard_faces=4)
    np.testing.assert_array_equal(found.labels("age"), np.float32([NAN] * 6 + [1, 2, 3]))
    assert [found.image_bytes(i) for i in range(9)] == [face.image for face in faces]
    files = sorted(map(str, (tmp_path / "set").glob("*.arrow")))
    schemas = {pyarrow.dataset.dataset(file, format="ipc").schema.to_string() for file in files}
    assert len(schemas) == 1
    assert pyarrow.dataset.dataset(files, format="ipc").count_rows() == 9


def test_views_share_rows_and_labels(tmp_path: Path) -> None:
    faces = list(records(6, split=["train", "test"] * 3, expression=["happy", "sad", "sad", "sad", "happy", "happy"]))
    found = packed(tmp_path / "set", faces)
    test = found.where(split="test")
    assert test.names.tolist() == ["face001.jpg", "face003.jpg", "face005.jpg"]
    assert test.labels("expression").tolist() == ["sad", "sad", "happy"]
    sad = test.where(expression="sad")
    assert sad.image_bytes(1) == faces[3].image
    assert found.where(split="test", expression="sad").content_hash == found.take(np.array([1, 3])).content_hash
    assert len({found.content_hash, test.content_hash, sad.content_hash}) == 3
    assert found.take(np.arange(6) % 2 == 1).names.tolist() == test.names.tolist()
    np.testing.assert_array_equal(test.images([2, 0], 16), found.images([5, 1], 16))
    assert len(found.where(split="validation")) == 0
    assert found.where(split="validation").images([], 16).shape == (0, 3, 16, 16)


def test_box_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[10:30, 10:30] = 200
    data = encoded(pixels, "PNG")
    found = packed(tmp_path / "set", [Record(data, "a", {}, (0.25, 0.25, 0.75, 0.75)), Record(data, "b")])
    assert (found.images([0], 20) == 200).all()
    assert (found.images([1], 40)[0] == pixels.transpose(2, 0, 1)).all()


def test_wrong_questions_have_clear_answers(tmp_path: Path) -> None:
    found = packed(tmp_path / "set", list(records(3, age=[1, 2, 3])))
    with pytest.raises(KeyError, match="no label 'expression'; it has: age"):
        found.labels("expression")
    with pytest.raises(ValueError, match="holds numbers"):
        found.where(age="1")
    for wrong in ([3], [-1], [0.5], [[0, 1]]):
        with pytest.raises(IndexError):
            found.images(wrong, 16)
    with pytest.raises(IndexError, match="mask"):
        found.take(np.array([True, False]))


def test_labels_cannot_be_written_to(tmp_path: Path) -> None:
    found = packed(tmp_path / "set", list(records(3, age=[1, 2, 3])))
    with pytest.raises(ValueError, match="read-only"):
        found.labels("age")[0] = 5


def test_pairs(tmp_path: Path) -> None:
    pairs = [NamedPair(0, "face000.jpg", "face002.jpg", True), NamedPair(1, "face003.jpg", "face001.jpg", False)]
    found = packed(tmp_path / "set", list(records(4)), pairs=pairs).pairs
    assert found is not None
    assert (found.fold.tolist(), found.left.tolist(), found.right.tolist()) == ([0, 1], [0, 3], [2, 1])
    assert found.same.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"1 pictures which are not in the set \(nobody.jpg\)"):
        packed(tmp_path / "other", list(records(4)), pairs=[NamedPair(0, "nobody.jpg", "face000.jpg", True)])
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda p: None, "vultus pack SOURCE .*thing"),
        (lambda p: p.mkdir(), "vultus pack .*thing FACES, or vultus curate"),
        (lambda p: p.write_text("x"), "vultus pack .*thing FACES, or vultus curate"),
    ],
)
def test_opening_something_else_shows_what_a_set_is(tmp_path: Path, make: object, advice: str) -> None:
    make(tmp_path / "thing")
    with pytest.raises(FileNotFoundError, match=rf"(?s)SET/shard-00000.arrow.*{advice}"):
        FaceSet.open(tmp_path / "thing")


def test_damage_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    found = packed(folder, list(records(9)), shard_faces=4)
    shard = folder / "shard-00001.arrow"
    whole = shard.read_bytes()

    place = whole.index(found.image_bytes(5)) + 300
    shard.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    with pytest.raises(ValueError, match=r"shard-00001.arrow was changed or damaged"):
        FaceSet.open(folder).verify()

    shard.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=r"shard-00001.arrow is damaged: \d+ bytes expected, it has"):
        FaceSet.open(folder)
    shard.write_bytes(b"\0" * len(whole))
    with pytest.raises(ValueError, match=r"shard-00001.arrow cannot be read"):
        FaceSet.open(folder)
    shard.unlink()
    with pytest.raises(ValueError, match=r"shard-00001.arrow is damaged: .* it is missing"):
        FaceSet.open(folder)
    shard.write_bytes(whole)
    FaceSet.open(folder).verify()


def edit(folder: Path, change: dict[str, object]) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | change))


def test_a_card_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    found = packed(folder, list(records(3)))
    shard = found.card.shards[0]
    for change, message in (
        ({"shards": [{**vars(shard), "file": "../set/shard-00000.arrow"}]}, "names a shard"),
        ({"faces": 4}, "4 faces expected, its shards hold 3"),
        ({"format": 99}, "upgrade vultus"),
        ({"shards": 3}, "cannot be read"),
    ):
        intact = (folder / "card.json").read_text()
        edit(folder, change)
        with pytest.raises(ValueError, match=message):
            FaceSet.open(folder)
        (folder / "card.json").write_text(intact)


def test_a_picture_that_breaks_later_is_named(tmp_path: Path) -> None:
    """Someone else's set may hold what our writer would have skipped."""
    folder = tmp_path / "set"
    image = encoded(smooth(1), "PNG")
    packed(folder, [Record(jpeg(0), "good.jpg"), Record(image, "bad.png")])
    shard = folder / "shard-00000.arrow"
    shard.write_bytes(shard.read_bytes().replace(image, b"x" * len(image)))
    with pytest.raises(ValueError, match=r"face 'bad.png' \(row 1\): not a picture"):
        FaceSet.open(folder).images([0, 1], 16)
