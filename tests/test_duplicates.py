"""Copies are found whatever was done to them, and other pictures of the same person are none."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from curate_pictures import rendered
from vultus.curate import duplicates
from vultus.curate.duplicates import find, leaks
from vultus.curate.hashes import distances, hashes, near
from vultus.faces import decode
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack


class Pictures:
    """Faces by their files' bytes."""

    def __init__(self, files):
        self.files = list(files)

    def __len__(self):
        return len(self.files)

    def image_bytes(self, index):
        return self.files[index]

    def images(self, indices, size):
        return decode.faces([self.files[int(index)] for index in indices], size)


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


def test_the_hash_of_a_mirror_image_is_known_from_the_picture():
    faces = np.stack([p.transpose(2, 0, 1) for p in people()[:12]])
    straight, turned = hashes(faces), hashes(np.ascontiguousarray(faces[..., ::-1]))
    assert distances(straight[:, 1], turned[:, 0]).max() <= 2
    assert distances(straight[:, 0], turned[:, 0]).min() > 8


@pytest.mark.parametrize("most", [0, 4, 5])
def test_hashes_are_searched_without_missing_one(most):
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**63, 400).astype(np.uint64)
    queries = base[:200].copy()
    for row in range(200):  # flip 0 to 7 bits, wherever they stand
        for bit in rng.permutation(64)[: row % 8]:
            queries[row] ^= np.uint64(1) << np.uint64(bit)
    every = np.unpackbits((queries[:, None] ^ base).view(np.uint8).reshape(200, 400, 8), axis=2).sum(2)
    np.testing.assert_array_equal(near(queries, base, most), np.argwhere(every <= most))
    with pytest.raises(ValueError, match="0 to 5 bits"):
        near(queries, base, 6)


@pytest.mark.parametrize(("quality", "kept"), [([3, 2, 1], [0, 0, 2]), ([1, 3, 2], [1, 1, 1]), ([1, 2, 3], [0, 2, 2])])
def test_frames_that_differ_more_and_more_do_not_pull_each_other_in(monkeypatch, quality, kept):
    """Three grey pictures of which neighbours pass for copies: all are kept or dropped by the best alone."""
    files = [packed(np.full((32, 32, 3), grey, np.uint8)) for grey in (100, 110, 120)]
    pairs = np.array([(0, 1, 0), (0, 2, 0), (1, 2, 0)])
    monkeypatch.setattr(duplicates, "by_hash", lambda queries, base, most: pairs)
    monkeypatch.setattr(duplicates, "agreement", lambda a, b: float(abs(a.mean() - b.mean()) < 15))
    assert find(Pictures(files), np.array(quality)).kept.tolist() == kept


def test_copies_on_real_faces(tmp_path):
    """2,000 faces of LFW, four or more of every person; 286 of them seven times more."""
    source = Path(os.environ.get("VULTUS_DATA", "")) / "lfw"
    if "VULTUS_DATA" not in os.environ or not source.is_dir():
        pytest.skip("needs the folder lfw in the folder that VULTUS_DATA names")
    faces = FaceSet.open(pack(source, tmp_path / "lfw", progress=False).path)
    _, person, count = np.unique(faces.labels("identity"), return_inverse=True, return_counts=True)
    rows = np.flatnonzero(count[person] > 3)[:2000]
    own = [faces.images([row], 64)[0].transpose(1, 2, 0) for row in rows.tolist()]
    files, origin = [packed(pixels, 95) for pixels in own], list(range(len(own)))
    for number in range(0, 2000, 7):
        files += [change(own[number]) for change in CHANGES.values()]
        origin += [number] * len(CHANGES)
    found, true = find(Pictures(files), np.arange(len(files), 0, -1.0)), np.array(origin)
    copies = np.arange(len(own), len(files))
    right = found.kept[copies] == true[copies]
    assert right.mean() >= 0.98
    assert (true[found.kept] == true).mean() >= 0.98
    assert (found.kept[: len(own)] != np.arange(len(own))).sum() < 10  # LFW's own copies, some of which are known
