"""One face as a reader or a generator hands it over: the picture's bytes, its name and what is known of it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Label = str | float | tuple[float, ...]
# columns that are names or classes: texts even where they look like numbers, which float32 would round
TEXTS = frozenset(
    ("split", "fold", "subset", "series", "video", "expression", "identity", "gender", "ethnicity", "age_band", "pose")
)
TOLD_BY = ("identity", "video")  # what two pictures share that show one person: of a film the largest faces
PRESENT = 0.4  # intensity from which an action unit counts as shown: DISFA's rule of 2 in 5


@dataclass(frozen=True)
class Record:
    """A face before it is packed.

    Labels share one vocabulary in every set, so that any set's probe reads any other's faces:
    `split` (train, validation, test), `expression`, `identity`, `gender`, `ethnicity` (strings),
    `age` (years), `yaw`, `pitch`, `roll` (degrees), `au01` … `au45` (intensity 0 to 1, or 0 / 1;
    shown from PRESENT on), `landmarks` (x0, y0, x1, y1, … as fractions of the picture's width and height; NaN for a
    point not known),
    `pose` (a class of head pose), `subset` (the named part of a test split that a protocol reports by itself),
    `video` (the film a frame was cut from), `series` (which recording of a person), `level` (of an acted expression,
    0 to 4); an attribute such as `smile`, `glasses` or CelebA's forty is a column of its own name with yes or no;
    `fold` ("0", "1", … for sets measured by folds, which have no `split`), `votes` (annotators' counts),
    `valence`, `arousal` (-1 to 1), `age_band` (a range of years, such as 20-39), `peak` (yes or no: a sequence's
    strongest frame). A label that is not known is left out.
    """

    image: bytes  # JPEG, PNG or any format Pillow reads, as it came
    name: str  # unique within the set: the path below the source's root; PICTURE#2 for a picture's second face
    labels: Mapping[str, Label] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None  # left, top, right, bottom of the face, fractions


def numbered(pictures: Iterable[str]) -> list[str]:
    """Names of faces from the names of their pictures: the second face of a picture is PICTURE#2.

    Or the next number, where another picture has that very name.
    """
    pictures = list(pictures)
    taken, given = set(pictures), Counter[str]()
    names = []
    for picture in pictures:
        given[picture] += 1
        while given[picture] > 1 and f"{picture}#{given[picture]}" in taken:
            given[picture] += 1
        names.append(picture if given[picture] == 1 else f"{picture}#{given[picture]}")
    return names


def number_in_picture(name: str) -> str:
    """What `numbered` put behind a picture's name: '' or '#2', '#3', …"""
    found = re.search(r"#\d+$", name)
    return found.group() if found else ""
