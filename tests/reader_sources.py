"""Miniature sources in a data set's layout, and what became of them."""

from pathlib import Path

import numpy as np

from faces_pictures import jpeg
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import PackResult, pack

# 68 points on a ring about the middle of a picture of 40 × 20 pixels, 4 pixels wide and high; as a label; their box
_TURN = np.linspace(0, 2 * np.pi, 68, endpoint=False)
RING = np.stack([20 + 2 * np.cos(_TURN), 10 + 2 * np.sin(_TURN)])
RING_LABEL = (RING.T / [40, 20]).ravel()
RING_BOX = [17.2 / 40, 7.2 / 20, 22.8 / 40, 12.8 / 20]  # with a margin of 0.2 × 4 pixels


def put(root: Path, *paths: str, width: int = 16, height: int = 16) -> Path:
    """Different small pictures at these paths."""
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(jpeg(number, height, width))
    return root


def put_wide(root: Path, *paths: str) -> Path:
    """Pictures of 40 × 20 pixels."""
    return put(root, *paths, width=40, height=20)


def text(path: Path, *lines: str) -> Path:
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def packed(src: Path, **options: object) -> tuple[PackResult, FaceSet]:
    out = src.parent / f"{src.name}-set"
    result = pack(src, out, progress=False, **options)
    return result, FaceSet.open(out)


def column(found: FaceSet, label: str) -> dict[str, object]:
    """A label by the name of the face."""
    return dict(zip(found.names.tolist(), found.labels(label).tolist(), strict=True))


def skips(result: PackResult) -> dict[str, str]:
    """The reasons of what was left out, by name."""
    return {one.name: one.reason for one in result.card.skipped}
