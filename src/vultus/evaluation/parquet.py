"""Features as a Parquet file, for other tools."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vultus.evaluation.embedding import embed
from vultus.evaluation.mirrored import called, reader
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack
from vultus.faces.readers.reading import is_picture
from vultus.methods.model import load


@dataclass(frozen=True)
class Embedding:
    """What `embed_to_parquet` wrote."""

    path: Path
    faces: int
    features: tuple[str, ...]
    skipped: int  # pictures of a folder that could not be read


def embed_to_parquet(
    run: str | Path, src: str | Path, out: str | Path, feature: str | None = None, mirrored: bool = False
) -> Embedding:
    """Features of a face set, or of a folder of pictures, as Parquet: a row a face.

    Columns: `name`, and each feature as a list of D float32. feature: one name, `stages`, `all`, or None for the
    model's default. mirrored: each the mean over a face and its mirror image, and called so.
    Raises ValueError for an unknown feature, for a single picture, and where `out` is not the name of such a file.
    """
    source, target = Path(src), Path(out)
    _check(source, target)
    model = reader(load(run), mirrored, feature)
    named = called(str(feature), mirrored)
    wanted = {None: (model.default_feature,), "all": model.feature_names}.get(feature, (named,))
    if unknown := set(wanted) - set(model.feature_names):
        raise ValueError(f"no feature {', '.join(unknown)}; {run} offers {', '.join(model.feature_names)} and all")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        skipped = 0
        if not (source / "card.json").exists():
            packed = pack(source, Path(scratch) / "faces", progress=False)
            source, skipped = packed.path, packed.skipped
        faces = FaceSet.open(source)
        features = embed(model, faces)
        columns: dict[str, pa.Array] = {"name": pa.array(faces.names.tolist())}
        for name in wanted:
            values = features[name]
            columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        unfinished = target.with_name(f".{target.name}.partial")
        pq.write_table(pa.table(columns), unfinished)
        unfinished.replace(target)
        return Embedding(target, len(faces), tuple(wanted), skipped)


def _check(source: Path, target: Path) -> None:
    """Raise before anything is read."""
    if target.is_dir() or target.suffix != ".parquet":
        raise ValueError(f"{target}: give the name of a file that ends in .parquet")
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if source.is_file() and is_picture(source):
        raise ValueError(f"{source} is a single picture: give a folder of pictures, or a face set")
