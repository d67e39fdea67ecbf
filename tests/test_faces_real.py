"""The real sets pack to their published counts. They are looked for in the folder VULTUS_DATA names."""

import os
from pathlib import Path

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
    assert result.card.notes == ()
    assert result.card.duplicates.across_splits > 0
    assert result.card.duplicates.conflicting["expression"] > 0


def test_lfw(tmp_path: Path) -> None:
    result = pack(source("lfw"), tmp_path / "set", progress=False)
    assert (result.faces, result.card.notes) == (13_233, ())
    found = FaceSet.open(tmp_path / "set")
    assert found.pairs is not None
    assert len(found.pairs) == 6_000
    identity = found.labels("identity")
    same = identity[found.pairs.left] == identity[found.pairs.right]
    assert (same == found.pairs.same).all()
