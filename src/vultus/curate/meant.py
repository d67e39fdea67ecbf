"""Which of the faces that were found a label speaks of."""

from collections.abc import Sequence

import numpy as np

from vultus.curate.detect import Found
from vultus.curate.reference import Labelled, Photograph
from vultus.faces.decode import Box


def meant(found: Sequence[Found], boxes: Sequence[Box], height: int, width: int) -> list[int | None]:
    """For each box, in fractions of a picture height × width, the face that it means.

    It is the one whose middle is nearest to the box's, and within the box. Where two boxes are nearest to one face, it
    is the nearer box's, and the other means none.
    """
    chosen: list[int | None] = [None] * len(boxes)
    if not found:
        return chosen
    middles = np.array([face.points.mean(axis=0) for face in found])
    wishes = []
    for number, box in enumerate(boxes):
        left, top, right, bottom = np.multiply(box, (width, height, width, height))
        away = np.hypot(*(middles - ((left + right) / 2, (top + bottom) / 2)).T)
        nearest = int(away.argmin())
        x, y = middles[nearest]
        if left <= x <= right and top <= y <= bottom:
            wishes.append((float(away[nearest]), number, nearest))
    taken = set()
    for _, number, face in sorted(wishes):
        if face not in taken:
            chosen[number] = face
            taken.add(face)
    return chosen


def labelled(photograph: Photograph, found: Sequence[Found], height: int, width: int) -> dict[int, Labelled]:
    """What the source says of faces found in a photograph, largest first: by their places there, of those it knows."""
    if not photograph.boxed:
        return {0: photograph.known[0]} if found else {}
    boxes = [one.box for one in photograph.boxed if one.box]
    chosen = meant(found, boxes, height, width)
    return {face: one for face, one in zip(chosen, photograph.boxed, strict=True) if face is not None}
