"""UTKFace (Zhang et al., 2017): age, gender and ethnicity in the file's name."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

PUBLISHED = {"pictures": 23_708}  # aligned and cropped
GENDERS = ("male", "female")
ETHNICITIES = ("white", "black", "asian", "indian", "other")
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d{6,}\D")
_BROKEN = re.compile(r"\d{1,3}_[0-4]_+\d{6,}\D")  # one of the three labels is lost, and which is not known
LAYOUT = """    SOURCE/26_0_1_20170116174525125.jpg    AGE_GENDER_RACE_DATE, also in folders and as .jpg.chip.jpg"""


def read(src: Path) -> Reading:
    """Read UTKFace. It has no official split: a hash of the name cuts it into 80 / 10 / 10 per cent.

    Pictures whose name lacks a label are kept with their split alone.
    """
    found = list(pictures(src)) if src.is_dir() else []
    broken = [one for one in found if isinstance(one, Path) and not _NAME.match(one.name)]
    if len(broken) == len(found):
        raise LayoutError(src, LAYOUT, "no picture with such a name")
    notes = differences({"pictures": sum(isinstance(one, Path) for one in found)}, PUBLISHED)
    if broken:
        notes = (*notes, f"{len(broken)} pictures without labels: their names are not AGE_GENDER_RACE_DATE")
    return Reading(
        records=_records(src, found),
        source="UTKFace (Zhang et al., Age Progression/Regression by Conditional Adversarial Autoencoder, 2017)",
        licence="research only, non-commercial: the terms of UTKFace",
        count=len(found),
        notes=notes,
    )


def recognises(src: Path) -> bool:
    """Most of the first pictures are named so."""
    if not src.is_dir():
        return False
    first = [one.name for one, _ in zip(pictures(src), range(20), strict=False) if isinstance(one, Path)]
    return sum(bool(_NAME.match(name) or _BROKEN.match(name)) for name in first) > len(first) / 2


def _records(src: Path, found: list[Path | Skipped]) -> Iterator[Record | Skipped]:
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        labels: dict[str, Label] = {"split": _split(name_of(src, one))}
        if match := _NAME.match(one.name):
            age, gender, ethnicity = (int(word) for word in match.groups())
            labels |= {"age": float(age), "gender": GENDERS[gender], "ethnicity": ETHNICITIES[ethnicity]}
        yield record(src, one, labels=labels)


def _split(name: str) -> str:
    tenth = int.from_bytes(hashlib.sha256(name.rsplit("/", 1)[-1].encode()).digest()[:8], "big") % 10
    return "test" if tenth == 0 else "validation" if tenth == 1 else "train"


READER = Reader(read, recognises, LAYOUT)
