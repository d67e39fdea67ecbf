"""One face as a reader or a generator hands it over: the picture's bytes, its name and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Label = str | float | tuple[float, ...]


@dataclass(frozen=True)
class Record:
    """A face before it is packed.

    Labels share one vocabulary in every set, so that any set's probe reads any other's faces:
    `split` (train, validation, test), `expression`, `identity`, `gender`, `ethnicity` (strings),
    `age` (years), `yaw`, `pitch`, `roll` (degrees), `au01` … `au45` (intensity 0 to 1, or 0 / 1),
    `landmarks` (x0, y0, x1, y1, … as fractions of the picture's width and height).
    A label that is not known is left out.
    """

    image: bytes  # JPEG, PNG or any format Pillow reads, as it came
    name: str  # unique within the set: the path below the source's root
    labels: Mapping[str, Label] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None  # left, top, right, bottom of the face, fractions
