"""The real sets pack to their published counts. They are looked for in the folder VULTUS_DATA names."""

import os
from pathlib import Path

import numpy as np
import pytest

from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack

DATA = Path(os.environ.get("VULTUS_DATA", ""))


def source(name: str) -> Path:
    if "VULTUS_DATA" not in os.environ or not (DATA / name).is_dir():
        pytest.skip(f"needs the folder {name} in the folder that VULTUS_DATA names")
    return DATA / name


def test_fer2013(tmp_path: Path) -> None:
    result = pack(source("fer2013"), tmp_path / "set", progress=False)
    assert result.card.splits == {"train": 28_709, "validation": 3_589, "test": 3_589}
    assert (result.skipped, result.duplicates) == (0, 1_853)
    assert result.card.notes == ("180 of 35,887 faces have no FER+ votes",)
    assert result.card.duplicates.across_splits > 0
    assert result.card.duplicates.conflicting["expression"] > 0
    votes = FaceSet.open(tmp_path / "set").labels("votes")
    assert set(votes[np.isfinite(votes).all(axis=1)].sum(axis=1)) <= {9, 10}  # one face of one vote less


def test_ckplus(tmp_path: Path) -> None:
    result = pack(source("ckplus"), tmp_path / "set", progress=False)
    assert (result.reader, result.faces, result.skipped, result.card.notes) == ("ckplus", 981, 0, ())
    found = FaceSet.open(tmp_path / "set")
    identity, fold, peak = (found.labels(label) for label in ("identity", "fold", "peak"))
    assert len(set(zip(identity, fold, strict=True))) == len(set(identity)) == 118
    assert sorted(set(fold)) == [str(number) for number in range(10)]
    assert (np.isfinite(found.labels("au12")) == (peak == "yes")).all()
    surprised, wide = found.labels("expression") == "surprise", found.labels("au27")  # a mouth stretched open
    assert np.nanmean(wide[surprised]) > 0.8 > 0.1 > np.nanmean(wide[~surprised])


def test_lfw(tmp_path: Path) -> None:
    result = pack(source("lfw"), tmp_path / "set", progress=False)
    assert (result.faces, result.card.notes) == (13_233, ())
    found = FaceSet.open(tmp_path / "set")
    assert found.pairs is not None
    assert len(found.pairs) == 6_000
    identity = found.labels("identity")
    same = identity[found.pairs.left] == identity[found.pairs.right]
    assert (same == found.pairs.same).all()


def test_mtfl(tmp_path: Path) -> None:
    result = pack(source("mtfl"), tmp_path / "set", progress=False)
    assert (result.reader, result.skipped, result.card.notes) == ("mtfl", 0, ())
    assert result.card.splits == {"train": 10_000, "test": 2_995}
    found = FaceSet.open(tmp_path / "set")
    points, boxes = found.labels("landmarks").reshape(-1, 5, 2), found.boxes.reshape(-1, 1, 2, 2)
    assert ((boxes[:, :, 0] < points) & (points < boxes[:, :, 1])).all()
    # the nose lies nearer to the eye on the side the face looks to
    left, right, nose = (points[:, place, 0] for place in (0, 1, 2))
    towards = (nose - (left + right) / 2) / np.abs(right - left)
    pose = found.labels("pose")
    assert np.median(towards[pose == "right"]) > 0.15 > -0.15 > np.median(towards[pose == "left"])


def test_utkface(tmp_path: Path) -> None:
    result = pack(source("utkface"), tmp_path / "set", progress=False)
    assert (result.reader, result.faces, result.skipped, result.duplicates) == ("utkface", 23_708, 0, 390)
    assert result.card.notes == ("3 pictures without labels: their names are not AGE_GENDER_RACE_DATE",)
    assert result.card.columns["age"].known == result.card.columns["gender"].known == 23_705
    assert result.card.duplicates.conflicting["age"] > 0
    assert 0.09 < result.card.splits["test"] / result.faces < 0.11


def test_faces68(tmp_path: Path) -> None:
    result = pack(source("faces68"), tmp_path / "set", progress=False)
    assert (result.reader, result.faces, result.skipped) == ("points68", 4_232, 0)
    assert result.card.notes == ("347 people are in both folders: the published split is not kept",)
    found = FaceSet.open(tmp_path / "set")
    assert "split" not in found.columns
    assert len(set(found.labels("identity"))) == 347
    points, boxes = found.labels("landmarks").reshape(-1, 68, 2), found.boxes.reshape(-1, 1, 2, 2)
    assert ((boxes[:, :, 0] < points) & (points < boxes[:, :, 1])).all()
    brows, chin = points[:, 17:27, 1].mean(axis=1), points[:, 8, 1]
    assert (brows < chin).mean() > 0.999
