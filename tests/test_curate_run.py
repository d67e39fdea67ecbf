"""The whole way: a folder of photographs becomes a face set with its card, table and page, whoever works and dies."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curate_pictures import face, folder_of, jpeg, photograph
from vultus.cli import main
from vultus.curate.config import CurateConfig
from vultus.curate.executors import EXECUTORS, Tell, Work
from vultus.curate.gather import Crew, Source, gather
from vultus.curate.pieces import Piece
from vultus.curate.run import Curated, curate
from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record

PLAIN = CurateConfig(size=64, piece=2)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight faces; and a copy of one compressed again, a blurred one, an empty wall and a text, all named .jpg."""
    root = folder_of(tmp_path_factory.mktemp("source"))
    (root / "copy.jpg").write_bytes(jpeg(photograph(3), quality=60))
    small = Image.fromarray(face(4)).resize((18, 18), Image.Resampling.BOX).resize((140, 140), Image.Resampling.BICUBIC)
    (root / "blurred.jpg").write_bytes(jpeg(np.pad(np.asarray(small), ((20, 20), (20, 20), (0, 0)), "edge")))
    (root / "wall.jpg").write_bytes(jpeg(np.full((90, 120, 3), 140, np.uint8)))
    return root


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Curated:
    """Two workers."""
    return curate(source, tmp_path_factory.mktemp("made") / "set", PLAIN, workers=2, licence="CC0-1.0")


def test_funnel_card_and_faces(made: Curated, source: Path) -> None:
    assert made.funnel.photographs == 12
    assert [(step.stage, step.left, dict(step.stopped)) for step in made.funnel.steps] == [
        ("read", 11, {"not a picture": 1}),
        ("detect", 10, {"no face": 1}),
        ("judge", 9, {"blurred": 1}),
        ("duplicates", 8, {"copy of a better picture": 1}),
    ]
    faces = FaceSet.open(made.path)
    assert len(faces) == made.faces == made.funnel.kept == 8
    assert set(faces.names) < {f"{'ab'[n % 2]}/{n}.jpg" for n in range(8)} | {"copy.jpg"}
    assert faces.images([0, 7], 64).shape == (2, 3, 64, 64)
    assert (faces.labels("quality") > 0.5).all()
    card = faces.card
    assert (card.licence, [one.name for one in card.skipped]) == ("CC0-1.0", ["a/bad.jpg"])
    assert "min_sharpness=0.14" in card.made and "opencv-python-headless 4" in card.made
    assert "12  photographs" in card.notes
    assert not list(made.path.parent.glob(".set*"))  # the pieces are gone


def test_behind_a_link_the_pieces_lie_where_the_set_will(source: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "set")
    seen: set[str] = set()

    def progress(done: int, photographs: int) -> None:
        seen.update(str(one.relative_to(tmp_path)) for one in tmp_path.rglob(".*.pieces"))

    made = curate(source / "a", link, PLAIN, progress=progress)
    assert seen == {"disk/.set.pieces"} and link.is_symlink()
    assert len(FaceSet.open(tmp_path / "disk" / "set")) == made.faces > 0


def test_the_table_tells_every_photograph(made: Curated) -> None:
    rows = {row["name"]: row for row in pq.read_table(made.path / "curation.parquet").to_pylist()}
    assert len(rows) == 12
    copies = {"a/3.jpg", "b/3.jpg", "copy.jpg"} & {name for name, row in rows.items() if row["stage"] == "duplicates"}
    (copy,) = copies
    assert rows[rows[copy]["detail"]]["stage"] is None
    assert rows["blurred.jpg"]["judged_sharpness"] < PLAIN.min_sharpness <= rows["a/0.jpg"]["judged_sharpness"]
    assert rows["a/bad.jpg"]["detail"].startswith("not a picture (readable")


def test_the_page_shows_why_and_fetches_nothing(made: Curated) -> None:
    page = made.page.read_text()
    for text in ("Blurred: 1", "No face: 1", "Not a picture: 1", "copy of a better picture 1", made.content_hash):
        assert text in page
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", page)
    assert page.count("<img") > 6


def test_the_same_again_says_so_and_other_settings_are_refused(
    made: Curated, source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["vultus", "curate", str(source), str(made.path), "--size=64", "--piece=2"])
    main()
    out, beside = capsys.readouterr()
    assert "8 faces in" in out and "nothing to do" in out and "finding faces" not in beside
    assert "12  photographs" in out and "stopped: blurred 1" in out
    again = curate(source, made.path, PLAIN)
    assert again == replace(made, before=True)
    with pytest.raises(ValueError, match=r"size was 64, now 48; template was ffhq, now loose\. Ask for the same"):
        curate(source, made.path, replace(PLAIN, size=48, template="loose"))


def test_another_face_set_is_not_touched(made: Curated, source: Path, tiny_faces: Path) -> None:
    with pytest.raises(FileExistsError, match="already holds a face set"):
        curate(source, tiny_faces, PLAIN)
    with pytest.raises(ValueError, match="executor is one of processes"):
        curate(source, made.path, PLAIN, executor="magic")


def test_a_killed_run_goes_on_and_ends_the_same(made: Curated, source: Path, tmp_path: Path) -> None:
    """SIGKILL while one worker is at it, then one worker again: as two workers in one go."""
    out, pieces = tmp_path / "set", tmp_path / ".set.pieces"
    command = [sys.executable, "-m", "vultus", "curate", str(source), str(out), "--size", "64", "--piece", "2"]
    running = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(pieces.glob("piece-*.arrow")) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done = {path.name: path.stat().st_mtime_ns for path in pieces.glob("piece-*.arrow")}
    assert done and not out.exists()
    begun: list[tuple[int, int]] = []
    resumed = curate(source, out, PLAIN, workers=1, progress=lambda *told: begun.append(told))
    assert begun[0][0] >= 2 * len(done) and begun[-1] == (12, 12)
    assert (resumed.content_hash, resumed.funnel) == (made.content_hash, made.funnel)
    shard = "shard-00000.arrow"
    assert (out / shard).read_bytes() == (made.path / shard).read_bytes()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """An executor that starts no process."""

    def inline(pieces: Sequence[Piece], work: Work, workers: int, tell: Tell) -> None:
        for piece in pieces:
            work(piece)
            tell(piece)

    monkeypatch.setitem(EXECUTORS, "here", inline)
    return "here"


def test_a_source_that_changed_meanwhile_is_refused(here: str, tmp_path: Path) -> None:
    root, pieces = folder_of(tmp_path / "src", 2), tmp_path / "work"
    with pytest.raises(ValueError, match=r"not one face is left:\n +3  photographs(.|\n)*too small 2"):
        curate(root, tmp_path / "set", replace(PLAIN, min_size=900), executor=here, work=pieces)
    (root / "new.jpg").write_bytes(jpeg(photograph(5)))
    with pytest.raises(ValueError, match="the source holds other photographs than then"):
        curate(root, tmp_path / "set", replace(PLAIN, min_size=900), executor=here, work=pieces)
    (root / "new.jpg").unlink()
    anew = curate(root, tmp_path / "set", PLAIN, executor=here, work=pieces, overwrite=True)
    assert anew.faces == 2
    assert json.loads((pieces / "curation.json").read_text())["asked"]["min_size"] == PLAIN.min_size


def test_beginning_anew_removes_nothing_that_others_put_there(here: str, tmp_path: Path) -> None:
    root, work = folder_of(tmp_path / "src", 2), tmp_path / "work"
    for name in ("thesis/chapter.tex", "exclude-0/notes.txt", "piece-of-cake.arrow"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("mine")
    mine = {path for path in work.rglob("*") if path.is_file()}
    crew = Crew(here, 1, lambda done, photographs: None)
    with ExitStack() as life:
        for folder in (work, work / "exclude-0", work / "like-1"):
            gather(Source.of(root, PLAIN), folder, crew, False, life)
        (work / ".piece-000007.arrow.k1ll3d_8").write_bytes(b"half")
        gather(Source.of(root, replace(PLAIN, size=48)), work, crew, True, life)
    left = {path for path in work.rglob("*") if path.is_file()}
    assert left - mine == {work / name for name in ("curation.json", "piece-000000.arrow", "piece-000001.arrow")}
    assert mine < left and not (work / "like-1").exists()
    assert json.loads((work / "curation.json").read_text())["asked"]["size"] == 48


def test_faces_of_excluded_sets_are_left_out(here: str, source: Path, tmp_path: Path) -> None:
    """One is a folder of photographs, one a face set whose pictures are photographs too; both compressed again."""
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "other name.jpg").write_bytes(jpeg(photograph(5), quality=70))
    held = [Record(jpeg(photograph(number), quality=70), f"x{number}.jpg") for number in (2, 7)]
    write(held, tmp_path / "held", source="made by the test", licence="CC0-1.0")
    config = replace(PLAIN, exclude=(str(tmp_path / "test"), str(tmp_path / "held")), copies="keep")
    result = curate(source, tmp_path / "set", config, executor=here)
    last = result.funnel.steps[-1]
    assert (last.stage, dict(last.stopped)) == ("exclude", {"also in held": 2, "also in test": 1})
    assert not {"b/5.jpg", "a/2.jpg", "b/7.jpg"} & set(FaceSet.open(result.path).names.tolist())


def test_faces_like_an_example_and_a_balanced_few(here: str, source: Path, tmp_path: Path) -> None:
    """One example, compressed again: its own photograph is found first. And half of the faces."""
    (tmp_path / "example.jpg").write_bytes(jpeg(photograph(6), quality=80))
    like = replace(PLAIN, like=(str(tmp_path / "example.jpg"),), nearest=2)
    found = curate(source, tmp_path / "like", like, executor=here)
    assert (found.faces, dict(found.funnel.steps[-1].stopped)) == (2, {"unlike the examples": 6})
    assert "a/6.jpg" in FaceSet.open(found.path).names
    few = curate(source, tmp_path / "few", replace(PLAIN, most=4), executor=here)
    assert (few.faces, few.funnel.steps[-1].stage) == (4, "balance")
    assert "Faces that are alike" in few.page.read_text()
    again = curate(source, tmp_path / "again", replace(PLAIN, most=4), executor=here)
    assert again.content_hash == few.content_hash


def test_settings_that_contradict_each_other_are_refused(source: Path, tmp_path: Path) -> None:
    for wrong in ({"mutual": True}, {"gather": 9}, {"like": ("a",), "gather": 9, "mutual": True}, {"nearest": 0}):
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            curate(source, tmp_path / "set", CurateConfig(**wrong))
    assert not list(tmp_path.iterdir())
