"""BP4D-Spontaneous (Zhang et al., 2014): 41 subjects in eight tasks, action units coded where each task moved most.

Read are the twelve units of the protocol, 1 where present and 0 where not; 9, not coded, is left out. The protocol
has three folds by subject; the data set does not say which, so the sorted subjects are dealt in turn. Pictures show
head and shoulders; the published landmarks are Matlab files that differ between releases and are not read.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import (
    LayoutError,
    Reader,
    Reading,
    differences,
    name_of,
    pictures,
    record,
    subfolders,
    subject_folds,
)
from vultus.faces.readers.video import check_every
from vultus.faces.record import Label, Record

UNITS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
FOLDS = 3
PUBLISHED = {"subjects": 41, "sequences": 328, "coded frames": 146_847}
GENDERS = {"F": "female", "M": "male"}
_PICTURES = ("2D+3D", "Sequences(2D+3D)", "")
_CODES = ("AUCoding/AU_OCC", "AUCoding", "AU_OCC")
_TABLE = re.compile(r"([FM]\d{3})_(T\d)(?:_AU_OCC)?", re.IGNORECASE)
_SUBJECT = re.compile(r"[FM]\d{3}")
_VALUES = {"0": 0.0, "1": 1.0}
_UNKNOWN = "9"
LAYOUT = """    SOURCE/2D+3D/F001/T1/0001.jpg           subject, task, frame; also Sequences(2D+3D), or SOURCE/F001
    SOURCE/AUCoding/AU_OCC/F001_T1.csv      also F001_T1_AU_OCC.csv: a frame a line, its number first;
                                            the first line names the units, as 1,2,4,… or AU1,AU2,…"""


@dataclass(frozen=True)
class _Sequence:
    """One subject in one task."""

    subject: str
    task: str
    pictures: Mapping[int, Path]  # by the frame's number
    codes: Sequence[tuple[int, Mapping[str, float]]]  # of the coded frames: number, units


def read(src: Path, every: int = 1) -> Reading:
    """Read the coded frames of BP4D, of each sequence one in `every`; the gender is in the subject's letter."""
    check_every(every)
    root, tables = _root(src), _tables(src)
    if root is None or not tables:
        raise LayoutError(src, LAYOUT, "no folder of a subject such as F001, or no table such as F001_T1.csv")
    found, skipped = _sequences(src, root, tables)
    coded = sum(len(one.codes) for one in found)
    counts = {"subjects": len({one.subject for one in found}), "sequences": len(found), "coded frames": coded}
    uncoded = sum(len(one.pictures) for one in found) - coded
    told = (f"about {uncoded:,} frames left out: they are not among the coded ones",) if uncoded > 0 else ()
    return Reading(
        records=_records(src, found, skipped, every),
        source="BP4D-Spontaneous (Zhang et al., BP4D-Spontaneous: a high-resolution 3D dynamic database, 2014)",
        licence="research only, non-commercial: the terms of BP4D-Spontaneous",
        count=sum(len(one.codes[::every]) for one in found),
        notes=(*differences(counts, PUBLISHED), *told),
    )


def recognises(src: Path) -> bool:
    """A subject's folder and a table of codes."""
    return src.is_dir() and bool(_tables(src)) and _root(src) is not None


def _root(src: Path) -> Path | None:
    roots = (src / name for name in _PICTURES if (src / name).is_dir())
    return next((root for root in roots if any(map(_SUBJECT.fullmatch, subfolders(root)))), None)


def _tables(src: Path) -> dict[tuple[str, str], Path]:
    """The table of each subject and task."""
    for name in _CODES:
        paths = sorted((src / name).glob("*.csv"))
        found = {(m[1].upper(), m[2].upper()): path for path in paths if (m := _TABLE.fullmatch(path.stem))}
        if found:
            return found
    return {}


def _sequences(src: Path, root: Path, tables: Mapping[tuple[str, str], Path]) -> tuple[list[_Sequence], list[Skipped]]:
    found, skipped = [], []
    folders = [(s, t) for s in subfolders(root) if _SUBJECT.fullmatch(s) for t in subfolders(root / s)]
    for subject, task in folders:
        if (subject, task) not in tables:
            skipped.append(Skipped(f"{subject}/{task}", "no table of action units for it"))
            continue
        numbered = {}
        for one in pictures(root / subject / task):
            if isinstance(one, Path) and one.stem.isdecimal():
                numbered[int(one.stem)] = one
            else:
                told = one if isinstance(one, Skipped) else Skipped(name_of(src, one), "not named by a frame's number")
                skipped.append(told)
        codes, faulty = _codes(tables[subject, task])
        skipped += faulty
        found.append(_Sequence(subject, task, numbered, codes))
    orphans = sorted(set(tables) - set(folders))
    skipped += [Skipped(tables[key].name, f"no pictures in {'/'.join(key)}") for key in orphans]
    return found, skipped


def _codes(table: Path) -> tuple[list[tuple[int, Mapping[str, float]]], list[Skipped]]:
    """Frames and their units in the table's order, and the rows that cannot be read."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        lines = [[cell.strip() for cell in line] for line in csv.reader(file) if any(line)]
    head = [cell.upper().removeprefix("AU") for cell in lines[0]] if lines else []
    places = {unit: head.index(str(unit), 1) for unit in UNITS if str(unit) in head[1:]}
    if not places:
        return [], [Skipped(table.name, f"its first line names none of the units {', '.join(map(str, UNITS))}")]
    found: list[tuple[int, Mapping[str, float]]] = []
    faulty, seen = [], set()
    for number, line in enumerate(lines[1:], start=2):
        cells = {unit: line[place] if place < len(line) else "" for unit, place in places.items()}
        if not line[0].isdecimal() or not set(cells.values()) <= {*_VALUES, _UNKNOWN}:
            faulty.append(Skipped(table.name, f"row {number}: a frame's number, then 0, 1 or 9 for each unit expected"))
        elif int(line[0]) in seen:
            faulty.append(Skipped(table.name, f"row {number}: frame {line[0]} a second time"))
        else:
            seen.add(int(line[0]))
            units = {f"au{unit:02d}": _VALUES[cell] for unit, cell in cells.items() if cell != _UNKNOWN}
            found.append((int(line[0]), units))
    return found, faulty


def _records(
    src: Path, found: Sequence[_Sequence], skipped: Sequence[Skipped], every: int
) -> Iterator[Record | Skipped]:
    folds = subject_folds((one.subject for one in found), FOLDS)
    for sequence in found:
        subject = sequence.subject
        person: dict[str, Label] = {"identity": subject, "fold": folds[subject], "gender": GENDERS[subject[0]]}
        for number, units in sequence.codes[::every]:
            picture = sequence.pictures.get(number)
            if picture is None:
                yield Skipped(f"{subject}/{sequence.task} frame {number}", "it is coded, and there is no such picture")
            else:
                yield record(src, picture, labels={**person, **units})
    yield from skipped


READER = Reader(read, recognises, LAYOUT)
