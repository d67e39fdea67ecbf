"""The card of an index: which faces it holds, seen by which model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from vultus.faces.atomic import write_atomic
from vultus.search.directions import Metric
from vultus.search.index import Kind

FILE = "card.json"
FORMAT = 1  # raised when older code could no longer read a newer index
TREE = """an index is a folder written by `vultus search index`:
    INDEX/card.json               which faces, seen by which run
    INDEX/index.faiss             their vectors
    INDEX/names.arrow             their names
    INDEX/directions.safetensors  how features become vectors"""


@dataclass(frozen=True)
class IndexCard:
    """Everything about an index but its vectors and names."""

    faces: str  # path of the face set
    faces_name: str
    content_hash: str  # of the face set
    count: int
    run: str  # path of the run
    run_sha256: str  # of its weights
    method: str
    size: int  # pixels at which the model reads faces
    feature: str
    mirrored: bool  # whether every face is read together with its mirror image
    metric: Metric
    kind: Kind
    width: int  # of the vectors
    bytes: int  # of index.faiss
    created: str  # ISO 8601, UTC
    vultus: str  # version that wrote it
    format: int = FORMAT


def save(card: IndexCard, folder: Path) -> None:
    """Write the card; last of all files, for a folder without one is no index."""
    write_atomic(folder / FILE, (json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n").encode())


def load(folder: Path) -> IndexCard:
    """Read the card of an index.

    Raises FileNotFoundError where there is none, and ValueError for a card that is damaged or too new.
    """
    path = folder / FILE
    if not path.is_file():
        found = "no such folder" if not folder.exists() else f"no {FILE} in it"
        raise FileNotFoundError(
            f"{folder} is not an index ({found}).\n{TREE}\nMake one with: "
            f"vultus search index FACES --run RUN --out {folder}"
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if "shards" in raw:
            raise FileNotFoundError(
                f"{folder} is a face set, not an index. Make one with: "
                f"vultus search index {folder} --run RUN --out INDEX"
            )
        if raw["format"] > FORMAT:
            raise ValueError(f"it has format {raw['format']}, this vultus reads up to {FORMAT}; upgrade vultus")
        card = IndexCard(**raw)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error!r}. Make the index again.") from error
    return card
