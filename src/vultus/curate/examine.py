"""One photograph: read, detect, align, judge."""

import faulthandler
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
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
from vultus.curate.photographs import Photograph, open_photograph
from vultus.curate.reference import Reference
from vultus.faces.decode import UnreadableImageError, upright
from vultus.faces.record import Label, numbered

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
        """The photograph's faces, largest first; or why there is none. Ends the process when it takes too long."""
        with _limited(self._settings.seconds):
            try:
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
            yield Rejected(photograph.name, "detect", reason, detail, _thumb(pixels))
            return
        names = numbered([photograph.name] * len(sure))
        for number, (name, face) in enumerate(zip(names, sure, strict=True)):
            if number and self._settings.faces == "largest":
                yield Rejected(name, "detect", "not the largest face")
            else:
                yield self._face(photograph, pixels, name, face, {} if number else photograph.labels)

    def _face(
        self, photograph: Photograph, pixels: Pixels, name: str, face: Found, labels: Mapping[str, Label]
    ) -> Candidate | Rejected:
        """labels: of the photograph, which speak of its largest face."""
        settings = self._settings
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
            sha256=sha256(photograph.data).digest(),
            phash=int(plain),
            mirrored=int(mirrored),
            labels=align.carried(labels, matrix, wide, high, settings.size, settings.template != align.BOX),
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
def _limited(seconds: float) -> Iterator[None]:
    """End the process if this takes longer, wherever it hangs: a decoder does not listen to signals."""
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
