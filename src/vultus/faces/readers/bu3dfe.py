"""BU-3DFE (Yin et al., 2006): 100 people, six expressions at four levels and a neutral face, and renderings of them."""

import re
from collections.abc import Iterator
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
    subject_folds,
)
from vultus.faces.record import Label, Record

PUBLISHED = 2_500  # the pictures F2D
FOLDS = 10
EXPRESSIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
ETHNICITIES = {
    "AE": "asian",
    "AM": "middle eastern",
    "BL": "black",
    "IN": "indian",
    "LA": "latino",
    "WH": "white",
}
GENDERS = {"F": "female", "M": "male"}
_NAME = re.compile(r"(([FM])\d{4})_([A-Z]{2})0([0-4])([A-Z]{2})_(F2D|F3D)(?:_(.+))?")
_YAW = re.compile(r"(?:yaw)?_?([+-]?\d{1,2})", re.IGNORECASE)
LAYOUT = """    SOURCE/F0001/F0001_AN01WH_F2D.bmp         gender and subject, expression (AN DI FE HA NE SA SU), level,
                                              ethnicity (AE AM BL IN LA WH)
    SOURCE/F0001/F0001_AN01WH_F3D_VIEW.png    renderings of the model F3D: VIEW is the class of the head's pose,
                                              such as left, or its yaw in degrees, such as -30 or yaw-30"""


def read(src: Path) -> Reading:
    """Read BU-3DFE: ten folds by subject, no split.

    A view behind the name is the label `pose`; where it is a number of degrees, it is `yaw` too. A bare F3D.bmp is
    the model's texture, not a picture of a face, and left out.
    """
    found = list(pictures(src)) if src.is_dir() else []
    names = [one.stem for one in found if isinstance(one, Path)]
    subjects = [match.group(1) for match in map(_NAME.fullmatch, names) if match]
    if not subjects:
        raise LayoutError(src, LAYOUT, "no picture with such a name")
    flat = sum(name.endswith("_F2D") for name in names)
    return Reading(
        records=_records(src, found, subject_folds(subjects, FOLDS)),
        source="BU-3DFE (Yin et al., A 3D Facial Expression Database For Facial Behavior Research, 2006)",
        licence="research only, non-commercial: the agreement of Binghamton University",
        count=len(found),
        notes=differences({"pictures F2D": flat}, {"pictures F2D": PUBLISHED}),
    )


def recognises(src: Path) -> bool:
    """Most of the first pictures are named so."""
    if not src.is_dir():
        return False
    first = [one.stem for one, _ in zip(pictures(src), range(20), strict=False) if isinstance(one, Path)]
    return sum(bool(_NAME.fullmatch(name)) for name in first) > len(first) / 2


def _records(src: Path, found: list[Path | Skipped], folds: dict[str, str]) -> Iterator[Record | Skipped]:
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        try:
            labels = _labels(one)
        except ValueError as error:
            yield Skipped(name_of(src, one), str(error))
        else:
            yield record(src, one, labels=labels | {"fold": folds[str(labels["identity"])]})


def _labels(path: Path) -> dict[str, Label]:
    match = _NAME.fullmatch(path.stem)
    if not match:
        raise ValueError("its name is not SUBJECT_EXPRESSION, LEVEL and ETHNICITY_F2D or F3D")
    subject, gender, expression, level, ethnicity, kind, view = match.groups()
    if expression not in EXPRESSIONS or ethnicity not in ETHNICITIES:
        raise ValueError(f"expression {expression} and ethnicity {ethnicity} are not both among the set's codes")
    if kind == "F3D" and view is None and path.suffix.lower() == ".bmp":
        raise ValueError("the texture of a model, not a picture of a face")
    labels: dict[str, Label] = {
        "identity": subject,
        "gender": GENDERS[gender],
        "expression": EXPRESSIONS[expression],
        "level": float(level),
        "ethnicity": ETHNICITIES[ethnicity],
    }
    if view is not None:
        labels["pose"] = view
        if degrees := _YAW.fullmatch(view):
            labels["yaw"] = float(degrees.group(1))
    return labels


READER = Reader(read, recognises, LAYOUT)
