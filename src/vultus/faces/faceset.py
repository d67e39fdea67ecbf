"""The face set: faces and their labels, memory-mapped from a folder of Arrow shards."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vultus.faces import card as cards
from vultus.faces import decode, shards
from vultus.faces import pairs as pair_lists
from vultus.faces import triplets as triplet_lists
from vultus.faces.card import Card, Shard
from vultus.faces.pairs import Pairs
from vultus.faces.record import Label, Record
from vultus.faces.store import Store
from vultus.faces.triplets import Triplets
from vultus.faces.writer import write

__all__ = ["FaceSet", "write"]

_SHARD_NAME = re.compile(r"shard-\d{5,}\.arrow")
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Some or all faces of a set, in a fixed order; nothing in it changes.

    Views by `take` and `where` share the memory map and cost their row numbers only. A face's index counts
    from 0 within the view.
    """

    path: Path
    card: Card
    pairs: Pairs | None  # rows of the whole set, also in a view
    triplets: Triplets | None  # likewise
    _store: Store
    _rows: Rows | None = None  # None: all

    @classmethod
    def open(cls, path: str | Path) -> "FaceSet":
        """Open the face set in a folder.

        Raises FileNotFoundError where there is none, ValueError where it is damaged. Only sizes and types
        are checked; `verify` reads every byte.
        """
        path = Path(path)
        card = cards.load(path)
        table = _table([_checked(path, shard) for shard in card.shards], path)
        if table.num_rows != card.faces:
            raise ValueError(f"{path} is damaged: {card.faces} faces expected, its shards hold {table.num_rows}")
        listed = path / pair_lists.FILE
        pairs = pair_lists.load(listed, card.faces) if listed.exists() else None
        listed = path / triplet_lists.FILE
        triplets = triplet_lists.load(listed, card.faces) if listed.exists() else None
        return cls(path, card, pairs, triplets, Store(table))

    def __len__(self) -> int:
        return len(self._store) if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        labels = ", ".join(self.columns) or "none"
        return f"FaceSet({self.card.name}: {len(self):,} of {self.card.faces:,} faces; labels: {labels})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The labels the set knows."""
        return tuple(self._store.columns)

    @property
    def names(self) -> npt.NDArray[np.str_]:
        """[N] str."""
        return self._seen(self._store.values("name"))

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """[N, 4] left, top, right, bottom of the faces in parts of their pictures; 0, 0, 1, 1 where there is none."""
        boxes = self._seen(self._store.values("box")).astype(np.float32)
        return np.where(np.isfinite(boxes).all(1, keepdims=True), boxes, np.array(decode.WHOLE, np.float32))

    @property
    def content_hash(self) -> str:
        """SHA-256, in hex, over these faces and labels in this order; a view has one of its own."""
        if self._rows is None:
            return self.card.content_hash
        return hashlib.sha256(self.card.content_hash.encode() + self._rows.astype("<i8").tobytes()).hexdigest()

    def labels(self, column: str) -> npt.NDArray[Any]:
        """[N] str ('' = unknown), or float32 [N] or [N, k] (NaN = unknown). Raises KeyError."""
        if column not in self.columns:
            known = ", ".join(self.columns) or "none at all"
            raise KeyError(f"{self.card.name} has no label {column!r}; it has: {known}")
        return self._seen(self._store.values(column))

    def image_bytes(self, index: int) -> bytes:
        """The picture's bytes, as the source had them."""
        return self._store.image(int(self._rows_of([index])[0]))

    def record(self, index: int) -> Record:
        """A face as `write` takes it."""
        row = int(self._rows_of([index])[0])
        box = self._store.values("box")[row].tolist()
        return Record(
            self._store.image(row),
            str(self._store.values("name")[row]),
            {column: _label(self._store.values(column)[row]) for column in self.columns},
            None if np.isnan(box).any() else (box[0], box[1], box[2], box[3]),
        )

    def images(self, indices: Sequence[int] | npt.NDArray[Any], size: int) -> npt.NDArray[np.uint8]:
        """Decode faces to uint8 RGB [B, 3, size, size]: upright, cut to their boxes, resized.

        Raises IndexError, and ValueError naming the face for a picture that cannot be decoded.
        """
        rows = self._rows_of(indices)
        out = np.empty((len(rows), 3, size, size), np.uint8)
        boxes = self._store.values("box")[rows].astype(float)
        boxed = np.isfinite(boxes).all(axis=1)
        for place, row in enumerate(rows.tolist()):
            box = tuple(boxes[place].tolist()) if boxed[place] else None
            try:
                decode.face(self._store.image(row), box, size, out[place])
            except ValueError as error:
                name = str(self._store.values("name")[row])
                raise ValueError(f"{self.path}: face {name!r} (row {row}): {error}") from error
        return out

    def sample(self, most: int, size: int, seed: int = 0) -> npt.NDArray[np.uint8]:
        """At most `most` of the faces, drawn by `seed`, in the set's order: uint8 RGB [B, 3, size, size]."""
        return self.images(np.sort(np.random.default_rng(seed).permutation(len(self))[:most]), size)

    def take(self, indices: npt.NDArray[Any]) -> "FaceSet":
        """The faces at these indices (ints, in this order), or where a boolean mask [N] is true."""
        indices = np.asarray(indices)
        if indices.dtype == np.bool_:
            if indices.shape != (len(self),):
                raise IndexError(f"a mask of shape ({len(self)},) expected, got {indices.shape}")
            indices = np.flatnonzero(indices)
        rows = self._rows_of(indices)
        rows.flags.writeable = False
        return FaceSet(self.path, self.card, self.pairs, self.triplets, self._store, rows)

    def where(self, **labels: str) -> "FaceSet":
        """The faces with all these text labels, such as where(split="train"); may be empty."""
        mask = np.ones(len(self), np.bool_)
        for column, value in labels.items():
            values = self.labels(column)
            if values.dtype.kind != "U":
                raise ValueError(f"label {column!r} holds numbers; choose by take(faces.labels({column!r}) …)")
            mask &= values == value
        return self.take(mask)

    def verify(self) -> None:
        """Read every shard and compare its SHA-256 with the card's. Raises ValueError naming the shard."""
        for shard in self.card.shards:
            found = shards.sha256(self.path / shard.file)
            if found != shard.sha256:
                raise ValueError(
                    f"{self.path / shard.file} was changed or damaged: SHA-256 {shard.sha256} expected, "
                    f"found {found}. Copy or pack the set again."
                )

    def _seen(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if self._rows is None else values[self._rows]

    def _rows_of(self, indices: Sequence[int] | npt.NDArray[Any]) -> Rows:
        places = np.asarray(indices)
        if places.ndim != 1 or (len(places) and places.dtype.kind not in "iu"):
            raise IndexError(f"a list of whole numbers expected, got {places.dtype} of shape {places.shape}")
        places = places.astype(np.int64)
        if len(places) and (places.min() < 0 or places.max() >= len(self)):
            raise IndexError(f"indices 0 to {len(self) - 1} exist, got {places.min()} to {places.max()}")
        return places if self._rows is None else self._rows[places]


def _label(value: Any) -> Label:
    """A cell of a column: text, number or vector; '' and NaN are left out by `write`."""
    plain: Label = tuple(value.tolist()) if np.ndim(value) else value.item()
    return plain


def _checked(folder: Path, shard: Shard) -> pa.Table:
    path = folder / shard.file
    if not _SHARD_NAME.fullmatch(shard.file):
        raise ValueError(f"{folder}: the card names a shard {shard.file!r}; shard-00000.arrow … expected")
    size = path.stat().st_size if path.is_file() else None
    if size != shard.size:
        found = "it is missing" if size is None else f"it has {size}"
        raise ValueError(f"{path} is damaged: {shard.size} bytes expected, {found}. Copy or pack the set again.")
    table = shards.read(path)
    if table.num_rows != shard.rows:
        raise ValueError(f"{path} is damaged: {shard.rows} rows expected, it has {table.num_rows}")
    return table


def _table(parts: list[pa.Table], folder: Path) -> pa.Table:
    try:
        return pa.concat_tables(parts)
    except pa.ArrowInvalid as error:
        raise ValueError(f"the shards of {folder} differ in their labels: {error}. Pack the set again.") from error
