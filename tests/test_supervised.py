"""Supervised references: what counts as a shown unit, and how far apart a margin can push two faces."""

import pytest
import torch
import torch.nn.functional as F

from vultus.evaluation.protocol import Protocol
from vultus.faces.record import PRESENT
from vultus.methods import margins
from vultus.methods.supervised import Supervised, SupervisedConfig


def test_a_unit_is_learned_from_the_intensity_from_which_it_is_measured():
    logits = torch.tensor([[2.0, 2.0, 2.0]])
    target = torch.tensor([[PRESENT, PRESENT - 0.01, float("nan")]])
    yes, no = F.softplus(-logits[0, 0]), F.softplus(logits[0, 0])
    assert margins.binary_loss(logits, target).item() == pytest.approx(((yes + no) / 2).item(), rel=1e-5)
    assert Protocol().present == PRESENT == 0.4


@pytest.mark.parametrize("loss", ["arcface", "sphereface"])
def test_faces_under_a_margin_may_lie_more_than_a_right_angle_apart(loss):
    torch.manual_seed(0)
    config = SupervisedConfig(encoder="small", target="identity", loss=loss, outputs=tuple("abcdefgh"))
    method = Supervised(config, 32).eval()
    found = method.features(torch.rand(64, 3, 32, 32))["embedding"]
    torch.testing.assert_close(found.norm(dim=1), torch.ones(64))
    assert found.min() < 0
    method.train()
    assert method.embed(torch.randn(64, method.encoder.values)).min() < 0


def test_an_embedding_before_classes_is_rectified_as_before():
    config = SupervisedConfig(encoder="small", loss="cross-entropy", outputs=("a", "b"))
    assert Supervised(config, 32).eval().features(torch.rand(8, 3, 32, 32))["embedding"].min() == 0
