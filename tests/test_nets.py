"""Encoders give maps of the promised shape; decoders start from vectors; synced batch norm is batch norm."""

from copy import deepcopy

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from vultus.evaluation.dictionary import PatchDictionary
from vultus.nets.batch_norm import SyncedBatchNorm, synchronise
from vultus.nets.decoders import DECODERS
from vultus.nets.encoders import build_encoder
from vultus.nets.heads import Prototypes
from vultus.nets.patches import PatchStem, PoolingBlock, learn_patches, patch_stems


@pytest.mark.parametrize(
    ("name", "size", "values"),
    [
        ("patches", 48, 2304),
        ("small", 48, 2304),
        ("attentive", 64, 2048),
        ("resnet18", 64, 2048),
        ("vit_tiny_patch16_224", 48, 1728),
    ],
)
def test_encoders_announce_their_map(name, size, values):
    encoder = build_encoder(name, size).eval()
    out = encoder(torch.rand(2, 3, size, size))
    assert out.shape == (2, encoder.channels, encoder.side, encoder.side)
    assert out[0].numel() == encoder.values == values


def test_transformer_maps_keep_the_place_of_their_patches():
    encoder = build_encoder("vit_tiny_patch16_224", 48).eval()
    # without attention a patch reaches its own place alone
    encoder.backbone.model.blocks = nn.Sequential()
    image = torch.rand(1, 3, 48, 48)
    other = image.clone()
    other[:, :, 16:32, 32:48] = 0
    changed = (encoder(image) - encoder(other)).abs().sum((0, 1)) > 1e-6
    assert changed.nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("name", "size", "hint"),
    [
        ("small", 50, "48"),
        ("resnet_of_mine", 64, "resnet"),
        ("eva02_tiny_patch14_224", 64, "cannot read pictures of 64 px .*: use 70"),
    ],
)
def test_wrong_encoders_are_explained(name, size, hint):
    with pytest.raises(ValueError, match=hint):
        build_encoder(name, size)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("size", [48, 64])
def test_decoders_draw_pictures_and_pass_gradients_to_their_code(name, size):
    code = torch.randn(2, 32, requires_grad=True)
    picture = DECODERS[name](32, size)(code)
    assert picture.shape == (2, 3, size, size)
    assert picture.min() >= 0 and picture.max() <= 1
    picture.square().mean().backward()
    assert (code.grad.abs().sum(1) > 0).all()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(8, 5), (4, 5, 3, 3)])
def test_synced_batch_norm_alone_is_batch_norm(shape, affine):
    torch.manual_seed(0)
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    plain, synced = kind(5, affine=affine), SyncedBatchNorm(5, affine=affine)
    for x in (torch.randn(shape) * 3 + 1, torch.randn(shape)):
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        out_a, out_b = plain(a), synced(b)
        torch.testing.assert_close(out_a, out_b, atol=1e-5, rtol=1e-4)
        out_a.pow(3).sum().backward()
        out_b.pow(3).sum().backward()
        torch.testing.assert_close(a.grad, b.grad, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(plain.running_var, synced.running_var)
    torch.testing.assert_close(plain.eval()(x), synced.eval()(x))


def test_synchronise_replaces_nested_norms_and_keeps_their_weights():
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)))
    module[1][0].weight.data.fill_(3.0)
    x = torch.rand(2, 3, 4, 4)
    before = module.eval()(x)
    synchronise(module)
    assert isinstance(module[1][0], SyncedBatchNorm)
    torch.testing.assert_close(before, module.eval()(x))


@pytest.mark.parametrize("training", [True, False])
def test_synchronise_keeps_the_activation_of_timms_norms(training):
    module = nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4, act_layer=nn.SiLU))
    module[1].weight.data.uniform_(-2, 2)
    twin = synchronise(deepcopy(module))
    assert isinstance(twin[1], SyncedBatchNorm)
    x = torch.randn(5, 3, 4, 4)
    torch.testing.assert_close(twin.train(training)(x), module.train(training)(x), atol=1e-5, rtol=1e-4)
    assert twin.state_dict().keys() == module.state_dict().keys()
    torch.testing.assert_close(twin[1].running_var, module[1].running_var)


def test_norms_that_cannot_be_synchronised_are_refused():
    with pytest.raises(ValueError, match="BatchNorm3d cannot share its statistics"):
        synchronise(nn.Sequential(nn.BatchNorm3d(2)))


def test_cosines_to_prototypes_have_all_their_digits_under_bf16():
    torch.manual_seed(0)
    prototypes, x = Prototypes(64, 16), torch.randn(8, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = prototypes(x)
    torch.testing.assert_close(rough, prototypes(x))


def faces_of_squares(count, size=48):
    """Coarse random squares: pictures whose patches have structure, uint8."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randint(0, 256, (count, 3, size // 4, size // 4), generator=generator, dtype=torch.uint8)
    return coarse.repeat_interleave(4, 2).repeat_interleave(4, 3)


def test_a_patch_stem_gives_the_responses_of_a_dictionary_with_its_atoms():
    faces = faces_of_squares(30)[:, :1].expand(-1, 3, -1, -1)  # grey: luminance needs no rounding
    dictionary = PatchDictionary(8, grid=43).fit(faces.numpy())  # a cell a response
    stem = PatchStem(8)
    stem.learn(faces)
    torch.testing.assert_close(stem.filters, dictionary.learned.filters, atol=1e-3, rtol=1e-3)
    dense = torch.from_numpy(dictionary.features(faces[:3].numpy())["dictionary"]).reshape(3, 16, 43, 43)
    pooled = stem((faces[:3] / 255 - 0.5) / 0.25)
    assert pooled.shape == (3, 16, 12, 12)
    # three rows are padded before the first patch: cell 1 averages the patches that begin at 1, 2, 3 and 4
    expected = torch.nn.functional.avg_pool2d(dense[:, :, 1:41, 1:41], 4)
    torch.testing.assert_close(pooled[:, :, 1:11, 1:11], expected, atol=5e-3, rtol=5e-3)


def test_a_pooling_block_adds_to_a_plain_pooling():
    block, x = PoolingBlock(6, 4).eval(), torch.randn(5, 6, 8, 8)
    torch.testing.assert_close(block(x) - block.body(x), torch.nn.functional.avg_pool2d(x, 2))
    assert block.body(x).abs().mean() > 0.01


def test_the_encoder_of_patches_trains_its_blocks_and_leaves_its_atoms():
    encoder = build_encoder("patches", 48)
    before = encoder.backbone[0].filters.clone()
    assert learn_patches(encoder, faces_of_squares(20))
    assert not torch.equal(before, encoder.backbone[0].filters)
    encoder(torch.rand(4, 3, 48, 48)).pow(3).mean().backward()
    assert {name for name, p in encoder.named_parameters() if p.grad is None} == set()
    assert "backbone.0.filters" in encoder.state_dict() and "backbone.0.filters" not in dict(encoder.named_parameters())
    assert not learn_patches(build_encoder("small", 48), faces_of_squares(2))


def test_a_transformer_of_patches_reads_any_whole_size_and_its_map_is_as_wide_as_the_others():
    torch.manual_seed(0)
    encoder = build_encoder("vit", 48)
    assert encoder.values == build_encoder("patches", 48).values == 2304
    for size in (48, 32, 16):
        read = encoder.read(torch.rand(2, 3, size, size))
        assert read["map"].shape == (2, 256 * (size // 16) ** 2)
        assert read["mean"].shape == read["class"].shape == (2, 256)
    pictures = torch.rand(2, 3, 48, 48)
    read = encoder.read(pictures)
    torch.testing.assert_close(encoder.summary(pictures), read["class"])
    torch.testing.assert_close(encoder.summary(pictures, "mean"), read["mean"])
    torch.testing.assert_close(encoder(pictures).flatten(1), encoder.read(pictures)["map"])


def test_a_register_is_no_class_token():
    encoder = build_encoder("vit_medium_patch16_reg4_gap_256", 32).eval()
    pictures = torch.rand(2, 3, 32, 32)
    assert not encoder.has_class and list(encoder.read(pictures)) == ["map", "mean"]
    torch.testing.assert_close(encoder.summary(pictures), encoder.read(pictures)["mean"], atol=1e-4, rtol=1e-3)
    assert list(build_encoder("vit_tiny_patch16_224", 32).read(pictures)) == ["map", "mean", "class"]


def test_places_of_a_transformer_tell_where_a_patch_lies():
    torch.manual_seed(0)
    encoder = build_encoder("vit", 48).eval()
    picture = torch.rand(1, 3, 16, 16).repeat(1, 1, 3, 3)
    tokens = encoder.backbone.tokens(picture)[0, 1:].unflatten(0, (6, 6))
    inner = tokens[2:4, 2:4], tokens[2:4, 4:6]
    assert not torch.allclose(*inner, atol=1e-3)
    encoder.backbone.places.data.zero_()
    tokens = encoder.backbone.tokens(torch.full((1, 3, 48, 48), 0.5))[0, 1:]
    torch.testing.assert_close(tokens, tokens[:1].expand_as(tokens), atol=1e-5, rtol=0)


def test_a_model_takes_its_atoms_once_and_a_copy_of_it_the_same():
    torch.manual_seed(0)
    model = torch.nn.ModuleList([build_encoder("vit", 32), build_encoder("patches", 32)])
    faces = torch.randint(0, 256, (400, 3, 32, 32), dtype=torch.uint8)
    assert learn_patches(model, faces)
    first, second = patch_stems(model)
    assert torch.equal(first.filters, second.filters) and torch.equal(first.offset, second.offset)
