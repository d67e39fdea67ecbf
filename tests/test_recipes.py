"""Recipes of papers: pooled maps before projectors, the authors' optimisers, features of a readable width."""

from dataclasses import replace

import pytest
import torch

from vultus.methods.byol import BYOLConfig
from vultus.methods.catalogue import build_method
from vultus.methods.contrawarping import ContraWarpingConfig
from vultus.methods.dino import DINOConfig
from vultus.methods.moco import MoCoConfig
from vultus.methods.pros import ProSConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.recipes import RECIPES, recipe
from vultus.training.optimisers import build_optimiser

POOLED = ("byol", "moco", "simclr", "contrawarping")
CONFIGS = (BYOLConfig, MoCoConfig, SimCLRConfig, ContraWarpingConfig)


@pytest.mark.parametrize("name", POOLED)
def test_projectors_of_papers_read_the_pooled_map(name):
    run = recipe(f"{name}-paper")
    with torch.device("meta"):
        method = build_method(run.method, run.size)
        features = method.features(torch.zeros(2, 3, run.size, run.size))
    heads = {
        "byol": "online.projector",
        "moco": "query.projector",
        "simclr": "head",
        "contrawarping": "online.projector",
    }
    width = 512 if run.method.encoder == "resnet18" else 2048
    assert method.get_submodule(heads[name])[0].in_features == width
    assert features[method.default_feature].shape == (2, width)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("encoder", ["small", "vit"])
def test_a_pooled_feature_is_the_mean_over_the_places_of_the_map(kind, encoder):
    made = []
    for pool in ("map", "mean"):
        torch.manual_seed(0)
        made.append(build_method(kind(encoder=encoder, pool=pool, hidden=8, projection=8), 32).eval())
    whole, pooled = (method.features(torch.full((2, 3, 32, 32), 0.3))["encoder"] for method in made)
    assert whole.shape == (2, 4 * 256)
    torch.testing.assert_close(pooled, whole.unflatten(1, (256, 4)).mean(2), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("read", ["map", "mean", "class"])
@pytest.mark.parametrize("config", [DINOConfig(outputs=16), ProSConfig(prototypes=16)])
def test_self_distillation_gives_the_feature_that_is_asked_for(config, read):
    method = build_method(replace(config, read=read), 32)
    assert method.default_feature == read and read in method.features(torch.rand(2, 3, 32, 32))


@pytest.mark.parametrize("name", ["dino-paper", "pros-paper"])
def test_at_many_places_the_mean_is_read(name):
    assert recipe(name).method.read == "mean"


@pytest.mark.parametrize("kind", [DINOConfig, ProSConfig])
def test_a_class_token_that_is_not_there_cannot_be_read(kind):
    with pytest.raises(ValueError, match="no class token to read: choose read map or mean"):
        build_method(kind(encoder="small", read="class"), 32)


@pytest.mark.parametrize("kind", [DINOConfig, ProSConfig])
def test_an_encoder_that_cannot_read_small_crops_is_refused_when_the_method_is_built(kind):
    name = "cait_xxs24_224"  # places for one size alone
    with pytest.raises(ValueError, match=r"views of 32 px, which encoder 'cait_xxs24_224' for 64 px .*small_views 0"):
        build_method(kind(encoder=name), 64)
    assert build_method(kind(encoder=name, small_views=0), 64).student.encoder.training


def test_a_student_without_class_token_may_miss_patches():
    torch.manual_seed(0)
    method = build_method(ProSConfig(encoder="vit_tiny_patch16_224", prototypes=16, small_views=0), 64)
    gap = build_method(ProSConfig(encoder="vit_medium_patch16_gap_240", drop=0.25, prototypes=16, small_views=1), 64)
    pictures = torch.rand(2, 3, 64, 64)
    assert method.student(pictures).shape == gap.student(pictures).shape == (2, 16)


@pytest.mark.parametrize(
    ("name", "kind", "settings", "batch"),
    [
        ("fabnet-paper", torch.optim.SGD, {"lr": 1e-4, "momentum": 0.9}, 128),
        ("tcae-paper", torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}, 64),
        ("facecycle-paper", torch.optim.Adam, {"lr": 5e-5, "betas": (0.5, 0.999)}, 16),
        ("deformae-paper", torch.optim.Adam, {"lr": 2e-4, "betas": (0.5, 0.999)}, 100),
    ],
)
def test_methods_that_draw_have_their_authors_optimiser(name, kind, settings, batch):
    run = recipe(name)
    with torch.device("meta"):
        method = build_method(run.method, run.size)  # the decoders take the size
    optimiser = build_optimiser(method, run)
    assert type(optimiser) is kind and run.batch == batch
    for group in optimiser.param_groups:
        assert group["weight_decay"] == 0 and {key: group[key] for key in settings} == settings


def test_the_weights_of_tcae_are_those_of_its_paper():
    run = recipe("tcae-paper")
    with torch.device("meta"):
        weights = build_method(run.method, run.size).weights
    assert dict(weights) == {"reconstruction": 10.0, "cycle": 1.0, "consistency": 1.0, "sparsity": 0.1}


def test_every_recipe_is_told_in_one_line_and_fits_its_method():
    for name, make in RECIPES.items():
        assert (make.__doc__ or "").splitlines()[0].endswith("."), name
        assert type(make().method).__name__.lower().startswith(name.partition("-")[0])
