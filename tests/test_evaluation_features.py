"""Features: computed once, cached whole or not at all; the classical descriptors; the patch dictionary."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.feature import hog as reference_hog

from vultus.evaluation.descriptors import Hog, Lbp, Pixels, grey
from vultus.evaluation.dictionary import PatchDictionary
from vultus.evaluation.embedding import embed
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.mirrored import Mirrored
from vultus.faces.faceset import FaceSet
from vultus.methods.model import random_model
from vultus.methods.simclr import SimCLRConfig
from vultus.nets import atoms


class Counting:
    """A model whose features are simple to foretell, and which counts the faces it reads."""

    name, size, sha256 = "counting", 16, "ab" * 32
    feature_names, default_feature = ("mean", "corner"), "mean"

    def __init__(self):
        self.seen = 0

    def features(self, images):
        self.seen += len(images)
        values = images.float()
        return {"mean": values.mean((2, 3)), "corner": values[:, :, :4, :4].flatten(1)}


@pytest.fixture
def faces(tiny_faces):
    return FaceSet.open(tiny_faces)


def test_embedding_keeps_every_face_in_its_row(faces):
    found = embed(Counting(), faces, batch=7)
    images = faces.images(np.arange(len(faces)), 16)
    np.testing.assert_allclose(found["mean"], images.mean((2, 3)), rtol=1e-5)
    assert found["corner"].shape == (len(faces), 48)


def test_a_cache_spares_the_encoder_and_is_kept_by_faces_and_weights(faces, tmp_path):
    model = Counting()
    first = embed(model, faces, cache=tmp_path)
    again = embed(model, faces, cache=tmp_path)
    assert model.seen == len(faces)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    only = embed(model, faces, feature="mean", cache=tmp_path)
    assert set(only) == {"mean"} == set(embed(Counting(), faces, feature="mean")) and model.seen == len(faces)
    part = embed(model, faces.take(np.arange(5, 25)), cache=tmp_path)
    np.testing.assert_array_equal(part["mean"], first["mean"][5:25])
    model.sha256 = "cd" * 32
    embed(model, faces, cache=tmp_path)
    assert model.seen == 2 * len(faces) + 20


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "contents"])
def test_a_damaged_cache_is_computed_anew(faces, tmp_path, damage):
    model = Counting()
    whole = {name: values.copy() for name, values in embed(model, faces, cache=tmp_path).items()}
    (path,) = tmp_path.glob("*/mean.npy")
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[:-20])
    elif damage == "flip":
        path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    elif damage == "missing":
        path.unlink()
    else:
        path.with_name("contents.json").write_text("{")
    again = embed(model, faces, cache=tmp_path)
    assert model.seen == 2 * len(faces)
    np.testing.assert_array_equal(again["mean"], whole["mean"])


def test_an_encoder_that_fails_half_way_leaves_no_cache(faces, tmp_path):
    class Failing(Counting):
        def features(self, images):
            if self.seen > 30:
                raise RuntimeError("out of memory")
            return super().features(images)

    with pytest.raises(RuntimeError, match="out of memory"):
        embed(Failing(), faces, batch=16, cache=tmp_path)
    assert not list(tmp_path.rglob("*.npy"))
    assert len(embed(Counting(), faces, cache=tmp_path)["mean"]) == len(faces)


def test_evaluate_reads_colour_from_colour_faces(faces):
    model = Counting()
    figures = evaluate(model, faces, "expression")
    assert {f.feature for f in figures} == {"mean", "corner"}
    mean = next(f for f in figures if f.feature == "mean" and f.metric == "accuracy")
    assert mean.value > 0.9 and mean.method == "counting" and mean.dim == 3
    assert model.seen == len(faces)
    with pytest.raises(ValueError, match="no feature 'F_s'; it has mean, corner"):
        evaluate(model, faces, "expression", feature="F_s")
    with pytest.raises(ValueError, match="needs column yaw"):
        evaluate(model, faces, "head_pose")


def some_faces(count=40, size=48, seed=0):
    """Smooth random faces, uint8 [N, 3, S, S]."""
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.random((count, 3, 9, 9), dtype=np.float32))
    large = torch.nn.functional.interpolate(small, size=(size, size), mode="bicubic").clamp(0, 1)
    return (large * 255).byte().numpy()


@pytest.mark.parametrize(("baseline", "width"), [(Pixels(), 2304), (Lbp(), 36 * 59), (Hog(), 900)])
def test_descriptors_have_their_dimension_and_an_identity(baseline, width):
    images = some_faces()
    values = baseline.features(torch.from_numpy(images))[baseline.name]
    assert values.shape == (40, width) and values.dtype == np.float32 and np.isfinite(values).all()
    np.testing.assert_array_equal(values[3:5], baseline.features(images[3:5])[baseline.name])
    assert baseline.sha256 != type(baseline)(size=32).sha256
    assert baseline.sha256 == type(baseline)().sha256


def test_standardised_pixels_do_not_see_brightness_and_contrast():
    images = np.repeat(some_faces(size=48)[:, :1], 3, axis=1)
    dimmer = (images * 0.5 + 20).astype(np.uint8)
    a, b = (Pixels().features(x)["pixels"] for x in (images, dimmer))
    assert np.abs(a - b).mean() < 0.02


def test_each_lbp_cell_is_a_histogram():
    cells = Lbp().features(some_faces(5))["lbp"].reshape(5, 36, 59)
    np.testing.assert_allclose(cells.sum(2), 1, rtol=1e-5)


def test_hog_orders_faces_as_scikit_images_does():
    images = some_faces(30)
    ours = Hog().features(images)["hog"]
    settings = {"orientations": 9, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2)}
    theirs = np.stack([reference_hog(face, **settings) for face in grey(images, 48)])
    near = [
        np.corrcoef(np.linalg.norm(x[:, None] - x[None], axis=2)[np.triu_indices(30, 1)], y)[0, 1]
        for x, y in [(ours, np.linalg.norm(theirs[:, None] - theirs[None], axis=2)[np.triu_indices(30, 1)])]
    ]
    assert near[0] > 0.8


def test_pictures_of_the_wrong_type_are_refused():
    with pytest.raises(ValueError, match=r"expected uint8 faces.*float32 of shape \(2, 3, 8, 8\)"):
        Hog().features(np.zeros((2, 3, 8, 8), np.float32))


def test_whitened_patches_have_nearly_unit_covariance():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.eye(36) + 0.1 * torch.randn(36, 36, generator=generator)
    patches = torch.randn(5000, 36, generator=generator) @ mixing
    white = (patches - patches.mean(0)) @ atoms.zca(patches, epsilon=1e-6)
    np.testing.assert_allclose(white.T.cov(), np.eye(36), atol=0.01)
    matrix = atoms.zca(patches)
    torch.testing.assert_close(matrix, matrix.T)


def test_kmeans_recovers_planted_directions():
    generator = torch.Generator().manual_seed(0)
    planted = torch.linalg.qr(torch.randn(36, 6, generator=generator))[0].T
    which = torch.randint(6, (6000,), generator=generator)
    amount = torch.randn(6000, 1, generator=generator).sign() * (1 + torch.rand(6000, 1, generator=generator))
    points = amount * planted[which] + 0.02 * torch.randn(6000, 36, generator=generator)
    found = atoms.spherical_kmeans(points, 12, 25, generator)  # spare atoms, as no start is perfect
    best = (planted @ found.T).abs().max(1).values
    assert (best > 0.97).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(12))


def normalised(patches):
    patches = patches.float()
    return (patches - patches.mean(1, keepdim=True)) / (patches.var(1, keepdim=True) + 10).sqrt()


def test_the_encoding_is_the_slow_definition():
    faces = some_faces(12)
    made = PatchDictionary(5, size=20, threshold=0.3).fit(faces, patches=3000)
    fast = made.features(faces[:2])["dictionary"]
    pictures = torch.from_numpy(grey(faces[:2], 20)).float()
    windows = pictures.unfold(1, 6, 1).unfold(2, 6, 1).reshape(2, 15 * 15, 36)
    generator = torch.Generator().manual_seed(0)  # as fit draws
    drawn = normalised(atoms.draw_patches(torch.from_numpy(grey(faces, 20)), 6, 3000, generator))
    mean, whitening = drawn.mean(0), atoms.zca(drawn)
    centroids = atoms.spherical_kmeans((drawn - mean) @ whitening, 5, 15, generator)
    slow = []
    for patches in windows:
        z = ((normalised(patches) - mean) @ whitening @ centroids.T).T.reshape(5, 15, 15)
        both = torch.cat([(z - 0.3).clamp(min=0), (-z - 0.3).clamp(min=0)])
        slow.append(torch.nn.functional.adaptive_avg_pool2d(both, 4).flatten())
    np.testing.assert_allclose(fast, torch.stack(slow).numpy(), atol=2e-4)


def test_a_patch_answers_in_the_cell_where_it_stands():
    made = PatchDictionary(8).fit(some_faces(60), patches=4000)
    plain = np.full((1, 3, 48, 48), 128, np.uint8)
    marked = plain.copy()
    marked[:, :, 2:8, 38:44] = some_faces(1, size=6)  # top right
    change = np.abs(made.features(marked)["dictionary"] - made.features(plain)["dictionary"])
    cells = change.reshape(16, 4, 4).sum(0)
    assert cells[0, 3] > 0 and cells[2:].sum() == 0 and cells[:, :2].sum() == 0


def test_the_dictionary_must_be_fitted_and_is_known_by_its_atoms():
    images = some_faces(20)
    with pytest.raises(ValueError, match="call fit"):
        PatchDictionary(4).features(images)
    a, b, c = (PatchDictionary(4, seed=s).fit(images, patches=500) for s in (0, 0, 1))
    assert a.sha256 == b.sha256 != c.sha256
    assert a.features(images)["dictionary"].shape == (20, 2 * 4 * 16)
    with pytest.raises(ValueError, match="cannot make"):
        PatchDictionary(400).fit(images, patches=100)


@pytest.mark.parametrize("kind", ["tensor", "array", "pictures"])
def test_a_face_and_its_mirror_image_read_alike_with_mirrored(kind):
    hog, images = Hog(), np.random.default_rng(0).integers(0, 255, (2, 3, 48, 48), dtype=np.uint8)
    if kind == "pictures":
        model = random_model(SimCLRConfig(encoder="small"), 48, torch.from_numpy(images).repeat(4, 1, 1, 1))
        straight, turned = (
            [Image.fromarray(i.transpose(1, 2, 0)) for i in seen] for seen in (images, images[..., ::-1])
        )
    else:
        model, give = hog, torch.from_numpy if kind == "tensor" else np.asarray
        straight, turned = (give(np.ascontiguousarray(seen)) for seen in (images, images[..., ::-1]))
    plain, name = model.features(straight), model.default_feature
    read = [Mirrored(model).features(seen)[f"{name} mirrored"].numpy() for seen in (straight, turned)]
    np.testing.assert_allclose(read[0], read[1], atol=1e-5)
    both = (np.asarray(plain[name]) + np.asarray(model.features(turned)[name])) / 2
    np.testing.assert_allclose(read[0], both, atol=1e-5)
    assert not np.allclose(read[0], np.asarray(plain[name]), atol=1e-3)
