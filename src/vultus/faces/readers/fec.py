"""Facial Expression Comparison (Vemulapalli and Agarwala, 2019): triplets of faces, and which two are closest.

The set is addresses of pictures on the web; what of them could be fetched lies in a folder.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vultus.faces.card import Skipped
from vultus.faces.decode import check_box
from vultus.faces.readers.reading import LayoutError, Reader, Reading, across, name_of, pictures, record, unlisted
from vultus.faces.record import Record, numbered
from vultus.faces.triplets import NamedTriplet

LISTS = {
    "faceexp-comparison-data-train-public.csv": "train",
    "faceexp-comparison-data-test-public.csv": "test",
}
KINDS = {f"{kind.upper()}_CLASS_TRIPLET": f"{kind}_class" for kind in ("one", "two", "three")}
AGREEMENT = 2 / 3  # of the raters, for a triplet that counts
_FACE = 5  # columns: address, left, right, top, bottom
_ANSWERS = 3 * _FACE + 1  # where pairs of rater and answer begin, behind the kind
LAYOUT = """    SOURCE/faceexp-comparison-data-train-public.csv    three times address, left, right, top, bottom; kind;
    SOURCE/faceexp-comparison-data-test-public.csv     rater and answer (the odd one, 1 to 3) as often as rated
    SOURCE/**/*.jpg                                    pictures, named by the last part of their address or by
                                                       the SHA-1 of the whole address"""

_Face = tuple[str, str, str, str, str]  # as in the list


@dataclass
class _Lists:
    """What the lists say: each face once, with the split of its first mention, and the triplets agreed upon."""

    faces: dict[_Face, str] = field(default_factory=dict)
    triplets: list[tuple[_Face, _Face, _Face, str]] = field(default_factory=list)  # close pair, odd one, kind
    left_out: Counter[str] = field(default_factory=Counter)  # rows by reason
    leaks: set[_Face] = field(default_factory=set)  # named by both lists


def read(src: Path) -> Reading:
    """Read the faces whose pictures are there, and the triplets two thirds of whose raters agree on the odd one.

    Rows that cannot be read and triplets without agreement are counted in the notes, as are later the triplets with
    a face that is not there.
    """
    root = _root(src)
    if root is None:
        raise LayoutError(src, LAYOUT, f"neither {' nor '.join(LISTS)}")
    lists = _Lists()
    for name, split in LISTS.items():
        if (root / name).is_file():
            _take(root / name, split, lists)
    found = _pictures(src)
    paths, doubtful = _paths(lists.faces, found)
    names = dict(zip(paths, numbered(name_of(src, path) for path in paths.values()), strict=True))
    return Reading(
        records=_records(src, lists, paths, names, doubtful),
        source="Facial Expression Comparison (Vemulapalli and Agarwala, A Compact Embedding for Facial Expression "
        "Similarity, 2019)",
        licence="each picture under its photographer's terms; annotations under those of Google",
        count=len(lists.faces),
        triplets=tuple(
            NamedTriplet(names.get(a, a[0]), names.get(b, b[0]), names.get(odd, odd[0]), kind)
            for a, b, odd, kind in lists.triplets
        ),
        notes=(
            *(f"{number:,} triplets left out: {reason}" for reason, number in lists.left_out.items()),
            *((f"{len(lists.leaks):,} faces are named by both lists: they count as train",) if lists.leaks else ()),
            *across((face[0], split) for face, split in lists.faces.items()),
        ),
    )


def recognises(src: Path) -> bool:
    """One of its lists is there."""
    return src.is_dir() and _root(src) is not None


def _root(src: Path) -> Path | None:
    return next((root for root in (src, src / "FEC_dataset") if any((root / name).is_file() for name in LISTS)), None)


def _take(path: Path, split: str, lists: _Lists) -> None:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for row in csv.reader(file):
            kind = KINDS.get(row[_ANSWERS - 1].strip()) if len(row) >= _ANSWERS else None
            if kind is None:
                lists.left_out["their row cannot be read"] += 1
                continue
            faces = [_face(row[start : start + _FACE]) for start in range(0, 3 * _FACE, _FACE)]
            for face in faces:
                if lists.faces.setdefault(face, split) != split:
                    lists.leaks.add(face)
            odd = odd_one_out(row[_ANSWERS + 1 :: 2])
            if odd is None:
                lists.left_out["no two thirds of their raters agree"] += 1
                continue
            close = [face for place, face in enumerate(faces) if place != odd]
            lists.triplets.append((close[0], close[1], faces[odd], kind))


def _face(cells: list[str]) -> _Face:
    url, left, right, top, bottom = (cell.strip() for cell in cells)
    return url, _plain(left), _plain(right), _plain(top), _plain(bottom)


def _plain(cell: str) -> str:
    """A number however it is written, so that a face is one face: 0.50 is 0.5."""
    try:
        return f"{float(cell):.9g}"
    except ValueError:
        return cell


def odd_one_out(answers: list[str]) -> int | None:
    """Which of the three faces (from 0) two thirds of the answers (1, 2 or 3) name; None without agreement."""
    counts = Counter(answer.strip() for answer in answers if answer.strip())
    for answer, votes in counts.most_common(1):
        if answer in ("1", "2", "3") and votes >= AGREEMENT * counts.total():
            return int(answer) - 1
    return None


def _pictures(src: Path) -> dict[str, Path]:
    """The pictures by name and by name without its ending."""
    found: dict[str, Path] = {}
    for one in pictures(src):
        if isinstance(one, Path):
            found.setdefault(one.name, one)
            found.setdefault(one.stem, one)
    return found


def _paths(faces: Collection[_Face], found: dict[str, Path]) -> tuple[dict[_Face, Path], set[str]]:
    """The picture of each face that has one, and the addresses that share one by their last part.

    Whose picture that is cannot be told, so none of them gets it.
    """
    of_url: dict[str, Path] = {}
    owners: dict[Path, set[str]] = {}
    for url in dict.fromkeys(face[0] for face in faces):
        if (path := _picture(url, found)) is not None:
            of_url[url] = path
            owners.setdefault(path, set()).add(url)
    doubtful = {url for urls in owners.values() if len(urls) > 1 for url in urls}
    sure = {url: path for url, path in of_url.items() if url not in doubtful}
    return {face: sure[face[0]] for face in faces if face[0] in sure}, doubtful


def _picture(url: str, found: dict[str, Path]) -> Path | None:
    last = unquote(urlsplit(url).path.rpartition("/")[2])
    digest = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    names = (digest, last, Path(last).stem)
    return next((found[name] for name in names if name in found), None)


def _records(
    src: Path, lists: _Lists, paths: dict[_Face, Path], names: dict[_Face, str], doubtful: set[str]
) -> Iterator[Record | Skipped]:
    missing: set[str] = set()
    for face, split in lists.faces.items():
        url = face[0]
        if face not in paths:
            if url not in missing:
                shared = "another address ends in the same name: name its picture by its SHA-1"
                yield Skipped(url, shared if url in doubtful else "no picture of this address")
            missing.add(url)
            continue
        try:
            left, right, top, bottom = map(float, face[1:])
            check_box((left, top, right, bottom))
        except ValueError as error:
            yield Skipped(names[face], f"no box: {error}")
            continue
        yield record(src, paths[face], names[face], labels={"split": split}, box=(left, top, right, bottom))
    yield from unlisted(src, set(paths.values()))


READER = Reader(read, recognises, LAYOUT)
