"""`stages`: every map of the encoder that is read, and of no other copy of it."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F

from vultus.evaluation.measure import measure
from vultus.evaluation.mirrored import reader
from vultus.evaluation.parquet import embed_to_parquet
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.stages import Staged
from vultus.faces.faceset import FaceSet
from vultus.methods.byol import BYOLConfig
from vultus.methods.catalogue import METHODS
from vultus.methods.model import random_model
from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.methods.splitbrain import SplitBrainConfig
from vultus.nets.precision import autocast
from vultus.recipes import recipe
from vultus.search.face_index import index_faces
from vultus.training.run import pretrain

FACES = torch.randint(0, 256, (16, 3, 48, 48), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
SIDES = (4, 6, 3)  # of 48 px: the dictionary's as its baseline has them, the others' own
VALUES = 256 * sum(side**2 for side in SIDES)


def untrained(config):
    return random_model(config, 48, FACES)


def test_stages_are_the_maps_at_their_places():
    model = untrained(SimCLRConfig())
    found = Staged(model).features(FACES)["stages"]
    stem, norm, *blocks = model.method.encoder.backbone
    with torch.inference_mode(), autocast("cpu"):
        x = norm(stem((FACES / 255 - 0.5) / 0.25))
        maps = [x]
        for place, block in enumerate(blocks):
            x = block(x)
            maps += [x] if place in (2, 4) else []
    sides = zip(maps, SIDES, strict=True)
    expected = [m.float().unflatten(2, (s, -1)).unflatten(4, (s, -1)).mean((3, 5)).flatten(1) for m, s in sides]
    torch.testing.assert_close(found, torch.cat(expected, 1), atol=0.02, rtol=0.02)
    assert found.shape == (16, VALUES) and found.dtype == torch.float32


@pytest.mark.parametrize("name", [n for n in METHODS if n not in ("dino", "pros", "splitbrain", "supervised")])
def test_the_last_stage_is_the_map_that_the_method_reads(name):
    """Of momentum copies and target networks only the one that is read runs, so no other map is recorded."""
    model = untrained(recipe(f"{name}-cpu").method)
    with torch.no_grad():  # a copy that were read by mistake would tell
        for parameter in model.method.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    read = model.features(FACES)
    own = read.get("encoder", read.get("shared"))
    torch.testing.assert_close(Staged(model).features(FACES)["stages"][:, -own.shape[1] :], own)


def test_of_larger_faces_no_map_is_read_at_more_than_six_places_a_side():
    model = random_model(SimCLRConfig(), 112, torch.randint(0, 256, (16, 3, 112, 112), dtype=torch.uint8))
    assert Staged(model).embed(FACES[:2].repeat(1, 1, 3, 3)[:, :, :112, :112]).shape == (2, (16 + 36 + 36) * 256)


def test_both_encoders_of_splitbrain_are_read():
    assert Staged(untrained(SplitBrainConfig())).embed(FACES).shape == (16, 2 * VALUES)


def test_nothing_is_recorded_afterwards_even_if_reading_fails():
    model = untrained(BYOLConfig())
    staged = Staged(model)
    staged.features(FACES)
    with pytest.raises(FileNotFoundError):
        staged.features(["no picture.jpg"])
    assert not any(module._forward_hooks for module in model.method.modules())


def test_an_encoder_without_stages_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="needs the encoder patches"):
        Staged(random_model(SimCLRConfig(encoder="small"), 48, FACES))


def test_with_mirror_images_it_is_the_mean_of_both():
    model = untrained(PCLConfig())
    one, other = (Staged(model).features(seen)["stages"] for seen in (FACES, FACES.flip(-1)))
    both = reader(model, True, "stages").features(FACES)
    assert list(both) == ["stages mirrored"]
    torch.testing.assert_close(both["stages mirrored"], (one + other) / 2)
    assert F.cosine_similarity(one, other).max() < 0.999


def test_evaluate_embed_and_search_take_the_name(tiny_faces, tmp_path):
    run = tmp_path / "run"
    pretrain(replace(recipe("simclr-cpu"), size=32, batch=16, epochs=0.5), tiny_faces, run)
    beside = ("pixels", "random")
    figures = measure(run, tiny_faces, "expression", feature="stages", protocol=Protocol("knn"), baselines=beside)
    wide = {f.method: (f.feature, f.dim) for f in figures}
    assert wide == {
        "simclr": ("stages", (16 + 16 + 4) * 256),
        "random": ("stages", (16 + 16 + 4) * 256),
        "pixels": ("pixels", 32 * 32),
    }
    made = embed_to_parquet(run, tiny_faces, tmp_path / "f.parquet", "stages")
    assert made.features == ("stages",)
    assert pq.read_schema(tmp_path / "f.parquet").field("stages").type.list_size == (16 + 16 + 4) * 256
    index = index_faces(tiny_faces, run, tmp_path / "index", feature="stages")
    (answer,) = index.query([FaceSet.open(tiny_faces).image_bytes(3)], k=2)
    assert answer.matches[0].row == 3
