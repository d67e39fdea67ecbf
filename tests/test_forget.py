"""Faces leave a set whole, with their copies, pairs and triplets, and the card keeps what it may of it."""

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from faces_pictures import jpeg
from test_faces_writer import FullDisk, entries
from vultus import cli
from vultus.evaluation.embedding import embed
from vultus.faces import shards
from vultus.faces.card import Skipped
from vultus.faces.faceset import FaceSet, write
from vultus.faces.forget import Request, forget
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record
from vultus.faces.triplets import NamedTriplet
from vultus.methods.simclr import SimCLRConfig
from vultus.training.config import RunConfig
from vultus.training.run import pretrain

SAID = {"source": "made by the tests", "licence": "CC0", "name": "crowd", "notes": ["as found"], "made": "by hand"}
PEOPLE = ("Ada", "Ada", "Bo", "Bo", "Cy", "")


def people() -> list[Record]:
    """Twelve faces: a/0 … a/5 and b/6 … b/11; b/11 is a copy of a/0, and b/10#2 the second face of b/10."""
    found = []
    for i in range(12):
        labels = {"identity": PEOPLE[i % 6], "split": "train" if i < 9 else "test", "age": 20.0 + i}
        labels |= {"landmarks": (0.25, 0.5, float("nan"), 0.75)} if i % 2 else {}
        name = f"{'a' if i < 6 else 'b'}/{i}.jpg"
        found.append(Record(jpeg(0 if i == 11 else i), name, labels, (0.0, 0.0, 0.5, 1.0) if i % 3 else None))
    second = Record(found[10].image, "b/10.jpg#2", {"identity": "Di", "split": "test"}, (0.5, 0.0, 1.0, 1.0))
    return [*found[:11], second, found[11]]


def pairs(records: list[Record]) -> list[NamedPair]:
    names = [one.name for one in records]
    return [NamedPair(i % 2, a, b, i % 3 == 0) for i, (a, b) in enumerate(zip(names, names[3:], strict=False))]


def triplets(records: list[Record]) -> list[NamedTriplet]:
    names = [one.name for one in records]
    return [NamedTriplet(*three, "one") for three in zip(names, names[1:], names[5:], strict=False)]


def packed(records: list[Record], out: Path, kept: set[str] | None = None) -> FaceSet:
    """A set of the records whose names are `kept`, with the pairs and triplets that are left then."""
    every = kept is None
    own = [NamedPair(p.fold, p.left, p.right, p.same) for p in pairs(records) if every or {p.left, p.right} <= kept]
    three = [t for t in triplets(records) if every or {t.anchor, t.positive, t.negative} <= kept]
    skipped = [Skipped("a/torn.jpg", "cut"), Skipped("b/torn.jpg", "cut")]
    chosen = [one for one in records if every or one.name in kept]
    write([*chosen, *skipped], out, pairs=own, triplets=three, **SAID)
    return FaceSet.open(out)


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    packed(people(), tmp_path / "crowd")
    return tmp_path / "crowd"


NAMED = {
    "a pattern": (Request(names=("a/*",)), {f"a/{i}.jpg" for i in range(6)} | {"b/11.jpg"}, 1),
    "a person, of whom a copy has no name": (
        Request(identities=("Ada",)),
        {"a/0.jpg", "a/1.jpg", "b/6.jpg", "b/7.jpg", "b/11.jpg"},
        1,
    ),
    "a person beside another in a photograph": (Request(identities=("Di",)), {"b/10.jpg", "b/10.jpg#2"}, 1),
    "a picture": (Request(hashes=(hashlib.sha256(jpeg(3)).hexdigest().upper(),)), {"a/3.jpg"}, 0),
    "several": (
        Request(names=("?/3.jpg", "nobody"), identities=("Cy",)),
        {"a/3.jpg", "a/4.jpg", "b/10.jpg", "b/10.jpg#2"},
        1,
    ),
}


@pytest.mark.parametrize(("request_", "gone", "copies"), NAMED.values(), ids=NAMED)
def test_the_set_is_the_one_that_would_have_been_packed_without_them(crowd, tmp_path, request_, gone, copies):
    names = {one.name for one in people()}
    result = forget(crowd, request_)
    assert set(result.names) == gone and (result.faces, result.copies) == (len(gone), copies)
    assert result.left == len(names) - len(gone)
    found, wanted = FaceSet.open(crowd), packed(people(), tmp_path / "wanted", names - gone)
    found.verify()
    assert found.content_hash == wanted.content_hash
    assert found.names.tolist() == wanted.names.tolist()
    np.testing.assert_array_equal(found.labels("landmarks"), wanted.labels("landmarks"))
    for kind in ("pairs", "triplets"):
        ours, theirs = (crowd / f"{kind}.csv", tmp_path / "wanted" / f"{kind}.csv")
        assert ours.read_text() == theirs.read_text()
    card = found.card
    assert (card.name, card.source, card.licence, card.made) == ("crowd", SAID["source"], "CC0", "by hand")
    assert (card.columns, card.splits, card.duplicates) == (
        wanted.card.columns,
        wanted.card.splits,
        wanted.card.duplicates,
    )
    assert card.notes[0] == "as found" and "pairs left out: a face of theirs was forgotten" in " ".join(card.notes)
    assert entries(crowd.parent) == ["crowd", "wanted"]


def test_the_card_tells_what_happened_but_neither_names_nor_people(crowd):
    before = FaceSet.open(crowd)
    picture = hashlib.sha256(jpeg(9)).hexdigest()
    forget(crowd, Request(("b/7*", "nowhere/*"), (picture,), ("Ada",)), note="letter 7")
    forget(crowd, Request(names=("a/*",)))
    text = (crowd / "card.json").read_text()
    for secret in ("Ada", "b/7", "nowhere", "a/torn.jpg"):
        assert secret not in text
    assert "b/torn.jpg" in text
    first, second = FaceSet.open(crowd).card.forgotten
    assert (first.faces, first.copies, first.note) == (6, 1, "letter 7")
    assert [(one.kind, one.faces) for one in first.asked] == [("name", 1), ("hash", 1), ("identity", 4)]
    assert first.asked[1].sha256 == picture and not first.asked[1].salt
    person = first.asked[2]
    assert person.sha256 == hashlib.sha256((person.salt + "Ada").encode()).hexdigest() and len(person.salt) == 32
    assert second.asked[0].salt != first.asked[0].salt
    assert first.before == tuple(
        faces.content_hash for faces in (before, before.where(split="test"), before.where(split="train"))
    )
    with pytest.raises(ValueError, match=f"matches 'Ada'; .*forgotten already: {re.escape(first.when)}"):
        forget(crowd, Request(identities=("Ada",)))


def test_a_dry_run_counts_and_changes_nothing(crowd):
    kept = {path.name: path.read_bytes() for path in crowd.iterdir()}
    assert forget(crowd, Request(identities=("Ada",)), dry_run=True).faces == 5
    assert {path.name: path.read_bytes() for path in crowd.iterdir()} == kept


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(), "what is to be forgotten"),
        (Request(names=("c/*",), identities=("ada",)), "no face of crowd matches 'c/\\*', 'ada'; nothing was changed"),
        (Request(names=("*",)), "every face of crowd would go: remove the folder"),
        (Request(hashes=("abc",)), "'abc' is no SHA-256"),
        (Request(identities=("",)), "'' names nobody"),
    ],
)
def test_requests_that_cannot_be_met_change_nothing(crowd, request_, message):
    kept = (crowd / "card.json").read_bytes()
    with pytest.raises(ValueError, match=message):
        forget(crowd, request_)
    assert (crowd / "card.json").read_bytes() == kept and entries(crowd.parent) == ["crowd"]


def test_a_set_without_people_says_so(tmp_path):
    write([Record(jpeg(i), str(i)) for i in range(2)], tmp_path / "set", source="tests", licence="CC0")
    with pytest.raises(ValueError, match="does not know who is who"):
        forget(tmp_path / "set", Request(identities=("Ada",)))


def test_a_full_disk_leaves_the_set_as_it_was(crowd, monkeypatch):
    monkeypatch.setattr(shards, "create", lambda path: FullDisk(path, "x"))
    with pytest.raises(OSError, match="no room left") as caught:
        forget(crowd, Request(identities=("Ada",)))
    assert caught.value.errno == errno.ENOSPC
    assert len(FaceSet.open(crowd)) == 13 and entries(crowd.parent) == ["crowd"]


def test_behind_a_link_nothing_stays(crowd, tmp_path):
    (tmp_path / "link").symlink_to(crowd)
    forget(tmp_path / "link", Request(identities=("Ada",)))
    assert len(FaceSet.open(crowd)) == len(FaceSet.open(tmp_path / "link")) == 8


def test_dropped_duplicates_stay_dropped_and_older_cards_are_read(tmp_path):
    write(people(), tmp_path / "set", drop_duplicates=True, **SAID)
    path = tmp_path / "set" / "card.json"
    old = json.loads(path.read_text())
    del old["forgotten"]
    path.write_text(json.dumps(old))
    assert FaceSet.open(tmp_path / "set").card.forgotten == ()
    forget(tmp_path / "set", Request(names=("a/1.jpg",)))
    assert FaceSet.open(tmp_path / "set").card.duplicates.dropped


def test_the_command_tells_what_was_made_from_the_set(crowd, tmp_path, monkeypatch, capsys):
    config = RunConfig(
        method=SimCLRConfig(encoder="small", hidden=8, projection=8), size=32, batch=4, epochs=0.5, precision="fp32"
    )
    pretrain(config, crowd, tmp_path / "runs" / "one", quiet=True)
    pretrain(config, {crowd: 1, _other(tmp_path): 1}, tmp_path / "runs" / "mixed", quiet=True)
    pretrain(config, _other(tmp_path), tmp_path / "runs" / "other", quiet=True)
    embed(_Brightness(), FaceSet.open(crowd), cache=tmp_path / "runs" / "one" / "features")

    def say(*arguments):
        monkeypatch.setattr(sys, "argv", ["vultus", "forget", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "1000")
        cli.main()
        return capsys.readouterr().out

    shutil.copytree(crowd, tmp_path / "runs" / "copy")
    index = tmp_path / "runs" / "index" / "card.json"
    index.parent.mkdir()
    index.write_text(json.dumps({"content_hash": FaceSet.open(crowd).content_hash, "run_sha256": "0"}))
    (tmp_path / "runs" / "card.json").write_text("no card at all")
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(jpeg(3))
    asked = [crowd, "--identity", "Ada", "Ida", "--hash", picture, "--runs", tmp_path / "runs"]
    monkeypatch.setattr("vultus.forget_command.SHOWN", 4)
    text = say(*asked, "--dry-run")
    assert "… and 2 more" in text
    assert "6 faces would be forgotten, 1 of them as equal pictures" in text and "a/0.jpg" in text
    text = say(*asked)
    assert "6 faces forgotten" in text and "nothing matches 'Ida'" in text and "a/0.jpg" not in text
    told = {line.strip().partition(":")[0] for line in text.splitlines() if str(tmp_path / "runs") in line}
    cached = next((tmp_path / "runs" / "one" / "features").iterdir())
    assert told == {str(tmp_path / "runs" / name) for name in ("one", "mixed", "index", "copy")} | {str(cached)}


def _other(folder: Path) -> Path:
    if not (folder / "other").exists():
        write([Record(jpeg(i), str(i)) for i in range(20, 28)], folder / "other", source="tests", licence="CC0")
    return folder / "other"


class _Brightness:
    name, sha256, size, default_feature, feature_names = "brightness", "0" * 64, 8, "mean", ("mean",)

    def features(self, images):
        return {"mean": np.asarray(images, np.float32).mean((1, 2, 3))[:, None]}


def test_a_killed_forgetting_leaves_the_whole_set(crowd):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from vultus.faces import shards
        from vultus.faces.forget import Request, forget
        shards.ShardWriter.finish = lambda self: os.kill(os.getpid(), signal.SIGKILL)
        forget(sys.argv[1], Request(identities=("Ada",)))
        """
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, crowd], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    FaceSet.open(crowd).verify()
    assert len(FaceSet.open(crowd)) == 13
    forget(crowd, Request(identities=("Ada",)))
    assert entries(crowd.parent) == ["crowd"]  # what the killed one left is cleared away


def test_a_curated_set_forgets_photographs_and_what_it_knew_of_them(tmp_path):
    from curate_pictures import folder_of
    from vultus.curate.config import CurateConfig
    from vultus.curate.forgetting import forget as forget_curated
    from vultus.curate.run import curate
    from vultus.curate.written import PAGE, TABLE

    source = folder_of(tmp_path / "source", 4)
    curate(source, tmp_path / "set", CurateConfig(piece=8), workers=1)
    names = FaceSet.open(tmp_path / "set").names.tolist()
    digest = hashlib.sha256((source / "a" / "0.jpg").read_bytes()).hexdigest()
    result = forget_curated(tmp_path / "set", Request(names=("b/1*",), hashes=(digest.upper(),)))
    assert result.names == ("a/0.jpg", "b/1.jpg")
    found = FaceSet.open(tmp_path / "set")
    found.verify()
    assert found.names.tolist() == [name for name in names if name not in result.names]
    rows = pq.read_table(tmp_path / "set" / TABLE)["name"].to_pylist()
    assert rows == ["a/2.jpg", "a/bad.jpg", "b/3.jpg"] and not (tmp_path / "set" / PAGE).exists()
    assert digest in (tmp_path / "set" / "card.json").read_text()
    with pytest.raises(ValueError, match="forgotten already"):
        forget_curated(tmp_path / "set", Request(hashes=(digest,)))
