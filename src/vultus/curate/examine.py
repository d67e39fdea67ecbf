"""One photograph: read, detect, align, judge."""

import faulthandler
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from vultus.curate import align
from vultus.curate.bounded import UnreadableError
from vultus.curate.candidate import Candidate, Rejected
from vultus.curate.config import CurateConfig
from vultus.curate.detect import Detect, Detector, Found, Pixels
from vultus.curate.hashes import hashes
from vultus.curate.judge import fault_of, judge
from vultus.curate.meant import labelled
from vultus.curate.photographs import approached, open_photograph
from vultus.curate.reference import Labelled, Photograph, Reference
from vultus.faces.decode import UnreadableImageError, upright

JPEG_QUALITY = 95  # of a crop: above it the file grows and the face does not
THUMB, THUMB_QUALITY = 96, 80  # of a photograph that has no crop to show


class Examiner:
    """Photographs one after the other. `detect` stands for YuNet where it is given."""

    def __init__(self, settings: CurateConfig, detect: Detect | None = None) -> None:
        cv2.setNumThreads(1)  # a process a core does more than threads on small pictures
        self._settings = settings
        every_face = settings.faces == "all"
        self._detect = detect or Detector(settings.scales, settings.min_score, every_face)

    def __call__(self, reference: Reference) -> list[Candidate | Rejected]:
        """The photograph's faces, largest first; or why there is none. Ends the process when it takes too long.

        How long the way to a frame of a film is depends on where the process began: each of its steps may take as long.
        """
        with _limited(self._settings.seconds) as begin_again:
            try:
                for _ in approached(reference):
                    begin_again()
                photograph = open_photograph(reference)
                pixels = upright(photograph.data)
            except (UnreadableError, UnreadableImageError) as error:
                return [Rejected(reference.name, "read", _reason(error), str(error))]
            return list(self._faces(photograph, pixels))

    def _faces(self, photograph: Photograph, pixels: Pixels) -> Iterator[Candidate | Rejected]:
        answers = self._detect(blue_first(pixels))
        sure = [face for face in answers if face.score >= self._settings.min_score]
        if not sure:
            reason = "doubtful face" if answers else "no face"
            detail = f"score {max(face.score for face in answers):.2f}" if answers else ""
            yield from (Rejected(one.name, "detect", reason, detail, _thumb(pixels)) for one in photograph.known)
            return
        known = labelled(photograph, sure, *pixels.shape[:2])
        others = (Labelled(f"{photograph.name}#{number}") for number in count(photograph.numbered + 1))
        for number, face in enumerate(sure):
            one = known.get(number) or next(others)
            if number in known or self._settings.faces == "all":
                yield self._face(photograph.data, pixels, one, face)
            else:
                yield Rejected(one.name, "detect", f"not the {'labelled' if photograph.boxed else 'largest'} face")
        for one in photograph.known:
            if one not in known.values():
                yield Rejected(one.name, "detect", "no face in its box", image=_thumb(pixels))

    def _face(self, data: bytes, pixels: Pixels, known: Labelled, face: Found) -> Candidate | Rejected:
        """A face of the photograph `data`, by the name and with the labels that are known of it."""
        settings, name = self._settings, known.name
        try:
            fitted = align.fit(face.points)
        except ValueError as error:
            return Rejected(name, "detect", "doubtful face", str(error), _thumb(pixels))
        matrix = align.placed(face, fitted, settings.template, settings.size, settings.margin)
        crop = align.crop(pixels, matrix, settings.size)
        judged = judge(pixels, face, fitted)
        image = encoded(crop, JPEG_QUALITY)
        if reason := fault_of(judged, settings):
            return Rejected(name, "judge", reason, image=image, judgement=judged)
        high, wide = pixels.shape[:2]
        colour = crop if crop.ndim == 3 else np.repeat(crop[..., None], 3, axis=2)
        plain, mirrored = hashes(np.ascontiguousarray(colour.transpose(2, 0, 1)[None]))[0]
        return Candidate(
            name=name,
            image=image,
            box=face.box,
            points=tuple(map(float, face.points.ravel())),
            judgement=judged,
            sha256=sha256(data).digest(),
            phash=int(plain),
            mirrored=int(mirrored),
            labels=align.carried(known.labels, matrix, wide, high, settings.size, settings.template != align.BOX),
        )


def blue_first(pixels: Pixels) -> Pixels:
    """A decoded picture, [H, W, 3] or [H, W], as OpenCV's detector takes it: [H, W, 3]."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR if pixels.ndim == 2 else cv2.COLOR_RGB2BGR), np.uint8)


def _reason(error: Exception) -> str:
    """Of an unreadable photograph in few words: what stands before the particulars."""
    return str(error).partition(":")[0].partition(" (")[0]


def _thumb(pixels: Pixels) -> bytes:
    scale = THUMB / max(pixels.shape[:2])
    if scale < 1:
        size = tuple(max(round(side * scale), 1) for side in pixels.shape[1::-1])
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encoded(pixels, THUMB_QUALITY)


def encoded(pixels: Pixels, quality: int) -> bytes:
    """JPEG of uint8 [H, W, 3] or, kept grey, [H, W]; colour at full resolution where the quality is above 90."""
    plain = np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None])
    space = "RGB" if pixels.ndim == 3 else "GRAY"
    chroma = "444" if quality > 90 else "420"
    data: bytes = simplejpeg.encode_jpeg(plain, quality, space, "Gray" if space == "GRAY" else chroma)
    return data


@contextmanager
def _limited(seconds: float) -> Iterator[Callable[[], None]]:
    """End the process if this takes longer, wherever it hangs: a decoder does not listen to signals.

    Calling what it gives begins the time anew.
    """
    with Path(os.devnull).open("w") as nowhere:

        def begin() -> None:
            faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)

        begin()
        try:
            yield begin
        finally:
            faulthandler.cancel_dump_traceback_later()
