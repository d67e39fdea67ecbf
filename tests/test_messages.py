"""What the commands say when something is asked that cannot be, and what they tell of what they did."""

import json

import numpy as np
import pytest

import vultus
from conftest import jpeg
from vultus.benchmark.entries import entries
from vultus.evaluation.factors import factors
from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record
from vultus.meant import meant
from vultus.methods.catalogue import build_method
from vultus.methods.model import load, save_model
from vultus.methods.simclr import SimCLRConfig
from vultus.search.card import load as index_card
from vultus.search.face_index import read_pictures


@pytest.fixture
def photographs(tmp_path):
    """A folder of three pictures in class folders."""
    for number, name in enumerate(("happy", "neutral", "sad")):
        (tmp_path / "ph" / name).mkdir(parents=True)
        (tmp_path / "ph" / name / "0.jpg").write_bytes(picture(number))
    return tmp_path / "ph"


@pytest.fixture
def run(tmp_path):
    """A folder with a model that learned nothing."""
    config = SimCLRConfig(encoder="small", hidden=8, projection=8)
    save_model(build_method(config, 32), config, 32, tmp_path / "run")
    return tmp_path / "run"


def picture(number=0):
    return jpeg(np.full((16, 16, 3), 40 * number, np.uint8))


@pytest.mark.parametrize(
    "arguments",
    [("synthesise", 3, "OUT"), ("pack", "SRC", "OUT"), ("search", "index", "F", "--run", "R", "--out", "O")],
)
def test_an_interruption_is_one_line(typed, monkeypatch, arguments):
    def stopped(*given, **options):
        raise KeyboardInterrupt

    for name in ("vultus.demo.synthetic_set", "vultus.faces.pack.pack", "vultus.search_command.index_faces"):
        monkeypatch.setattr(name, stopped)
    code, text = typed(*arguments)
    assert code == 130 and text.startswith("interrupted") and text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pack", "nowhere", "x"], "nowhere: no such file or folder"),
        (["pack", "FACES", "x"], "is a face set already"),
        (["pack", "PH", "x", "--margin", "0.2"], "give --align"),
        (["embed", "RUN", "nowhere", "--out", "z.parquet"], "nowhere: no such file or folder"),
        (["embed", "RUN", "PH/sad/0.jpg", "--out", "z.parquet"], "single picture: give a folder"),
        (["embed", "RUN", "PH", "--out", "PH"], "a file that ends in .parquet"),
        (["embed", "RUN", "PH", "--out", "z.csv"], "a file that ends in .parquet"),
        (["forget", "FACES"], "--name PATTERN, --hash PICTURE or SHA-256, or --identity PERSON"),
        (["curate", "PH", "x", "--workers", "-1"], "--workers is 0 or more, got -1"),
        (["evaluate", "RUN", "--data", "FACES", "--task", ""], "which task?"),
        (["evaluate", "RUN", "--data", "FACES", "--seeds", "0"], "--seeds is 1 or more"),
        (["evaluate", "RUN", "--data", "FACES", "--task", "expresion"], "did you mean expression?"),
        (["finetune", "RUN", "--data", "FACES", "--out", "x", "--seeds", "0"], "--seeds is 1 or more"),
        (["demo", "--out", "d", "--faces", "300"], "--faces is 1,680 or more"),
        (["pretain", "pcl"], "did you mean pretrain?"),
        (["pretrain", "simcrl", "FACES", "--out", "x"], "did you mean simclr?"),
        (["pretrain", "simclr", "FACES", "--out", "x", "--recipe", "pcl-cpu"], "there are simclr-cpu, simclr-paper"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    typed, photographs, run, tiny_faces, monkeypatch, tmp_path, arguments, message
):
    monkeypatch.chdir(tmp_path)
    places = {"FACES": str(tiny_faces), "RUN": "run", "PH": "ph", "PH/sad/0.jpg": "ph/sad/0.jpg"}
    code, text = typed(*(places.get(one, one) for one in arguments))
    assert code == 2 and message in text
    assert len([line for line in text.splitlines() if line.startswith("vultus")]) == 1 and text.count("\n") <= 2
    assert not (tmp_path / "d").exists()


def test_a_folder_of_photographs_is_told_how_to_become_a_face_set(photographs):
    with pytest.raises(FileNotFoundError, match=r"vultus pack \S*ph FACES, or vultus curate \S*ph FACES"):
        FaceSet.open(photographs)


def test_what_was_found_stands_before_what_was_expected(typed, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "readme.md").write_text("nothing here")
    code, text = typed("pack", tmp_path / "src", tmp_path / "x")
    assert code == 2 and text.index("readme.md") < text.index("SOURCE/")


def test_pack_tells_what_it_did(typed, photographs, tmp_path):
    _, text = typed("pack", photographs, tmp_path / "a")
    assert "read as folder; labels: none" in text and "3 class folders: add --label expression" in text
    (photographs / "list.csv").write_text(
        "path,split,age\nhappy/0.jpg,trian,3\nsad/0.jpg,test,old\n\nneutral/0.jpg,test,5"
    )
    _, text = typed("pack", photographs / "list.csv", tmp_path / "b")
    assert "read as list; labels: age, split" in text and "test 2, trian 1" in text and "class folders" not in text
    assert "age: 2 of 3 cells are numbers, first other 'old' in line 3; kept as text" in text
    assert "split: 'trian', in 1 of 3 rows, is none of train, validation, test; did you mean train?" in text
    assert len(json.loads((tmp_path / "b" / "card.json").read_text())["notes"]) == 2


@pytest.mark.parametrize(("pictures", "message"), [([], "no picture"), (["."], r"is a folder: give pictures")])
def test_a_query_takes_pictures(pictures, message):
    with pytest.raises(ValueError, match=message):
        read_pictures(pictures, 32)


def test_a_face_set_is_no_index(tiny_faces):
    with pytest.raises(FileNotFoundError, match=r"is a face set, not an index. Make one with: vultus search index"):
        index_card(tiny_faces)


def test_a_model_takes_one_picture_and_tells_what_it_is(run, tmp_path):
    model = load(run)
    (tmp_path / "a.jpg").write_bytes(picture())
    assert model.embed(str(tmp_path / "a.jpg")).equal(model.embed([tmp_path / "a.jpg"]))
    assert len(model.embed(tmp_path / "a.jpg")) == 1
    with pytest.raises(ValueError, match="the list is empty"):
        model.embed([])
    assert "simclr, 32 px; features: encoder (" in repr(model)


def test_an_unfinished_run_is_told_as_such(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"steps": 1200}))
    (tmp_path / "checkpoint.json").write_text(json.dumps({"step": 300}))
    with pytest.raises(FileNotFoundError, match=r"not finished \(300 of 1,200 steps\): repeat"):
        load(tmp_path)


def test_the_package_lists_its_names_and_its_version(typed):
    assert {*vultus.__all__, "__version__"} <= set(dir(vultus))
    assert typed("--version") == (0, f"vultus {vultus.__version__}\n")


def test_only_names_that_are_alike_are_meant():
    assert meant("SimCRL", ("simclr", "pcl")) == "; did you mean simclr?" and meant("nothing", ("pcl",)) == ""


def test_embed_makes_the_folder_of_its_file(typed, run, photographs, tmp_path):
    assert typed("embed", run, photographs, "--out", tmp_path / "new" / "f.parquet")[0] == 0
    assert (tmp_path / "new" / "f.parquet").is_file()


def test_a_set_without_factors_is_refused_before_anything_is_rendered(typed, run, tmp_path):
    write([Record(picture(), "0.jpg", {"age": 3.0})], tmp_path / "aged", source="made by the tests", licence="CC0")
    with pytest.raises(ValueError, match="drop --data, or give a set with the labels of one of them") as caught:
        factors(FaceSet.open(tmp_path / "aged"))
    assert "{" not in str(caught.value)
    code, text = typed("disentangle", run, "--data", tmp_path / "aged")
    assert code == 2 and "rendering" not in text


def test_settings_that_cannot_be_read_are_one_sentence():
    with pytest.raises(ValueError, match=r"not understood: --batch: invalid literal for int\(\) with base 10: 'foo'$"):
        entries(["pcl"], ["batch=foo"])
