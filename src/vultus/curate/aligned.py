"""Labelled faces turned upright and cut to a template, for sets whose protocol fixes which pictures there are.

No picture is dropped: where no face is found, or none that lies over the one that is labelled, it stays as it came.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from vultus.curate import align
from vultus.curate.detect import Detect, Detector, Found, Pixels
from vultus.curate.examine import JPEG_QUALITY, blue_first, encoded
from vultus.faces.card import Skipped
from vultus.faces.decode import UnreadableImageError, upright
from vultus.faces.record import Record

SCALES, SURE = (160, 640), 0.6  # the label says that there is a face: the detector may be less sure of it


def _detector() -> Detector:
    return Detector(SCALES, SURE)


@dataclass
class Aligner:
    """Call it on records: they come aligned. `notes` then tells of how many no face was found.

    template: of `align.TEMPLATES`; size: side of a crop, pixels; margin: further room on every side, in parts of the
    template's side, below 0 for less. Raises ValueError for what is out of range.
    """

    template: str
    size: int = 112
    margin: float = 0.0
    detect: Detect = field(default_factory=_detector)
    seen: int = field(default=0, init=False)
    left: int = field(default=0, init=False)  # as they came

    def __post_init__(self) -> None:
        if self.template not in align.TEMPLATES:
            raise ValueError(f"a template is one of {', '.join(align.TEMPLATES)}; got {self.template!r}")
        if self.size < 8:
            raise ValueError(f"the side of a crop is at least 8 pixels; got {self.size}")
        if not -0.4 <= self.margin <= 2:
            raise ValueError(f"a margin is a part of the template's side, -0.4 to 2; got {self.margin}")

    def __call__(self, records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
        cv2.setNumThreads(1)  # more threads than one only wait for each other on small pictures
        for one in records:
            yield one if isinstance(one, Skipped) else self._aligned(one)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the set's card should tell."""
        told = f"faces aligned to the template {self.template}, {self.size} px, margin {self.margin:g}"
        return (told, f"no face found in {self.left:,} of {self.seen:,} pictures: left as they came")

    def _aligned(self, record: Record) -> Record:
        self.seen += 1
        try:
            pixels = upright(record.image)
        except UnreadableImageError:
            return record  # whoever writes the set says why it cannot be
        found = meant(self.detect(blue_first(pixels)), record, pixels)
        try:
            fitted = None if found is None else align.fit(found.points)
        except ValueError:
            fitted = None
        if found is None or fitted is None:
            self.left += 1
            return record
        matrix = align.placed(found, fitted, self.template, self.size, self.margin)
        image = encoded(align.crop(pixels, matrix, self.size), JPEG_QUALITY)
        height, width = pixels.shape[:2]
        labels = align.carried(record.labels, matrix, width, height, self.size)
        return replace(record, image=image, labels=labels, box=None)


def meant(found: list[Found], record: Record, pixels: Pixels) -> Found | None:
    """The face that the record speaks of: the one whose middle is nearest to its box's, and within the box.

    A record without a box speaks of the face nearest to the picture's middle.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = np.multiply(record.box or (0.0, 0.0, 1.0, 1.0), (width, height, width, height))
    middle = (left + right) / 2, (top + bottom) / 2

    def away(face: Found) -> float:
        x, y = face.points.mean(axis=0)
        return float(np.hypot(x - middle[0], y - middle[1]))

    near = min(found, key=away, default=None)
    if near is None:
        return None
    x, y = near.points.mean(axis=0)
    return near if left <= x <= right and top <= y <= bottom else None
