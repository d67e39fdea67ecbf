"""The card of a face set: what it holds, where it came from, what was wrong with the source."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

FILE = "card.json"
FORMAT = 1  # raised when older code could no longer read a newer set
TREE = """a face set is a folder written by `vultus pack`:
    SET/card.json           source, licence, counts, content hash
    SET/shard-00000.arrow   pictures and labels (and shard-00001.arrow, …)
    SET/pairs.csv           verification pairs, where the source has them
    SET/triplets.csv        triplets of faces, likewise"""


@dataclass(frozen=True)
class Skipped:
    """A picture of the source that did not become a face of the set."""

    name: str
    reason: str


@dataclass(frozen=True)
class Shard:
    """One Arrow file of the set."""

    file: str
    rows: int
    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Column:
    """One label: its kind and how it is spread."""

    kind: Literal["string", "number", "vector"]
    known: int  # faces which have it
    width: int = 1  # numbers a face
    values: Mapping[str, int] | None = None  # faces a value, of a string
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Duplicates:
    """Pictures whose bytes are equal, counted over the source, also where they were dropped."""

    images: int  # pictures that repeat an earlier one
    groups: int  # sets of equal pictures
    across_splits: int  # groups with members in different splits: a leak from training to test
    conflicting: Mapping[str, int]  # label → groups whose members disagree on it
    dropped: bool  # whether only the first of each group was kept


@dataclass(frozen=True)
class Asked:
    """What was asked to be forgotten, as far as the card may keep it.

    sha256: of a picture, what was asked itself; of a pattern of names or a person, the SHA-256 of salt + text.
    """

    kind: Literal["name", "hash", "identity"]
    sha256: str
    salt: str  # hex; "" of a picture
    faces: int  # it named


@dataclass(frozen=True)
class Forgotten:
    """Faces taken out of the set at one time."""

    when: str  # ISO 8601, UTC
    faces: int  # all that went
    copies: int  # of them, those that went for an equal picture's sake alone
    asked: tuple[Asked, ...]
    note: str
    before: tuple[str, ...]  # content hashes of the set as it was, whole and by split: what learned from it names one


@dataclass(frozen=True)
class Card:
    """Everything about a face set but its faces."""

    name: str
    source: str
    licence: str
    faces: int
    content_hash: str  # SHA-256 over pictures, names, boxes and labels in order, whatever the shard size
    columns: Mapping[str, Column]
    splits: Mapping[str, int]  # faces a split
    duplicates: Duplicates
    skipped_count: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    shards: tuple[Shard, ...]
    made: str  # how: the reader and its options
    created: str  # ISO 8601, UTC
    vultus: str  # version that wrote it
    format: int = FORMAT
    forgotten: tuple[Forgotten, ...] = ()  # oldest first


def save(card: Card, path: Path) -> None:
    """Write a card as JSON."""
    path.write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Card:
    """Read the card of a face set.

    Raises FileNotFoundError where there is no set, and ValueError for a card that is damaged or too new.
    """
    path = folder / FILE
    if not path.is_file():
        if folder.exists():
            found, advice = f"no {FILE} in it", f"vultus pack {folder} FACES, or vultus curate {folder} FACES"
        else:
            found, advice = "no such folder", f"vultus pack SOURCE {folder}"
        raise FileNotFoundError(f"{folder} is not a face set ({found}).\n{TREE}\nMake one with: {advice}")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] > FORMAT:
            raise ValueError(f"it has format {raw['format']}, this vultus reads up to {FORMAT}; upgrade vultus")
        return _card(raw)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error!r}. Pack the set again.") from error


def _card(raw: dict[str, Any]) -> Card:
    parts = {
        "columns": {name: Column(**column) for name, column in raw["columns"].items()},
        "duplicates": Duplicates(**raw["duplicates"]),
        "skipped": tuple(Skipped(**one) for one in raw["skipped"]),
        "notes": tuple(raw["notes"]),
        "shards": tuple(Shard(**one) for one in raw["shards"]),
        "forgotten": tuple(_forgotten(one) for one in raw.get("forgotten", ())),  # older cards do not know it
    }
    return Card(**{**raw, **parts})


def _forgotten(raw: dict[str, Any]) -> Forgotten:
    lists = {"asked": tuple(Asked(**one) for one in raw["asked"]), "before": tuple(raw["before"])}
    return Forgotten(**{**raw, **lists})
