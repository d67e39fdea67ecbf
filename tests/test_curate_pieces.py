"""Pieces: what becomes of each photograph, bytes that depend on nothing else, and processes that die."""

import os
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from curate_pictures import face, folder_of, jpeg, photograph
from faces_pictures import encoded
from vultus.curate import alone, candidate
from vultus.curate.align import ARCFACE, TEMPLATES
from vultus.curate.candidate import Candidate, Rejected
from vultus.curate.config import CurateConfig
from vultus.curate.detect import Found
from vultus.curate.examine import Examiner
from vultus.curate.executors import processes
from vultus.curate.photographs import listing
from vultus.curate.pieces import Piece, cut, file_name, missing, process
from vultus.curate.pool import Pool
from vultus.curate.reference import Reference, to_json
from vultus.faces.decode import upright

PLAIN = CurateConfig(size=64, piece=3)


def examined(tmp_path: Path, data: bytes, config: CurateConfig = PLAIN, **labels: object) -> list[Candidate | Rejected]:
    (tmp_path / "1.jpg").write_bytes(data)
    return Examiner(config)(Reference("1.jpg", "file", str(tmp_path / "1.jpg"), labels=to_json(labels)))  # type: ignore[arg-type]


def test_a_photograph_becomes_an_aligned_face_with_its_labels(tmp_path: Path) -> None:
    data = jpeg(photograph(0))
    (plain,) = examined(tmp_path, data)
    assert isinstance(plain, Candidate)
    marks = tuple((np.array(plain.points).reshape(5, 2) / (200, 160)).ravel().tolist())
    (found,) = examined(tmp_path, data, identity="kim", roll=3.0, landmarks=marks)
    assert isinstance(found, Candidate)
    assert upright(found.image).shape == (64, 64, 3)
    assert found.labels["identity"] == "kim"
    assert "roll" not in found.labels  # the crop is upright
    x, y, side = TEMPLATES["ffhq"]
    wanted = (ARCFACE - (x, y)) / side + 0.5
    assert np.array(found.labels["landmarks"]).reshape(5, 2) == pytest.approx(wanted, abs=0.06)


def test_every_face_or_the_largest(tmp_path: Path) -> None:
    two = jpeg(photograph(0, 2))
    largest, other = examined(tmp_path, two, identity="kim")
    assert isinstance(largest, Candidate)
    assert (largest.name, other.name) == ("1.jpg", "1.jpg#2")
    assert isinstance(other, Rejected) and other.reason == "not the largest face"
    every = examined(tmp_path, two, CurateConfig(faces="all"), identity="kim")
    assert [type(one) for one in every] == [Candidate, Candidate]
    assert [dict(one.labels) for one in every if isinstance(one, Candidate)] == [{"identity": "kim"}, {}]


@pytest.mark.parametrize(
    ("data", "stage", "reason"),
    [
        (b"", "read", "empty file"),
        (b"junk", "read", "not a picture"),
        (b"", "read", "empty file"),
        (jpeg(np.full((90, 60, 3), 99, np.uint8)), "detect", "no face"),
    ],
)
def test_what_cannot_be_used_is_rejected(tmp_path: Path, data: bytes, stage: str, reason: str) -> None:
    (found,) = examined(tmp_path, data)
    assert isinstance(found, Rejected)
    assert (found.stage, found.reason) == (stage, reason)
    assert bool(found.image) == (stage == "detect")


def test_thresholds_reject_with_the_crop_and_the_judgement(tmp_path: Path) -> None:
    (small,) = examined(tmp_path, jpeg(photograph(0)), CurateConfig(min_size=300))
    assert isinstance(small, Rejected) and small.judgement is not None
    assert (small.stage, small.reason) == ("judge", "too small")
    assert upright(small.image).shape == (112, 112, 3)


def test_turned_and_grey_photographs(tmp_path: Path) -> None:
    """The camera's orientation is obeyed; grey stays grey."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    (upright_one,) = examined(tmp_path, jpeg(photograph(0)))
    (turned,) = examined(tmp_path, jpeg(np.rot90(photograph(0)), exif=exif))
    assert isinstance(turned, Candidate) and isinstance(upright_one, Candidate)
    assert turned.box == pytest.approx(upright_one.box, abs=4)
    (grey,) = examined(tmp_path, jpeg(photograph(0)[..., 1]))
    assert isinstance(grey, Candidate) and upright(grey.image).ndim == 2


def test_red_is_judged_as_red(tmp_path: Path) -> None:
    """Light is read off the colours as the eye weighs them: red tells 0.299, blue 0.114."""
    (tmp_path / "1.png").write_bytes(encoded(np.full((112, 112, 3), (200, 0, 0), np.uint8), "PNG"))
    examiner = Examiner(PLAIN, lambda pixels: [Found((0, 0, 112, 112), ARCFACE.astype(np.float32), 0.9)])
    (found,) = examiner(Reference("1.png", "file", str(tmp_path / "1.png")))
    assert found.judgement is not None
    assert found.judgement.brightness == pytest.approx(0.299 * 200 / 255, abs=0.005)


def test_a_detector_passed_in_and_a_face_that_makes_no_sense(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(face(0)))
    nonsense = Found((0, 0, 50, 50), np.full((5, 2), 7, np.float32), 0.9)
    examiner = Examiner(PLAIN, lambda pixels: [nonsense])
    (found,) = examiner(Reference("1.jpg", "file", str(tmp_path / "1.jpg")))
    assert isinstance(found, Rejected) and found.reason == "doubtful face"


def test_results_survive_their_file(tmp_path: Path) -> None:
    results = [
        *examined(tmp_path, jpeg(photograph(0)), age=31.0, points=(1.0, 2.0)),
        *examined(tmp_path, jpeg(photograph(1)), CurateConfig(min_size=300)),
        Rejected("ø", "read", "empty file", "why"),
    ]
    back = list(candidate.results(candidate.table(results)))
    assert [one.name for one in back] == [one.name for one in results]
    assert isinstance(back[0], Candidate) and isinstance(results[0], Candidate)
    assert (back[0].labels, back[0].phash, back[0].sha256) == (results[0].labels, results[0].phash, results[0].sha256)
    assert isinstance(back[1], Rejected) and back[1].judgement is not None
    assert back[2] == results[2]


def test_two_photographs_that_would_name_a_face_alike_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "two.jpg").write_bytes(jpeg(photograph(0, 2)))
    (tmp_path / "one.jpg").write_bytes(jpeg(photograph(1)))
    both = [Reference("a", "file", str(tmp_path / "two.jpg")), Reference("a#2", "file", str(tmp_path / "one.jpg"))]
    for number, one in enumerate(both):
        process(Piece(number, (one,)), CurateConfig(faces="all"), tmp_path)
    files = [tmp_path / file_name(Piece(number, ())) for number in range(2)]
    assert Pool.open(files).names.tolist() == ["a", "a#2", "a#2#2"]
    assert Pool.open(files[:1]).names.tolist() == ["a", "a#2"]


def test_pieces_are_the_same_bytes_whoever_does_them(tmp_path: Path) -> None:
    pieces = cut(listing(folder_of(tmp_path / "src")), PLAIN.piece)
    assert [len(piece.references) for piece in pieces] == [3, 3, 3]
    here, there = tmp_path / "here", tmp_path / "there"
    for piece in reversed(pieces):
        process(piece, PLAIN, here)
    careful = [Piece(piece.number, piece.references, careful=piece.number == 1) for piece in pieces]
    told: list[int] = []
    processes(careful, partial(process, settings=PLAIN, folder=there), 2, lambda piece: told.append(piece.number))
    assert sorted(told) == [0, 1, 2]
    for piece in pieces:
        assert (here / file_name(piece)).read_bytes() == (there / file_name(piece)).read_bytes()
    pool = Pool.open([here / file_name(piece) for piece in pieces])
    assert len(pool) == 8
    assert Counter(pool.table["reason"].to_pylist()) == {None: 8, "not a picture": 1}
    assert pool.images([2, 0], 32).shape == (2, 3, 32, 32)
    (there / file_name(pieces[1])).unlink()
    assert missing(pieces, there) == [pieces[1]]


def deadly(folder: Path, piece: Piece) -> None:
    """Piece 1 kills its process unless it is done with care, piece 5 is an error."""
    if piece.number == 1 and not piece.careful:
        os.kill(os.getpid(), signal.SIGKILL)
    if piece.number == 5:
        raise OSError("no room left")
    (folder / str(piece.number)).write_text(str(piece.careful))


def test_a_piece_that_kills_its_process_is_done_with_care_and_the_others_go_on(tmp_path: Path) -> None:
    told: Counter[int] = Counter()
    processes([Piece(n, ()) for n in range(3)], partial(deadly, tmp_path), 1, lambda piece: told.update([piece.number]))
    assert told == Counter(range(3))
    assert [(tmp_path / str(n)).read_text() for n in range(3)] == ["False", "True", "False"]
    with pytest.raises(OSError, match="no room left"):
        processes([Piece(5, ())], partial(deadly, tmp_path), 1, lambda piece: None)


def test_only_the_photograph_that_kills_is_rejected_as_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_examined", poisoned)
    names = ["a", "poison", "b"]
    found = alone.examine_alone([Reference(name, "file", name) for name in names], PLAIN)
    assert [(one.name, one.reason) for one in found if isinstance(one, Rejected)] == [
        ("a", "no face"), ("poison", "crashed"), ("b", "no face"),
    ]  # fmt: skip


def poisoned(reference: Reference, settings: CurateConfig) -> list[Candidate | Rejected]:
    """What kills the process that looks at it, or finds no face."""
    if reference.name == "poison":
        os.kill(os.getpid(), signal.SIGSEGV)
    return [Rejected(reference.name, "detect", "no face")]


def slow(pixels: np.ndarray) -> list[Found]:
    time.sleep(30)
    return []


def hang(folder: Path, piece: Piece) -> None:
    """Takes far longer than it may; with care, it notes that it was given up."""
    if piece.careful:
        (folder / "careful").touch()
        return
    Examiner(CurateConfig(seconds=0.3), slow)(piece.references[0])


def test_a_photograph_that_takes_too_long_ends_its_process(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(face(0)))
    piece = Piece(0, (Reference("1.jpg", "file", str(tmp_path / "1.jpg")),))
    start = time.monotonic()
    processes([piece], partial(hang, tmp_path), 1, lambda piece: None)
    assert (tmp_path / "careful").exists()
    assert time.monotonic() - start < 25  # it slept for 30
