"""Saving and loading a representation."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import vultus
from vultus.methods.catalogue import build_method
from vultus.methods.model import random_model, save_model
from vultus.methods.simclr import SimCLRConfig


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    config = SimCLRConfig(hidden=8, projection=8)
    method = build_method(config, 32)
    save_model(method, config, 32, tmp_path / "run")
    return tmp_path / "run", method


def test_two_lines_give_the_features_of_the_saved_method(saved):
    folder, method = saved
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    model = vultus.load(folder)
    z = model.embed(images)
    with torch.no_grad():
        expected = method.eval().features(torch.from_numpy(images) / 255)["encoder"]
    assert z.dtype == torch.float32 and z.shape == (3, 1024)
    assert torch.nn.functional.cosine_similarity(z, expected).min() > 0.999  # bf16 where the machine has it


def test_paths_and_pictures_of_any_size_are_taken(saved, tmp_path):
    model = vultus.load(saved[0])
    picture = Image.new("L", (50, 70), 90)
    picture.save(tmp_path / "a.png")
    a, b = model.embed([tmp_path / "a.png", picture])
    assert torch.equal(a, b)


def test_damaged_weights_are_refused(saved):
    path = saved[0] / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="SHA-256"):
        vultus.load(saved[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "simclr2"}, r"run holds a model of simclr2 that .* cannot build: .* the method itself"),
        ({"config": {"hidden": 8, "projection": 8, "heat": 1}}, r"run holds a model of simclr .* does not know heat"),
        ({"config": {"hidden": 9, "projection": 8}}, r"weights in .*run do not fit .* size mismatch"),
    ],
)
def test_a_model_of_another_version_is_told_as_such(saved, change, message):
    path = saved[0] / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=message + r".*read it with the version that trained it"):
        vultus.load(saved[0])


def test_a_folder_without_a_model_says_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json and model\.safetensors"):
        vultus.load(tmp_path)


@pytest.mark.parametrize(
    "images", [torch.rand(2, 3, 8, 8), torch.zeros(3, 8, 8, dtype=torch.uint8), np.zeros((2, 8, 8, 3), np.uint8)]
)
def test_wrong_arrays_are_explained(saved, images):
    with pytest.raises(ValueError, match=r"uint8 pictures of shape \(B, 3, H, W\)"):
        vultus.load(saved[0]).embed(images)


def test_config_json_says_what_the_model_is(saved):
    card = json.loads((saved[0] / "config.json").read_text())
    assert (card["method"], card["size"], card["config"]["hidden"]) == ("simclr", 32, 8)


def test_random_models_are_a_function_of_their_seed():
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    a, b, c = (random_model(SimCLRConfig(), 32, images, seed=seed).embed(images) for seed in (0, 0, 1))
    assert torch.equal(a, b) and not torch.allclose(a, c)


def test_untrained_models_know_the_statistics_of_faces_and_on_demand_their_atoms():
    images = torch.randint(0, 100, (64, 3, 32, 32), dtype=torch.uint8)
    plain = random_model(SimCLRConfig(encoder="small"), 32, images)
    with torch.no_grad():
        stem = torch.nn.Sequential(*list(plain.method.encoder.backbone)[:2])((images / 255 - 0.5) / 0.25)
    torch.testing.assert_close(stem.mean((0, 2, 3)), torch.zeros(32), atol=1e-3, rtol=0)
    torch.testing.assert_close(stem.std((0, 2, 3)), torch.ones(32), atol=2e-2, rtol=0)
    random, untrained = (random_model(SimCLRConfig(), 32, images, atoms=atoms) for atoms in (False, True))
    assert (random.name, untrained.name) == ("random", "untrained") and random.sha256 != untrained.sha256
    assert not torch.allclose(random.embed(images), untrained.embed(images))
