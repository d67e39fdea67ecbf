"""The encoder of a method: the network whose flattened map is its default feature."""

from torch import nn

# a method's own, the learning branch of BYOL's kin, the query of MoCo, the teacher of DINO and ProS
PLACES = ("encoder", "online.encoder", "query.encoder", "teacher.copy.encoder")


def encoder_of(method: nn.Module) -> nn.Module:
    """The module (B, 3, S, S) → (B, channels, side, side), with `channels`, `side` and `values` as attributes.

    Raises ValueError for a method that keeps it in none of the usual places.
    """
    for place in PLACES:
        try:
            return method.get_submodule(place)
        except AttributeError:
            continue
    raise ValueError(f"{type(method).__name__} has no encoder at {', '.join(PLACES)}: list its place there")
