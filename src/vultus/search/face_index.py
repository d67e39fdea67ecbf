"""A face set, indexed by what a run sees in it, and asked with pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus import __version__
from vultus.evaluation.embedding import Encoder, embed
from vultus.evaluation.mirrored import called, reader
from vultus.evaluation.stages import STAGES
from vultus.faces import card as set_cards
from vultus.faces import decode
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load
from vultus.search import card as cards
from vultus.search.answers import Answer, Match
from vultus.search.card import IndexCard
from vultus.search.directions import Directed, Directions, Floats, Metric, fit
from vultus.search.index import Kind, VectorIndex

VECTORS, NAMES, DIRECTIONS = "index.faiss", "names.arrow", "directions.safetensors"

Say = Callable[[str], None]
Picture = str | Path | bytes
Cut = Callable[[bytes], bytes]


@dataclass(frozen=True, eq=False)
class FaceIndex:
    """The faces of a set as unit vectors. Its files are memory-mapped where they can be."""

    path: Path
    card: IndexCard
    directions: Directions
    vectors: VectorIndex
    _names: pa.Table

    def __len__(self) -> int:
        return self.card.count

    def names(self, rows: NDArray[np.int64]) -> list[str]:
        """Of these rows of the face set."""
        found: list[str] = self._names["name"].take(pa.array(rows)).to_pylist()
        return found

    @cached_property
    def faces(self) -> FaceSet:
        """The face set. Raises FileNotFoundError where it is gone, ValueError where it has changed."""
        return self.faces_at(self.card.faces)

    def faces_at(self, path: str | Path) -> FaceSet:
        """The face set, moved to `path`. Raises as `faces` does."""
        try:
            found = set_cards.load(Path(path)).content_hash
        except FileNotFoundError as missing:
            raise FileNotFoundError(f"{missing}\nIf the set was moved, say where it lies now: --faces FACES") from None
        if found != self.card.content_hash:
            raise ValueError(
                f"the face set {path} is not the one that was indexed (content {found[:16]}…, indexed "
                f"{self.card.content_hash[:16]}…): make the index again with "
                f"`vultus search index {path} --run {self.card.run} --out {self.path} --overwrite`"
            )
        return FaceSet.open(path)

    def model(self, run: str | Path | None = None) -> Encoder:
        """The model that read the faces, from the run's folder; `run` says where that lies if it was moved.

        Raises FileNotFoundError where it is gone and ValueError where another model lies there.
        """
        folder = Path(run or self.card.run)
        try:
            model = load(folder)
        except FileNotFoundError as missing:
            raise FileNotFoundError(f"{missing}. Say where the run lies now: --run RUN") from None
        if model.sha256 != self.card.run_sha256:
            raise ValueError(
                f"{self.path} was made with the {self.card.method} run {self.card.run} (SHA-256 "
                f"{self.card.run_sha256[:16]}…), {folder} holds another model ({model.name}, {model.sha256[:16]}…): "
                f"query with the former, or make an index with the latter"
            )
        read: Encoder = reader(model, self.card.mirrored, self.card.feature)
        return read

    def vectors_of(self, images: NDArray[np.uint8], model: Encoder) -> Floats:
        """Faces uint8 [N, 3, S, S], cut as those of the set → unit vectors [N, d]."""
        feature = called(self.card.feature, self.card.mirrored)
        return self.directions(np.asarray(model.features(images)[feature]))

    def query(
        self,
        pictures: Sequence[Picture],
        k: int = 10,
        *,
        model: Encoder | None = None,
        labels: Sequence[str] = (),
        faces: FaceSet | None = None,
        cut: Cut | None = None,
    ) -> tuple[Answer, ...]:
        """The k faces most similar to each picture, a path or a file's bytes.

        A picture is read whole, as a face cut like those of the set; cut: makes such a one of a photograph's bytes.
        model: else the run is loaded. labels: of the faces found, from the set; faces: the set, else it is opened
        where it was indexed. Raises ValueError for pictures that cannot be read, and as `faces` and `model` do.
        """
        model = model or self.model()
        if faces is None and (labels or Path(self.card.faces).exists()):
            faces = self.faces  # also where nothing is read of it: a set that has changed is refused
        columns = {label: faces.labels(label) for label in labels} if faces is not None else {}
        hits = self.vectors.search(self.vectors_of(read_pictures(pictures, model.size, cut), model), k)
        return tuple(
            Answer(_name(picture), self._matches(rows[rows >= 0], similarity, columns))
            for picture, rows, similarity in zip(pictures, hits.rows, hits.similarity, strict=True)
        )

    def _matches(
        self, rows: NDArray[np.int64], similarity: Floats, columns: Mapping[str, NDArray[np.generic]]
    ) -> tuple[Match, ...]:
        told = zip(rows.tolist(), self.names(rows), similarity.tolist(), strict=False)
        return tuple(
            Match(row, name, alike, {label: _text(column[row]) for label, column in columns.items()})
            for row, name, alike in told
        )


def index_faces(
    faces: str | Path,
    run: str | Path,
    out: str | Path,
    *,
    feature: str | None = None,
    metric: Metric = "whitened",
    mirrored: bool = True,
    kind: Kind | None = None,
    overwrite: bool = False,
    say: Say = lambda line: None,
) -> FaceIndex:
    """Index a face set by a run's feature, its default one unless named, and write the index to the folder `out`.

    Features are cached below the run's folder, as for evaluation. metric: whitened components, or plain features.
    mirrored: read every face together with its mirror image, which takes twice as long and tells people apart better.
    kind: of the index, else by the number of faces.
    Raises FileExistsError where `out` holds anything (with `overwrite`: anything but an index), and ValueError for an
    unknown feature or a collapsed one.
    """
    folder = Path(out)
    _check_target(folder, overwrite)
    whole, model = FaceSet.open(faces), load(run)
    feature = feature or model.default_feature
    if feature not in (*model.feature_names, STAGES):
        raise ValueError(f"no feature {feature!r}; {run} offers {', '.join(model.feature_names)}")
    say(f"reading {len(whole):,} faces with {model.name}")
    named = called(feature, mirrored)
    features = embed(reader(model, mirrored, feature), whole, feature=named, cache=Path(run) / "features")[named]
    directions = fit(features, metric)
    say("indexing")
    vectors = VectorIndex.build(Directed(features, directions), kind)
    _write(folder, vectors, directions, whole)
    card = IndexCard(
        faces=str(whole.path.absolute()), faces_name=whole.card.name, content_hash=whole.content_hash,
        count=len(whole), run=str(Path(run).absolute()), run_sha256=model.sha256, method=model.name, size=model.size,
        feature=feature, mirrored=mirrored, metric=metric, kind=vectors.kind, width=vectors.width,
        bytes=(folder / VECTORS).stat().st_size, created=datetime.now(UTC).isoformat(timespec="seconds"),
        vultus=__version__,
    )  # fmt: skip
    cards.save(card, folder)
    return open_index(folder)


def open_index(path: str | Path) -> FaceIndex:
    """Open an index. Raises FileNotFoundError where there is none, and ValueError where it is damaged."""
    folder = Path(path)
    card = cards.load(folder)
    try:
        size = (folder / VECTORS).stat().st_size
        if size != card.bytes:
            raise ValueError(f"{folder / VECTORS}: {card.bytes} bytes expected, it has {size}")
        directions = Directions.from_bytes((folder / DIRECTIONS).read_bytes())
        names = pa.ipc.open_file(pa.memory_map(str(folder / NAMES))).read_all()
        vectors = VectorIndex.open(folder / VECTORS, card.kind, card.width)
        if not len(vectors) == names.num_rows == card.count:
            raise ValueError(f"{card.count} faces expected, {len(vectors)} vectors and {names.num_rows} names found")
    except Exception as error:  # each library has errors of its own for a damaged file
        raise ValueError(f"the index {folder} is damaged ({error}): make it again with --overwrite") from error
    return FaceIndex(folder, card, directions, vectors, names)


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    ours = (cards.FILE, VECTORS, NAMES, DIRECTIONS)
    if not folder.is_dir() or any(not path.name.lstrip(".").startswith(ours) for path in folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not an index; choose a new or empty folder")
    if not overwrite:
        raise FileExistsError(f"{folder} already holds an index; choose another folder or allow to overwrite it")


def _write(folder: Path, vectors: VectorIndex, directions: Directions, faces: FaceSet) -> None:
    """All but the card, which goes last: until then the folder is no index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / cards.FILE).unlink(missing_ok=True)
    vectors.save(folder / VECTORS)
    write_atomic(folder / DIRECTIONS, directions.to_bytes())
    table = pa.table({"name": pa.array(faces.names.tolist(), pa.string())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    write_atomic(folder / NAMES, sink.getvalue().to_pybytes())


def read_pictures(pictures: Sequence[Picture], size: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """Pictures, paths or files' bytes, as faces uint8 [N, 3, size, size].

    cut: makes a face cut like those of a set of a photograph's bytes; else pictures are read whole.
    Raises ValueError, naming the picture, for one that cannot be read, and for none.
    """
    if not pictures:
        raise ValueError("no picture to query with")
    faces = np.empty((len(pictures), 3, size, size), np.uint8)
    for picture, face in zip(pictures, faces, strict=True):
        if not isinstance(picture, bytes) and Path(picture).is_dir():
            raise ValueError(f"{picture} is a folder: give pictures, such as {picture}/*.jpg")
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        try:
            decode.face(cut(data) if cut else data, None, size, face)
        except ValueError as error:
            raise ValueError(f"{_name(picture)}: {error}") from error
    return faces


def _name(picture: Picture) -> str:
    return "picture" if isinstance(picture, bytes) else str(picture)


def _text(value: np.generic) -> str:
    """A label as the table shows it; '' for an unknown one."""
    if isinstance(value, str):
        return str(value)
    numbers = np.atleast_1d(value)
    return "" if np.isnan(numbers).all() else " ".join(f"{number:.4g}" for number in numbers)
