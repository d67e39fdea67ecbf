"""Layer-wise rates: what lies deep in the encoder is general, and is moved less than what lies near the head.

Each block learns `decay` times as fast as the block behind it (Clark et al. 2020; Bao et al. 2022), the head at the
full rate. What a block is, is read off the encoder's modules, in their order:

    a container (Sequential, ModuleList) is opened;
    so is a module that holds a container of modules with parts of their own: a network, or a stage of blocks;
    every other module with parameters is a block;
    one of vectors alone, a norm behind its stem, belongs to the block before it;
    parameters beside the blocks, such as a class token or places, belong to the first;
    encoders side by side, as the two halves of a split brain, are counted each from its own input.
"""

from typing import Any

from torch import nn

from vultus.nets.encoders import Encoder
from vultus.training.optimisers import parameter_groups

Parameters = list[nn.Parameter]
CONTAINERS = (nn.Sequential, nn.ModuleList)


def blocks(module: nn.Module) -> list[Parameters]:
    """The parameters of an encoder, block after block from its input on; none of them twice."""
    if beside_each_other := [blocks(child) for child in module.children() if isinstance(child, Encoder)]:
        return [[p for block in level for p in block] for level in zip(*beside_each_other, strict=True)]
    found: list[Parameters] = []
    _walk(module, found)
    inside = {id(p) for block in found for p in block}
    beside = [p for p in module.parameters() if id(p) not in inside]
    if beside:
        found[:1] = [beside + (found[0] if found else [])]
    return found


def layered_groups(encoder: nn.Module, head: nn.Module, decay: float, weight_decay: float) -> list[dict[str, Any]]:
    """Optimiser groups whose `scale` is decay^(blocks − index) for block 0, 1, … of the encoder and 1 for the head."""
    own = blocks(encoder)
    groups = [g for k, block in enumerate(own) for g in parameter_groups(block, weight_decay, decay ** (len(own) - k))]
    return [g for g in [*groups, *parameter_groups(head.parameters(), weight_decay)] if g["params"]]


def _walk(module: nn.Module, found: list[Parameters]) -> None:
    for child in module.children():
        parameters = list(child.parameters())
        if not parameters:
            continue
        if isinstance(child, CONTAINERS) or _holds_blocks(child):
            _walk(child, found)
        elif found and all(p.ndim <= 1 for p in parameters):
            found[-1] += parameters
        else:
            found.append(parameters)


def _holds_blocks(module: nn.Module) -> bool:
    """Whether somewhere inside stands a container of modules that have parts with parameters."""
    containers = (m for m in module.modules() if isinstance(m, CONTAINERS))
    return any(any(_has_parts(child) for child in container) for container in containers)


def _has_parts(module: nn.Module) -> bool:
    return not isinstance(module, CONTAINERS) and any(
        any(True for _ in child.parameters()) for child in module.children()
    )
