"""Copies are found whatever was done to them, and other pictures of the same person are none."""

import io

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from curate_pictures import rendered
from vultus.curate.duplicates import find, leaks
from vultus.faces import decode


class Pictures:
    """Faces by their files' bytes."""

    def __init__(self, files):
        self.files = list(files)

    def __len__(self):
        return len(self.files)

    def image_bytes(self, index):
        return self.files[index]

    def images(self, indices, size):
        out = np.empty((len(indices), 3, size, size), np.uint8)
        for place, index in enumerate(indices):
            decode.face(self.files[int(index)], None, size, out[place])
        return out


def packed(pixels, quality=92):
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=quality, colorsubsampling="444")


CHANGES = {
    "compressed": lambda p: packed(p, 35),
    "smaller": lambda p: packed(cv2.resize(p, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)),
    "larger": lambda p: packed(cv2.resize(p, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC)),
    "cut": lambda p: packed(p[3 : 3 + round(0.95 * len(p)), 2 : 2 + round(0.95 * len(p))]),
    "brighter": lambda p: packed(np.clip(p * 1.18, 0, 255).astype(np.uint8)),
    "darker": lambda p: packed((p * 0.84).astype(np.uint8)),
    "mirrored": lambda p: packed(p[:, ::-1]),
}


def people():
    """Rendered faces, pixels [120, 120, 3]: several of most people."""
    return [np.asarray(Image.open(io.BytesIO(one.image)).convert("RGB")) for one in rendered(40)]


def test_every_planted_copy_is_found_and_no_other_face():
    own = people()
    files, origin = [packed(p, 95) for p in own], list(range(len(own)))
    for number, pixels in enumerate(own[:20]):
        for change in CHANGES.values():
            files.append(change(pixels))
            origin.append(number)
    found = find(Pictures(files), np.arange(len(files), 0, -1.0))
    origin = np.array(origin)
    told = {(int(min(group)), int(row)) for group in found.groups for row in group if row != min(group)}
    true = {(int(origin[row]), row) for row in range(len(own), len(files))}
    assert len(told & true) / len(true) >= 0.98
    assert len(told & true) / len(told) >= 0.98
    assert not found.equal.any()


def test_the_best_of_a_group_stays_and_equal_bytes_are_told_apart():
    first, second, *_ = people()
    files = [packed(first, 95), packed(first, 40), packed(second), packed(second)]
    found = find(Pictures(files), np.array([0.2, 0.9, 0.5, 0.5]))
    assert found.kept.tolist() == [1, 1, 2, 2]
    assert found.equal.tolist() == [False, False, False, True]
    assert [group.tolist() for group in found.groups] == [[1, 0], [2, 3]]


def test_threads_and_nothing_to_find_change_nothing():
    pictures = Pictures([packed(p) for p in people()[:12]])
    one, two = (find(pictures, threads=threads) for threads in (1, 2))
    assert one.kept.tolist() == two.kept.tolist() == list(range(12))
    assert len(find(Pictures([])).kept) == 0


@pytest.mark.parametrize("change", ["compressed", "mirrored", "same"])
def test_faces_of_an_evaluation_set_are_found_in_another(change):
    own = people()
    test = Pictures([packed(p) for p in own[:10]])
    made = packed(own[4]) if change == "same" else CHANGES[change](own[4])
    found = leaks(Pictures([*(packed(p) for p in own[20:30]), made]), test)
    assert (found.rows.tolist(), found.found.tolist()) == ([10], [4])
