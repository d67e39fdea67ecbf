"""CK+ (Lucey et al., 2010): posed expressions from neutral to their peak, seven expressions, FACS codes.

Two layouts: the published one (593 sequences of 123 subjects), and the common copy of 981 cropped faces, which are
the last three frames of the 327 sequences that have an expression. In both the last frame of a sequence is its peak;
`peak` says whether a picture is that, and only the peak has action units, since the codes describe it: 1 for a coded
unit, 0 for any other. The grades A to E are not read: they are missing for many units. The expression belongs to
the last three frames. `fold` is one of ten by subject; nobody is in two.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vultus.faces.card import Skipped
from vultus.faces.decode import Box
from vultus.faces.readers import ckplus_sequences
from vultus.faces.readers.boxes import marked, side_of
from vultus.faces.readers.ckplus_sequences import Found, Sequence
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, record, subject_folds
from vultus.faces.record import Label, Record

FOLDS = 10
PUBLISHED = {"sequences": 593, "subjects": 123, "sequences with an expression": 327}
PUBLISHED_CROPS = {"pictures": 981, "sequences": 327, "subjects": 118}
_EXPRESSIVE = 3  # frames at the end of a sequence that show its expression
_POINTS = 68
_MARGIN = 0.2  # the points run along jaw and brows
LAYOUT = """    SOURCE/anger/S010_004_00000019.png            folders anger, contempt, …, surprise: cropped faces
    SOURCE/action_units.csv                       optional: video,subject,emotion,combination,AU1,…
  or as published:
    SOURCE/cohn-kanade-images/S005/001/S005_001_00000011.png
    SOURCE/Emotion/S005/001/S005_001_00000011_emotion.txt
    SOURCE/FACS/S005/001/S005_001_00000011_facs.txt
    SOURCE/Landmarks/S005/001/S005_001_00000011_landmarks.txt    (each part also one folder deeper)"""


def read(src: Path, frames: int = _EXPRESSIVE) -> Reading:
    """Read CK+ in either layout; of each sequence the last `frames` pictures, or with 0 all."""
    if frames < 0:
        raise ValueError(f"frames is how many of a sequence's last pictures are kept, 0 for all; got {frames}")
    if ckplus_sequences.images(src) is not None:
        found, published = ckplus_sequences.published(src), PUBLISHED
    elif ckplus_sequences.folders(src):
        found, published = ckplus_sequences.crops(src), PUBLISHED_CROPS
    else:
        raise LayoutError(src, LAYOUT, "neither of the two layouts")
    return Reading(
        records=_records(src, found, frames),
        source="CK+ (Lucey et al., The Extended Cohn-Kanade Dataset, 2010)",
        licence="research only, non-commercial: the terms of the Cohn-Kanade database",
        count=sum(len(one.pictures[-frames:]) for one in found.sequences),
        notes=_notes(found, published),
    )


def recognises(src: Path) -> bool:
    """The published folder of pictures, or folders of emotions whose pictures are named as frames of CK+."""
    return ckplus_sequences.images(src) is not None or ckplus_sequences.are_crops(src)


def _notes(found: Found, published: Mapping[str, int]) -> tuple[str, ...]:
    sequences = found.sequences
    counts = {
        "pictures": sum(len(one.pictures) for one in sequences),
        "sequences": len(sequences),
        "subjects": len({one.subject for one in sequences}),
        "sequences with an expression": sum(bool(one.expression) for one in sequences),
    }
    uncoded = sum(one.units is None for one in sequences)
    told = (f"{uncoded:,} of {len(sequences):,} sequences have no action units",) if uncoded else ()
    return (*differences({name: counts[name] for name in published}, published), *told)


def _records(src: Path, found: Found, frames: int) -> Iterator[Record | Skipped]:
    folds = subject_folds((one.subject for one in found.sequences), FOLDS)
    for sequence in found.sequences:
        expressive = sequence.pictures[-_EXPRESSIVE:]
        for picture in sequence.pictures[-frames:]:
            labels = _labels(sequence, picture, folds[sequence.subject], picture in expressive)
            try:
                shape, box = _shape(found.landmarks, picture)
            except (OSError, ValueError) as error:
                yield Skipped(name_of(src, picture), f"its landmarks cannot be read: {error}")
                continue
            yield record(src, picture, labels=labels | shape, box=box)
    yield from found.skipped


def _labels(sequence: Sequence, picture: Path, fold: str, expressive: bool) -> dict[str, Label]:
    peak = picture.stem == sequence.peak
    labels: dict[str, Label] = {"identity": sequence.subject, "fold": fold, "peak": "yes" if peak else "no"}
    if expressive and sequence.expression:
        labels["expression"] = sequence.expression
    if peak and sequence.units is not None:
        labels |= {f"au{unit:02d}": present for unit, present in sequence.units.items()}
    return labels


def _shape(folder: Path | None, picture: Path) -> tuple[dict[str, Label], Box | None]:
    """Landmarks and box of a published frame; nothing where the source has no landmarks at all."""
    if folder is None:
        return {}, None
    name = Path(*picture.parts[-3:-1], f"{picture.stem}_landmarks.txt")
    words = (folder / name).read_text(encoding="utf-8").split()
    points, side = np.array(words, np.float64), side_of(picture)
    if points.size != 2 * _POINTS:
        raise ValueError(f"{name.name}: {_POINTS} lines of x and y expected, got {points.size} numbers")
    landmarks, box = marked(points.reshape(-1, 2), side, _MARGIN)
    return {"landmarks": landmarks}, box


READER = Reader(read, recognises, LAYOUT)
