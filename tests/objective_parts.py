"""What the tests of whole objectives share: networks that tell their views apart, and slow formulas in float64."""

import math

import numpy as np
import pytest
import torch
from torch import nn

FACES = 5


def pictures(*names, count=FACES, size=16):
    """Views by name, each of other coloured squares: no two of them look alike to a network."""
    generator = torch.Generator().manual_seed(0)
    views = {name: torch.rand(count, 3, 4, 4, generator=generator) for name in names}
    return {name: nn.functional.interpolate(view, size=(size, size)) for name, view in views.items()}


def settled(method, views, copy=None):
    """The method in evaluation, so that a face's output does not depend on the batch, after three batches in training.

    These give batch norms their statistics, and centre and queue something to hold. The copy is set apart from what it
    follows, so that one cannot stand for the other.
    """
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in copy.parameters() if copy else ():
            weight.add_(torch.randn(weight.shape, generator=generator) * weight.abs().mean())
        for norm in method.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                norm.momentum = 0.5
        for _ in range(3):
            method.train().losses(views)
    return method.eval()


def agree(method, views, expected):
    """Every loss that is learned from is as expected; signs of collapse, which have no weight, may stand beside."""
    found = method.losses(views)
    learned = {name for name in found if method.weights[name]}
    assert learned <= set(expected) <= set(found)
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value, rel=1e-3, abs=1e-5), name


def learned_weights(method):
    """The weights of the losses that are learned from, by name."""
    return {name: weight for name, weight in method.weights.items() if weight}


def rows(images, *networks):
    """What the networks, one after the other, make of each face alone: a list of float64 vectors."""
    out = []
    with torch.no_grad():
        for image in images:
            x = image[None]
            for network in networks:
                x = network(x.flatten(1) if isinstance(network, nn.Linear | nn.Sequential) else x)
            out.append(x.flatten().numpy().astype(np.float64))
    return out


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def entropy(p):
    return -sum(x * math.log(x) for x in p if x > 0)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def contrast(query, key, negatives, temperature):
    """−log of the key's share among the key and the negatives, of one face."""
    near = math.exp(cosine(query, key) / temperature)
    return -math.log(near / (near + sum(math.exp(cosine(query, n) / temperature) for n in negatives)))


def contrast_of_views(a, b, temperature):
    """InfoNCE of all views, each against its face's other view, all other faces' views below."""
    views, total = [*a, *b], 0.0
    for i, view in enumerate(views):
        partner = (i + len(a)) % len(views)
        others = [views[z] for z in range(len(views)) if z not in (i, partner)]
        total += contrast(view, views[partner], others, temperature) / len(views)
    return total


def without(items, index):
    """All but the item at `index`."""
    return [item for k, item in enumerate(items) if k != index]
