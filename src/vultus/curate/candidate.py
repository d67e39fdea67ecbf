"""What becomes of a photograph's faces: candidates for the set and rejections, and the Arrow file that holds both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

import pyarrow as pa

from vultus.curate.judge import Judgement
from vultus.curate.reference import labels_of, to_json
from vultus.faces.record import Label

STAGES = ("read", "detect", "judge", "duplicates", "exclude", "retrieve", "balance")  # in the order of the way
CRASHED = "crashed"


@dataclass(frozen=True)
class Candidate:
    """An aligned face that passed every threshold."""

    name: str  # the photograph's; PHOTOGRAPH#2 for its second face
    image: bytes  # JPEG of the aligned crop
    box: tuple[float, float, float, float]  # found in the photograph: left, top, right, bottom in pixels
    points: tuple[float, ...]  # x0, y0, … of eyes, nose and corners of the mouth in the photograph, pixels
    judgement: Judgement
    sha256: bytes  # of the photograph's bytes
    phash: int  # 64-bit perceptual hash of the crop
    mirrored: int  # and of its mirror image
    labels: Mapping[str, Label] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """A photograph, or a face of one, that does not come into the set."""

    name: str
    stage: str  # one of STAGES
    reason: str  # the same few words for the same cause: reasons are counted and shown side by side
    detail: str = ""  # what is particular to this one
    image: bytes = b""  # JPEG: the aligned crop, or a small picture of the photograph; empty where there is none
    judgement: Judgement | None = None  # of a face that was aligned


@dataclass(frozen=True)
class Fate:
    """Why a candidate is left out by a stage that looks at all of them."""

    index: int  # in the pool
    stage: str  # one of STAGES
    reason: str
    detail: str = ""  # of a copy: the face that is kept


_JUDGED = {f"judged_{part.name}": pa.float32() for part in fields(Judgement)}
SCHEMA = pa.schema(
    {
        "name": pa.string(),
        "stage": pa.string(),  # null for a candidate
        "reason": pa.string(),
        "detail": pa.string(),
        "image": pa.binary(),
        "box": pa.list_(pa.float32(), 4),
        "points": pa.list_(pa.float32(), 10),
        "sha256": pa.binary(32),
        "phash": pa.uint64(),
        "mirrored": pa.uint64(),
        "labels": pa.string(),  # JSON
        **_JUDGED,
    }
)


def table(results: Sequence[Candidate | Rejected]) -> pa.Table:
    """Results as rows of SCHEMA, in their order."""
    rows = [_row(one) for one in results]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def results(rows: pa.Table) -> Iterable[Candidate | Rejected]:
    """The way back."""
    for row in rows.to_pylist():
        parts = {name.removeprefix("judged_"): row[name] for name in _JUDGED}
        judgement = None if None in parts.values() else Judgement(**parts)
        if row["stage"] is not None:
            yield Rejected(row["name"], row["stage"], row["reason"], row["detail"], row["image"], judgement)
            continue
        assert judgement is not None  # every candidate was judged
        yield Candidate(
            row["name"], row["image"], tuple(row["box"]), tuple(row["points"]), judgement,
            row["sha256"], row["phash"], row["mirrored"], labels_of(row["labels"]),
        )  # fmt: skip


def _row(one: Candidate | Rejected) -> dict[str, object]:
    judged = one.judgement
    parts = {} if judged is None else {f"judged_{f.name}": getattr(judged, f.name) for f in fields(Judgement)}
    if isinstance(one, Rejected):
        return {**_plain(one, ("name", "stage", "reason", "detail", "image")), **parts}
    plain = _plain(one, ("name", "image", "box", "points", "sha256", "phash", "mirrored"))
    return {**plain, "labels": to_json(one.labels), **parts}


def _plain(one: Candidate | Rejected, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(one, name) for name in names}
