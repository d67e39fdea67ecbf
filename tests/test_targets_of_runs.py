"""Where a run, a fine-tuning and a forgetting may write, and what a mistake leaves behind."""

import json
from dataclasses import replace

import pytest

from conftest import tiny_records
from evaluation_faces import Labelled
from test_evaluation_bootstrap import figure
from vultus.evaluation import measure
from vultus.evaluation.kept import add_figures
from vultus.evaluation.protocol import Protocol
from vultus.faces.faceset import write
from vultus.faces.forget import Request, forget
from vultus.methods.moco import MoCoConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.training.config import RunConfig
from vultus.training.finetuning.run import finetune
from vultus.training.loop import advice
from vultus.training.place import ASKED, PLAN, TUNING, require_place
from vultus.training.run import pretrain

METHOD = SimCLRConfig(encoder="small", hidden=8, projection=8)
RUN = RunConfig(method=METHOD, size=32, batch=8, epochs=0.2, precision="fp32")


def test_neither_a_face_set_nor_other_files_nor_a_file_takes_a_run(tiny_faces, tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "one.txt").write_text("mine")
    for out, told in ((tiny_faces, "is a face set"), (tmp_path / "photographs", "something else")):
        with pytest.raises(FileExistsError, match=told):
            pretrain(RUN, tiny_faces, out, quiet=True)
    with pytest.raises(FileExistsError, match="is a file"):
        pretrain(RUN, tiny_faces, tmp_path / "photographs" / "one.txt", quiet=True)
    assert not (tiny_faces / PLAN).exists()


def test_a_folder_is_taken_by_its_own_alone(tmp_path):
    (tmp_path / f".{PLAN}.x1").write_text("")  # of a writer that was killed
    require_place(tmp_path, PLAN, ASKED)
    (tmp_path / PLAN).write_text("{}")
    require_place(tmp_path, PLAN, ASKED)
    with pytest.raises(FileExistsError, match="holds a run"):
        require_place(tmp_path, TUNING)
    require_place(tmp_path / "new", TUNING)


def test_a_fine_tuning_stays_out_of_runs_and_sets(tiny_faces, tmp_path):
    pretrain(RUN, tiny_faces, tmp_path / "run", quiet=True)
    for out in (tmp_path / "run", tiny_faces):
        with pytest.raises(FileExistsError, match="choose a new or empty folder"):
            finetune(tmp_path / "run", tiny_faces, out, quiet=True)
        assert not (out / TUNING).exists()


def test_forgetting_refuses_a_set_that_holds_other_files(tmp_path):
    write(tiny_records(6), tmp_path / "set", source="tests", licence="CC0")
    (tmp_path / "set" / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(FileExistsError, match=r"model\.safetensors; move them"):
        forget(tmp_path / "set", Request(names=("0001*",)))
    assert (tmp_path / "set" / "model.safetensors").exists()


def test_after_a_wrong_argument_the_folder_is_free(tiny_faces, tmp_path):
    wrong = ({"probe": "nowhere"}, {"probe": str(tiny_faces), "probe_label": "foo"}, {"device": "foo"})
    for changes in (*wrong, {"device": "cuda:99"}):
        with pytest.raises((OSError, ValueError, KeyError)):
            pretrain(replace(RUN, **changes), tiny_faces, tmp_path / "run", quiet=True)
        assert not (tmp_path / "run" / PLAN).exists()
    assert pretrain(RUN, tiny_faces, tmp_path / "run", quiet=True).status == "finished"
    plan = json.loads((tmp_path / "run" / PLAN).read_text())
    del plan["beta1"], plan["method"]["temperature"]  # of a version that did not know them
    (tmp_path / "run" / PLAN).write_text(json.dumps(plan))
    assert pretrain(RUN, tiny_faces, tmp_path / "run", quiet=True).status == "already finished"
    with pytest.raises(ValueError, match=r"a run of simclr, not of moco: choose another --out$"):
        pretrain(replace(RUN, method=MoCoConfig(encoder="small")), tiny_faces, tmp_path / "run", quiet=True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"minutes": -3.0}, "minutes must be 0 or more, got -3"),
        ({"epochs": 0.0}, "epochs must be above 0, got 0"),
        ({"epochs": float("nan")}, "epochs must be a finite number, got nan"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"method": replace(METHOD, temperature=0.0)}, "temperature must be above 0, got 0"),
    ],
)
def test_values_that_cannot_be_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        replace(RUN, **changes)


def test_before_the_first_step_no_checkpoint_is_good():
    assert "checkpoint" not in advice(0) and "checkpoint" in advice(7)


def test_a_split_that_is_not_there_is_told(tiny_faces, tmp_path):
    with pytest.raises(ValueError, match="no split 'tran'; it has test, train, validation"):
        pretrain(replace(RUN, split="tran"), tiny_faces, tmp_path / "run", quiet=True)
    plain = (replace(one, labels={}) for one in tiny_records(4))
    write(plain, tmp_path / "plain", source="tests", licence="CC0")
    with pytest.raises(ValueError, match=r"has 4 faces, fewer than a batch of 8: lower --batch$"):
        pretrain(RUN, tmp_path / "plain", tmp_path / "run", quiet=True)


def test_figures_that_make_way_are_told(tmp_path):
    assert add_figures(tmp_path, [figure(detail={"content": "a"})]) == ""
    assert add_figures(tmp_path, [figure(detail={"content": "a"})]) == ""
    assert "another set named fer were replaced" in add_figures(tmp_path, [figure(detail={"content": "b"})])


def test_one_task_that_cannot_be_read_is_refused_before_any_is():
    faces = Labelled(identity=["a", "a", "b", "c"] * 3, expression=["happy", "sad"] * 6, split=["train", "test"] * 6)
    told = "identity cannot be read: .*2 people in the test part, of whom 2 have two pictures.*need 20 people"
    with pytest.raises(ValueError, match=told):
        measure._require_served(("identity",), faces, Protocol())
