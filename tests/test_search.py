"""Search: the nearest faces, the ones exact search would find, with the index's card as a guard."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record
from vultus.search.face_index import index_faces, open_index
from vultus.search.index import KINDS, VectorIndex
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
    with pytest.raises(ValueError, match="k ≥ 1"):
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
    made = ("index", indexed / "faces", "--run", indexed / "run", "--out", tmp_path / "i", "--metric", "cosine")
    asked = ("query", tmp_path / "i", picture, "--k", 4, "--labels", "expression")
    written = ("--table", tmp_path / "t.csv", "--sheet", tmp_path / "s.png")
    for command in (made, (*asked, *written)):
        monkeypatch.setattr("sys.argv", ["vultus", "search", *map(str, command)])
        cli.main()
    assert "0003.jpg" in capsys.readouterr().out
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert len(lines) == 5 and "expression" in lines[0]
    assert Image.open(tmp_path / "s.png").width > 100


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
