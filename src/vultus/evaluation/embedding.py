"""Every face through the encoder once, and the features kept on disk for every later read-out.

Cached features are float32 .npy files, memory-mapped when read: a figure from the cache equals, to the last
bit, the one computed before it. (Half precision would halve the folder, and move figures by rounding.)
"""

import json
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from vultus.evaluation.waiting import line
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.faces.loader import stream

_CONTENTS = "contents.json"  # written last: checksums of the files beside it


class Encoder(Protocol):
    """What can be evaluated: a FaceModel, or a baseline."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def feature_names(self) -> tuple[str, ...]: ...
    @property
    def default_feature(self) -> str: ...
    def features(self, images: Any) -> Mapping[str, Any]: ...


def embed(
    model: Any,
    faces: FaceSet,
    *,
    feature: str | None = None,
    batch: int = 256,
    cache: Path | None = None,
    progress: bool = True,
) -> dict[str, NDArray[np.float32]]:
    """Every named feature of every face, or the one asked for, float32 [N, D], rows in the set's order.

    cache: a folder; the arrays come from `cache/MODEL-FACES/NAME.npy` where they are whole, and are computed
    and written there where they are missing or damaged. Keyed by the model's weights and the faces' content.
    Raises ValueError for a set without faces.
    """
    if not len(faces):
        raise ValueError(f"{faces.card.name}: no faces to embed; check the filter that chose them")
    encoder: Encoder = model
    if cache is None:
        found = _collect(encoder, _batches(encoder, faces, batch, progress), len(faces))
        return found if feature is None else {feature: found[feature]}
    folder = Path(cache) / f"{encoder.sha256[:16]}-{faces.content_hash[:16]}-{encoder.size}px"
    wanted = encoder.feature_names if feature is None else (feature,)
    kept = _cached(folder, encoder.feature_names, wanted, len(faces))
    if kept is None:
        folder.mkdir(parents=True, exist_ok=True)
        _store(folder, _batches(encoder, faces, batch, progress), len(faces))
        kept = _cached(folder, encoder.feature_names, wanted, len(faces))
    if kept is None:
        raise OSError(f"the features just written to {folder} do not read back: is the disk full or failing?")
    return kept


Batch = dict[str, NDArray[np.float32]]


def _batches(encoder: Encoder, faces: FaceSet, batch: int, progress: bool) -> Iterator[Batch]:
    """Named features of one batch after another, with the time left on the terminal."""
    starts = range(0, len(faces), batch)
    schedule = (np.arange(at, min(at + batch, len(faces))) for at in starts)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with line(*columns, quiet=not progress) as bar:
        task = bar.add_task(f"{encoder.name} reads {faces.card.name}", total=len(faces))
        for images in stream(faces, schedule, encoder.size):
            read = encoder.features(images)
            yield {name: _plain(values, len(images), name) for name, values in read.items()}
            bar.advance(task, len(images))


def _plain(values: Any, rows: int, name: str) -> NDArray[np.float32]:
    array = values.detach().cpu().float().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array, dtype=np.float32)
    if array.ndim != 2 or len(array) != rows:
        raise ValueError(f"feature {name!r}: expected [{rows}, D] of {rows} faces, got shape {array.shape}")
    return array


def _collect(encoder: Encoder, batches: Iterator[Batch], rows: int) -> Batch:
    out: Batch = {}
    at = 0
    for part in batches:
        for name, values in part.items():
            if name not in out:
                out[name] = np.empty((rows, values.shape[1]), np.float32)
            out[name][at : at + len(values)] = values
        at += len(next(iter(part.values())))
    return out


def _store(folder: Path, batches: Iterator[Batch], rows: int) -> None:
    """Fill memory-mapped temporary files beside their final names, then rename; the checksums go last."""
    (folder / _CONTENTS).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix=".embedding-", dir=folder) as work:
        open_files: dict[str, NDArray[np.float32]] = {}
        at = 0
        for part in batches:
            for name, values in part.items():
                if name not in open_files:
                    shape = (rows, values.shape[1])
                    open_files[name] = open_memmap(Path(work) / f"{name}.npy", "w+", np.float32, shape)
                open_files[name][at : at + len(values)] = values
            at += len(next(iter(part.values())))
        names = list(open_files)
        open_files.clear()  # unmaps and flushes
        for name in names:
            path = Path(work) / f"{name}.npy"
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            path.replace(folder / path.name)
    write_atomic(folder / _CONTENTS, json.dumps({name: _checksum(folder / f"{name}.npy") for name in names}).encode())


def _cached(folder: Path, names: tuple[str, ...], wanted: tuple[str, ...], rows: int) -> Batch | None:
    """The wanted arrays of a cache of `names`; None where one of them is missing, damaged, or of other faces."""
    try:
        sums = json.loads((folder / _CONTENTS).read_text())
        if set(sums) != set(names):
            return None
        found = {}
        for name in wanted:
            path = folder / f"{name}.npy"
            if _checksum(path) != sums[name]:
                return None
            found[name] = np.load(path, mmap_mode="r", allow_pickle=False)
            if found[name].ndim != 2 or len(found[name]) != rows or found[name].dtype != np.float32:
                return None
    except (OSError, ValueError, TypeError):
        return None
    return found


def _checksum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while part := file.read(1 << 22):
            total = zlib.crc32(part, total)
    return total
