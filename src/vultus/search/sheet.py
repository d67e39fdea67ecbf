"""Answers as a contact sheet: each picture asked with, and beside it the faces that were found."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.report.letters import letters
from vultus.search.answers import Answer, Match

SIDE = 112  # pixels of a face
COLUMNS = 10  # faces in a row, before it goes on below
GAP, ASIDE = 10, 26  # pixels between faces, and between a picture and what it found
MARGIN = 16
LETTERS, LINE = 11, 15  # pixels
PAPER, INK, SOFT, MARK = (252, 251, 248), (31, 30, 27), (106, 101, 91), (42, 95, 149)


def contact_sheet(answers: Sequence[Answer], queries: NDArray[np.uint8], faces: FaceSet) -> Image.Image:
    """One band for each answer; queries: uint8 [Q, 3, S, S], the pictures asked with; faces: the set that was searched.

    Under each face stand its similarity, its name and its labels.
    """
    labels = max((len(match.labels) for answer in answers for match in answer.matches), default=0)
    high = SIDE + (2 + labels) * LINE + GAP
    most = max((len(answer.matches) for answer in answers), default=0)
    bands = [-(-max(len(answer.matches), 1) // COLUMNS) for answer in answers]
    wide = 2 * MARGIN + SIDE + ASIDE + min(most, COLUMNS) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", (wide, 2 * MARGIN + sum(bands) * high + (len(bands) - 1) * GAP), PAPER)
    draw, top = ImageDraw.Draw(sheet), MARGIN
    for answer, query, band in zip(answers, queries, bands, strict=True):
        _face(sheet, query, MARGIN, top)
        draw.rectangle((MARGIN - 3, top - 3, MARGIN + SIDE + 2, top + SIDE + 2), outline=MARK, width=2)
        _line(draw, Path(answer.query).name, MARGIN, top + SIDE + 4, INK)
        found = faces.images([match.row for match in answer.matches], SIDE)
        for number, (match, face) in enumerate(zip(answer.matches, found, strict=True)):
            left = MARGIN + SIDE + ASIDE + number % COLUMNS * (SIDE + GAP)
            at = top + number // COLUMNS * high
            _face(sheet, face, left, at)
            _caption(draw, match, left, at + SIDE + 4)
        top += band * high + GAP
    return sheet


def write_sheet(answers: Sequence[Answer], queries: NDArray[np.uint8], faces: FaceSet, path: Path) -> None:
    """Write the contact sheet as PNG."""
    out = io.BytesIO()
    contact_sheet(answers, queries, faces).save(out, "PNG")
    write_atomic(path, out.getvalue())


def _face(sheet: Image.Image, face: NDArray[np.uint8], left: int, top: int) -> None:
    tile = Image.fromarray(np.ascontiguousarray(face.transpose(1, 2, 0)))
    sheet.paste(tile if tile.width == SIDE else tile.resize((SIDE, SIDE), Image.Resampling.BICUBIC), (left, top))


def _caption(draw: ImageDraw.ImageDraw, match: Match, left: int, top: int) -> None:
    _line(draw, f"{match.similarity:.3f}", left, top, INK)
    _line(draw, Path(match.name).name, left, top + LINE, SOFT)
    for number, (name, value) in enumerate(match.labels.items(), 2):
        _line(draw, _told(name, value), left, top + number * LINE, SOFT)


def _told(name: str, value: str) -> str:
    """A label as its caption: text as it is, a number behind its name."""
    try:
        return f"{name} {float(value):.3g}"
    except ValueError:
        return value or f"{name} –"


def _line(draw: ImageDraw.ImageDraw, text: str, left: int, top: int, colour: tuple[int, int, int]) -> None:
    """Text no wider than a face: what is cut off is its middle, for names differ at their ends."""
    shown, keep = text, len(text)
    while keep > 2 and draw.textlength(shown, letters(LETTERS)) > SIDE:
        keep -= 1
        shown = f"{text[: keep // 2]}…{text[-(keep - keep // 2) :]}"
    draw.text((left, top), shown, colour, letters(LETTERS))
