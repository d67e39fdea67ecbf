"""Videos: one frame in so many, as a photograph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2

from vultus.curate import places
from vultus.curate.bounded import UnreadableError, check_plain
from vultus.curate.reference import Reference
from vultus.faces.readers.video import check_every
from vultus.faces.record import Label

STEP = 16  # frames passed at once: few enough for a large picture and a slow disk
SUFFIXES = frozenset((".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"))


@dataclass
class _Reel:
    """An open video. Frames are counted from its start, since players disagree on what a seek finds."""

    capture: cv2.VideoCapture
    passed: int = 0  # frames
    ended: bool = False  # it shows no frame any more, not even the last one


def entries(path: str, name: str, every: int) -> Iterator[Reference]:
    """Frames 1, 1 + every, …, named VIDEO/FRAME. Raises UnreadableError."""
    check_every(every)
    for number in range(1, _count(path) + 1, every):
        yield Reference(f"{name}/{number:08d}", "video", path, str(number))


def opened(reference: Reference) -> tuple[bytes, Mapping[str, Label]]:
    """A frame, without loss, and which video shows it. Raises UnreadableError."""
    for _ in wound(reference):
        pass
    read, pixels = _reel(reference.path).capture.retrieve()
    if not read:
        raise UnreadableError("the frame cannot be decoded")
    return cv2.imencode(".bmp", pixels)[1].tobytes(), {"video": reference.name.rpartition("/")[0]}


def wound(reference: Reference) -> Iterator[None]:
    """Wind to a frame, so that `opened` finds it next; a step of a few frames each time. Raises UnreadableError.

    The way may be long, where a process begins in the middle of a film: so it is gone in steps.
    """
    number = int(reference.key)
    reel = _reel(reference.path)
    if reel.passed > number or (reel.passed == number and reel.ended):
        _reel.cache_clear()
        reel = _reel(reference.path)
    while reel.passed < number:
        for _ in range(min(STEP, number - reel.passed)):
            reel.ended = reel.ended or not reel.capture.grab()
            if reel.ended:
                raise UnreadableError(f"the video ends before frame {number:,}")
            reel.passed += 1
        yield


def _count(path: str) -> int:
    """Frames, as the file says, or counted where it does not say."""
    capture = _reel(path).capture
    said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if said > 0:
        return said
    counted = 0
    while capture.grab():
        counted += 1
    _reel.cache_clear()
    return counted


@lru_cache(maxsize=1)
def _reel(path: str) -> _Reel:
    if places.is_address(path):
        raise UnreadableError("a video is read from a disk of this machine only: copy it")
    try:
        check_plain(path)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from error
    capture = cv2.VideoCapture(str(Path(path)))
    if not capture.isOpened():
        raise UnreadableError("OpenCV cannot open it: no video, or a codec it lacks")
    return _Reel(capture)
