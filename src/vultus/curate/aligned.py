"""Labelled faces turned upright and cut to a template, for sets whose protocol fixes which pictures there are.

No picture is dropped: where no face is found, or none that lies over the one that is labelled, it stays as it came.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2

from vultus.curate import align
from vultus.curate.detect import Detect, Detector
from vultus.curate.examine import JPEG_QUALITY, blue_first, encoded
from vultus.curate.meant import meant
from vultus.faces.card import Skipped
from vultus.faces.decode import WHOLE, UnreadableImageError, upright
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
        height, width = pixels.shape[:2]
        faces = self.detect(blue_first(pixels))
        (number,) = meant(faces, [record.box or WHOLE], height, width)  # without a box: the one in the middle
        found = None if number is None else faces[number]
        try:
            fitted = None if found is None else align.fit(found.points)
        except ValueError:
            fitted = None
        if found is None or fitted is None:
            self.left += 1
            return record
        matrix = align.placed(found, fitted, self.template, self.size, self.margin)
        image = encoded(align.crop(pixels, matrix, self.size), JPEG_QUALITY)
        labels = align.carried(record.labels, matrix, width, height, self.size)
        return replace(record, image=image, labels=labels, box=None)
