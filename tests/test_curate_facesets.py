"""Face sets as photographs: labels stay with the faces that they speak of, and no two faces get one name."""

from dataclasses import replace
from pathlib import Path

import pytest

from curate_pictures import jpeg, photograph
from vultus.curate.candidate import Candidate, Rejected
from vultus.curate.config import CurateConfig
from vultus.curate.examine import Examiner
from vultus.curate.photographs import listing, open_photograph
from vultus.faces.faceset import write
from vultus.faces.record import Record

LARGE, SMALL = (6 / 200, 20 / 160, 126 / 200, 140 / 160), (132 / 200, 50 / 160, 192 / 200, 110 / 160)
NOWHERE = (0.0, 0.0, 0.1, 0.1)


@pytest.fixture
def two() -> bytes:
    """A large face on the left, a small one on the right."""
    return jpeg(photograph(0, 2))


def curated(folder: Path, records: list[Record], **settings: object) -> list[Candidate | Rejected]:
    """What a set of these records gives as a source."""
    write(records, folder, source="made by the test", licence="CC0-1.0")
    examiner = Examiner(replace(CurateConfig(min_size=16), **settings))  # type: ignore[arg-type]
    return [one for reference in listing(folder) for one in examiner(reference)]


def people(found: list[Candidate | Rejected]) -> dict[str, tuple[bool, object]]:
    """Name → whether it is the face on the left, and who it is said to be."""
    return {one.name: (one.box[2] < 130, one.labels.get("identity")) for one in found if isinstance(one, Candidate)}


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_labels_go_to_the_face_that_their_box_means(tmp_path: Path, two: bytes, faces: str) -> None:
    records = [Record(two, "g.jpg", {"identity": "kim"}, SMALL), Record(two, "g.jpg#2", {"identity": "lee"}, LARGE)]
    found = curated(tmp_path / "set", records, faces=faces)
    assert people(found) == {"g.jpg": (False, "kim"), "g.jpg#2": (True, "lee")}
    assert len(found) == 2


def test_a_box_means_its_own_face_alone(tmp_path: Path, two: bytes) -> None:
    records = [Record(two, "g.jpg", {"identity": "kim"}, SMALL), Record(two, "h.jpg", {"identity": "lee"}, NOWHERE)]
    found = curated(tmp_path / "set", records)
    assert people(found) == {"g.jpg": (False, "kim")}
    reasons = {(one.name, one.reason) for one in found if isinstance(one, Rejected)}
    assert reasons == {
        ("g.jpg#2", "not the labelled face"), ("h.jpg", "no face in its box"),
        ("h.jpg#2", "not the labelled face"), ("h.jpg#3", "not the labelled face"),
    }  # fmt: skip


def test_two_boxes_over_one_face(tmp_path: Path) -> None:
    """It is the nearer one's; the other's face was not found."""
    one = jpeg(photograph(0))
    wide = (0.0, 0.0, 1.0, 1.0)
    records = [Record(one, "g.jpg", {"identity": "kim"}, wide), Record(one, "g.jpg#2", {"identity": "lee"}, LARGE)]
    found = curated(tmp_path / "set", records)
    assert people(found) == {"g.jpg#2": (True, "lee")}
    assert [(one.name, one.reason) for one in found if isinstance(one, Rejected)] == [("g.jpg", "no face in its box")]


def test_pictures_without_boxes_are_photographs_each_and_names_stay_unique(tmp_path: Path, two: bytes) -> None:
    """As a curation of every face leaves them: a second face has a picture of its own."""
    other = jpeg(photograph(1, 3))
    records = [Record(two, "g.jpg", {"identity": "kim"}), Record(other, "g.jpg#2", {"identity": "lee"})]
    found = curated(tmp_path / "set", records, faces="all")
    assert [one.name for one in found] == ["g.jpg", "g.jpg#3", "g.jpg#2", "g.jpg#2#2"]
    assert people(found) == {
        "g.jpg": (True, "kim"), "g.jpg#3": (False, None), "g.jpg#2": (True, "lee"), "g.jpg#2#2": (False, None),
    }  # fmt: skip


def test_each_labelled_face_of_a_picture_without_faces_is_told(tmp_path: Path) -> None:
    empty = jpeg(photograph())
    found = curated(tmp_path / "set", [Record(empty, "g.jpg", {}, SMALL), Record(empty, "g.jpg#2", {}, LARGE)])
    assert [(one.name, one.reason) for one in found if isinstance(one, Rejected)] == [
        ("g.jpg", "no face"), ("g.jpg#2", "no face"),
    ]  # fmt: skip


def test_people_by_number_are_texts(tmp_path: Path, two: bytes) -> None:
    records = [
        Record(two, "1.jpg", {"identity": 7.0, "age": 30.0}),
        Record(jpeg(photograph(1)), "2.jpg", {"age": 31.0}),
    ]
    write(records, tmp_path / "set", source="made by the test", licence="CC0-1.0")
    labels = [dict(open_photograph(reference).labels) for reference in listing(tmp_path / "set")]
    assert labels == [{"identity": "7", "age": 30.0}, {"age": 31.0}]
