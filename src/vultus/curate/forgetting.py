"""Forgetting in a curated set: its table of photographs knows where each face came from, and forgets too.

The page shows faces and the notes count them: both are left behind with the old set.
"""

import io
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from vultus.curate.reference import labels_of
from vultus.curate.written import TABLE
from vultus.faces import forget as faces
from vultus.faces.faceset import FaceSet
from vultus.faces.forget import Forgetting, Request
from vultus.faces.record import number_in_picture


def forget(path: str | Path, request: Request, *, note: str = "", dry_run: bool = False) -> Forgetting:
    """As faces/forget.py does, of any face set; a hash may also be that of the photograph a face was cut from."""
    path = Path(path)
    return faces.forget(
        path,
        request,
        note=note,
        dry_run=dry_run,
        origins=partial(_origins, path),
        beside=partial(_pruned, path, request),
    )


def _origins(folder: Path) -> dict[str, str]:
    """Name of a face → SHA-256 of its photograph; nothing of a set that was not curated."""
    if not (folder / TABLE).exists():
        return {}
    rows = pq.read_table(folder / TABLE, columns=["name", "sha256"]).to_pylist()
    return {row["name"]: row["sha256"].hex() for row in rows if row["sha256"]}


def _pruned(folder: Path, request: Request, names: tuple[str, ...]) -> Mapping[str, bytes]:
    """The table without the faces `names`, and without the photographs of which no face stays or which are named.

    Of a photograph with a face that stays, the other rows stay too. The row of a copy tells what it is a copy of.
    """
    if not (folder / TABLE).exists():
        return {}
    table, lost = pq.read_table(folder / TABLE), set(names)
    staying = {_photograph(name) for name in FaceSet.open(folder).names.tolist() if name not in lost}
    gone, hashes = {_photograph(name) for name in lost} - staying, {digest.lower() for digest in request.hashes}
    keep = [
        row["name"] not in lost
        and _photograph(row["name"]) not in gone
        and not (row["stage"] == "duplicates" and row["detail"] in lost)
        and not any(fnmatchcase(row["name"], pattern) for pattern in request.names)
        and (row["sha256"] or b"").hex() not in hashes
        and not (row["labels"] and labels_of(row["labels"]).get("identity") in request.identities)
        for row in table.select(["name", "stage", "detail", "sha256", "labels"]).to_pylist()
    ]
    sink = io.BytesIO()
    pq.write_table(table.filter(keep), sink, compression="zstd")
    return {TABLE: sink.getvalue()}


def _photograph(name: str) -> str:
    return name.removesuffix(number_in_picture(name))
