"""Labelled pictures aligned on their way into a face set: which face, where it comes to lie, what stays as it was."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from curate_pictures import jpeg, photograph
from vultus.curate import align
from vultus.curate.aligned import Aligner
from vultus.curate.detect import Found
from vultus.faces.card import Skipped
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack
from vultus.faces.record import Record

PIXELS = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
POINTS = np.array([[50, 30], [70, 34], [59, 44], [50, 55], [66, 58]], np.float32)  # turned and far from square


def found(points=POINTS, score=0.9):
    return Found((*points.min(0), *points.max(0)), points, score)


def record(**changes):
    labels = {"identity": "a", "split": "test", "roll": 7.0, "landmarks": tuple((POINTS / (120, 90)).ravel().tolist())}
    return replace(Record(jpeg(PIXELS), "a.jpg", labels, (0.25, 0.2, 0.75, 0.8)), **changes)


def aligner(*faces, template="ffhq", size=64, margin=0.0):
    return Aligner(template, size, margin, detect=lambda pixels: list(faces))


def test_labelled_points_come_to_lie_where_the_template_has_them():
    (out,) = aligner(found())([record()])
    assert Image.open(io.BytesIO(out.image)).size == (64, 64)
    x, y, side = align.TEMPLATES["ffhq"]
    wanted = (align.ARCFACE - (x, y)) / side + 0.5
    got = np.reshape(out.labels["landmarks"], (5, 2))
    # a similarity cannot bring five points of another shape onto the template's, but it can bring their middle there
    np.testing.assert_allclose(got.mean(0), wanted.mean(0), atol=1e-6)
    assert np.abs(got - wanted).max() < 0.08
    assert out.box is None and out.name == "a.jpg"
    assert {k: v for k, v in out.labels.items() if k != "landmarks"} == {"identity": "a", "split": "test"}


def test_a_picture_without_a_face_stays_as_it_came_and_is_counted():
    change = aligner()
    assert list(change([record(), record(name="b.jpg")])) == [record(), record(name="b.jpg")]
    assert change.notes[-1] == "no face found in 2 of 2 pictures: left as they came"


def test_points_that_coincide_are_no_face():
    change = aligner(found(np.full((5, 2), 60, np.float32)))
    assert list(change([record()])) == [record()] and change.left == 1


def test_the_face_over_the_label_is_meant():
    other = found(np.add(POINTS, (40, 25)))  # nearer to the lower right, outside of the box
    (alone,) = aligner(found())([record()])
    (both,) = aligner(other, found())([record()])
    assert both == alone
    assert list(aligner(other)([record()])) == [record()]
    (whole,) = aligner(other)([record(box=None)])  # nothing says that it is not the one
    assert whole.image != record().image


def test_what_is_no_picture_goes_on_to_who_tells_of_it():
    bad, skipped = record(image=b"no picture"), Skipped("c.jpg", "gone")
    assert list(aligner(found())([bad, skipped])) == [bad, skipped]


@pytest.mark.parametrize(
    ("asked", "message"),
    [(("box",), "arcface, loose, ffhq"), (("ffhq", 0), "at least 8 pixels"), (("ffhq", 64, -0.5), "-0.4 to 2")],
)
def test_mistakes_are_told_before_anything_is_read(asked, message):
    with pytest.raises(ValueError, match=message):
        Aligner(*asked)


def test_a_margin_below_0_brings_the_face_nearer():
    def spread(margin):
        (out,) = aligner(found(), margin=margin)([record()])
        return np.ptp(np.reshape(out.labels["landmarks"], (5, 2)), axis=0)

    np.testing.assert_allclose(spread(-0.05) * 0.9, spread(0.0), rtol=1e-6)


def test_a_turned_picture_gives_the_upright_crop():
    smooth = np.asarray(Image.fromarray(PIXELS).resize((12, 9)).resize((120, 90), Image.Resampling.BICUBIC))
    turned = np.asarray(Image.fromarray(smooth).rotate(25, Image.Resampling.BICUBIC, expand=True))
    turn = np.array(
        [[np.cos(np.radians(25)), np.sin(np.radians(25))], [-np.sin(np.radians(25)), np.cos(np.radians(25))]]
    )
    there = (POINTS - (60, 45)) @ turn.T + np.array(turned.shape[1::-1]) / 2
    crops = []
    for pixels, points in ((smooth, POINTS), (turned, there)):
        (out,) = aligner(found(points.astype(np.float32)), template="arcface")([record(image=jpeg(pixels), box=None)])
        crops.append(np.asarray(Image.open(io.BytesIO(out.image)), np.float64))
    middle = np.s_[12:-12, 12:-12]  # further out the turned picture has corners of its own
    assert np.abs(crops[0][middle] - crops[1][middle]).mean() < 4


def test_pack_aligns_what_yunet_finds_and_says_what_it_left(tmp_path):
    (tmp_path / "src").mkdir()
    Image.fromarray(photograph(0)).save(tmp_path / "src" / "a.png")
    Image.fromarray(PIXELS).save(tmp_path / "src" / "b.png")
    made = pack(tmp_path / "src", tmp_path / "set", reader="folder", change=Aligner("arcface", 64), progress=False)
    assert made.card.notes[-1] == "no face found in 1 of 2 pictures: left as they came"
    aligned, left = (Image.open(io.BytesIO(FaceSet.open(tmp_path / "set").image_bytes(row))) for row in (0, 1))
    assert aligned.size == (64, 64) and left.size == (120, 90)
