"""Faces taken out of a set for good: by name, by content or by person; the card keeps what was done.

The set is written anew beside the old one and takes its place in one step: it is the old set or the new one, whatever
interrupts. A face whose picture is, byte for byte, that of a forgotten one goes with it, whatever its name: the second
face of a photograph, a copy under another person's name.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vultus.faces import placing
from vultus.faces.belongings import require_own
from vultus.faces.card import Asked, Card, Forgotten, Skipped
from vultus.faces.faceset import FaceSet
from vultus.faces.pairs import NamedPair
from vultus.faces.record import Record
from vultus.faces.triplets import NamedTriplet
from vultus.faces.writer import write

Mask = NDArray[np.bool_]
Wish = tuple[Literal["name", "hash", "identity"], str]


@dataclass(frozen=True)
class Request:
    """What is to be forgotten: faces that any of these names."""

    names: tuple[str, ...] = ()  # patterns (*, ?, [abc]) of whole names; * stands for / too
    hashes: tuple[str, ...] = ()  # SHA-256 of pictures, 64 hex digits
    identities: tuple[str, ...] = ()  # labels, exactly as the set has them


@dataclass(frozen=True)
class Forgetting:
    """What was done, or would be."""

    faces: int  # forgotten, copies among them
    copies: int  # forgotten for their picture's sake alone
    left: int  # faces that stay
    unmatched: tuple[str, ...]  # what was asked and names no face
    names: tuple[str, ...]  # of the faces forgotten
    before: tuple[str, ...]  # content hashes of the set as it was, whole and by split


def forget(
    path: str | Path,
    request: Request,
    *,
    note: str = "",
    dry_run: bool = False,
    origins: Callable[[], Mapping[str, str]] | None = None,
    beside: Callable[[tuple[str, ...]], Mapping[str, bytes]] | None = None,
) -> Forgetting:
    """Take faces out of the set at `path`; pairs and triplets of theirs go too.

    note: kept in the card as it is, such as the number of a letter. origins: gives name → SHA-256 of the photograph
    that a face was cut from, where that is another picture. beside: from the names that go, further files of the
    set as they are to be; what a curation keeps and it does not give is left out. Raises ValueError, with the set as it
    was, when nothing is asked, when nothing matches, when no face would be left, and for a hash that is none;
    FileExistsError for a writing of the set that is not finished, and for files that are not the set's; OSError when
    the disk is full, and when the old set cannot be removed.
    """
    _check(request)
    if not dry_run:
        _clear(Path(path).resolve())
    faces = FaceSet.open(path)
    require_own(faces.path)
    digests, sources = _digests(faces, origins() if origins else {})
    found = _matches(faces, (digests, sources), request)
    named = np.any(list(found.values()), axis=0)
    gone = np.isin(digests, digests[named])
    if not gone.any():
        raise ValueError(_nothing(faces.card, list(found)))
    if gone.all():
        raise ValueError(f"every face of {faces.card.name} would go: remove the folder {faces.path} instead")
    counts = (int(gone.sum()), int((gone & ~named).sum()))
    result = Forgetting(
        *counts,
        left=int((~gone).sum()),
        unmatched=tuple(asked for (_, asked), mask in found.items() if not mask.any()),
        names=tuple(faces.names[gone].tolist()),
        before=(faces.content_hash, *(faces.where(split=split).content_hash for split in faces.card.splits)),
    )
    if not dry_run:
        mark = Forgotten(datetime.now(UTC).isoformat(timespec="seconds"), *counts, _kept(found), note, result.before)
        _rewrite(faces, gone, request, mark, beside(result.names) if beside else {})
    return result


def _digests(faces: FaceSet, origins: Mapping[str, str]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """SHA-256 [N] of the pictures, and of the photographs they were cut from; '' where that is not known."""
    own = [hashlib.sha256(faces.image_bytes(row)).hexdigest() for row in range(len(faces))]
    return np.array(own), np.array([origins.get(name, "") for name in faces.names.tolist()])


def _check(request: Request) -> None:
    if not (request.names or request.hashes or request.identities):
        raise ValueError(
            "what is to be forgotten? give --name PATTERN, --hash PICTURE or SHA-256, or --identity PERSON"
        )
    if "" in (*request.names, *request.identities):
        raise ValueError("'' names nobody: faces of unknown identity are forgotten by name or hash")
    for digest in request.hashes:
        if not re.fullmatch("[0-9a-fA-F]{64}", digest):
            raise ValueError(f"{digest!r} is no SHA-256: 64 hex digits expected, as `sha256sum PICTURE` prints")


def _clear(out: Path) -> None:
    """Remove what killed writings of the set left: an old set may be among it, with the faces."""
    placing.clear(out)
    for left in placing.unfinished(out):
        raise FileExistsError(
            f"{left} is a writing of the set that still runs, or was left by one that was stopped, and may hold the "
            "faces: let it end or remove it, and repeat; nothing was changed"
        )


def _matches(faces: FaceSet, digests: Sequence[NDArray[np.str_]], request: Request) -> dict[Wish, Mask]:
    """Which faces each wish names, [N]; digests: hashes [N] of which one may be meant."""
    if request.identities and "identity" not in faces.columns:
        raise ValueError(f"{faces.card.name} does not know who is who (no label 'identity'): forget by name or hash")
    names = faces.names.tolist()
    found: dict[Wish, Mask] = {}
    for asked in request.names:
        found["name", asked] = np.array([fnmatchcase(name, asked) for name in names])
    for asked in request.hashes:
        found["hash", asked.lower()] = np.any([own == asked.lower() for own in digests], axis=0)
    for asked in request.identities:
        found["identity", asked] = faces.labels("identity") == asked
    return found


def _kept(found: Mapping[Wish, Mask]) -> tuple[Asked, ...]:
    """What the card keeps of wishes that named faces."""
    counts = {wish: int(mask.sum()) for wish, mask in found.items()}
    return tuple(_hashed(wish, secrets.token_hex(16), count) for wish, count in counts.items() if count)


def _nothing(card: Card, wishes: Sequence[Wish]) -> str:
    text = f"no face of {card.name} matches {', '.join(repr(asked) for _, asked in wishes)}; nothing was changed"
    earlier = {one.when for one in card.forgotten for past in one.asked for wish in wishes if _same(past, wish)}
    return text + (f" (forgotten already: {', '.join(sorted(earlier))})" if earlier else "")


def _same(past: Asked, wish: Wish) -> bool:
    return past.sha256 == _hashed(wish, past.salt).sha256 and past.kind == wish[0]


def _hashed(wish: Wish, salt: str, faces: int = 0) -> Asked:
    """A picture's hash tells nothing by itself; names of files and people are not kept but as a salted hash."""
    kind, asked = wish
    if kind == "hash":
        return Asked(kind, asked, "", faces)
    return Asked(kind, hashlib.sha256((salt + asked).encode()).hexdigest(), salt, faces)


def _rewrite(faces: FaceSet, gone: Mask, request: Request, mark: Forgotten, files: Mapping[str, bytes]) -> None:
    """The set without the faces that are `gone`, in its own place."""
    old = faces.card
    pairs, triplets = _pairs_left(faces, gone), _triplets_left(faces, gone)
    notes = list(old.notes)
    for what, left, had in (("pairs", pairs, faces.pairs), ("triplets", triplets, faces.triplets)):
        if had is not None and len(left) < len(had):
            notes.append(f"{len(had) - len(left):,} of {len(had):,} {what} left out: a face of theirs was forgotten")
    write(
        _records_left(faces, gone, request.names),
        faces.path,
        source=old.source,
        licence=old.licence,
        name=old.name,
        made=old.made,
        notes=notes,
        pairs=pairs,
        triplets=triplets,
        forgotten=(*old.forgotten, mark),
        drop_duplicates=old.duplicates.dropped,
        overwrite=True,
        beside=lambda card: files,
    )


def _records_left(faces: FaceSet, gone: Mask, patterns: Sequence[str]) -> Iterator[Record | Skipped]:
    yield from (faces.record(row) for row in np.flatnonzero(~gone).tolist())
    for one in faces.card.skipped:  # their names are in the card
        if not any(fnmatchcase(one.name, pattern) for pattern in patterns):
            yield one


def _pairs_left(faces: FaceSet, gone: Mask) -> list[NamedPair]:
    if faces.pairs is None:
        return []
    p, names = faces.pairs, faces.names
    kept = np.flatnonzero(~(gone[p.left] | gone[p.right]))
    return [NamedPair(int(p.fold[i]), str(names[p.left[i]]), str(names[p.right[i]]), bool(p.same[i])) for i in kept]


def _triplets_left(faces: FaceSet, gone: Mask) -> list[NamedTriplet]:
    if faces.triplets is None:
        return []
    t, names = faces.triplets, faces.names
    kept = np.flatnonzero(~(gone[t.anchor] | gone[t.positive] | gone[t.negative]))
    return [
        NamedTriplet(str(names[t.anchor[i]]), str(names[t.positive[i]]), str(names[t.negative[i]]), str(t.kind[i]))
        for i in kept
    ]
