"""Signs of collapse in words: what has fallen, by which number, and which settings of the run may cure it."""

from collections.abc import Mapping
from dataclasses import dataclass

# What helps where all faces fall on one prototype, where every face falls on all alike, and where projections meet in a
# point; a run is told of the settings that its method has.
ONE = {
    "sinkhorn": "raise --sinkhorn",
    "entropy_weight": "raise --entropy-weight",
    "teacher_temperature": "raise --teacher-temperature",
    "centre_momentum": "lower --centre-momentum",
    "prototypes": "take fewer --prototypes",
}
ALL = {
    "sharpening": "lower --sharpening",
    "temperature": "lower --temperature",
    "teacher_temperature": "lower --teacher-temperature",
}
POINT = {"momentum": "raise --momentum", "warped_weight": "lower --warped-weight"}


@dataclass(frozen=True)
class Sign:
    """One sign of collapse: its kind, and what to tell."""

    kind: str
    text: str


def in_features(figures: Mapping[str, float]) -> list[Sign]:
    """Signs in `feature_std` and `effective_rank` of the features that are read; none while all is well."""
    std, rank = figures["feature_std"], figures["effective_rank"]
    if std >= 0.05 and rank >= 2:
        return []
    told = f"the features collapse (std {std:.3f}, effective rank {rank:.1f}): lower --lr or change its settings"
    return [Sign("features", told)]


def in_losses(losses: Mapping[str, float], settings: object) -> list[Sign]:
    """Signs in what a method logs beside its losses, where it does; none while all is well.

    losses: `prototypes_used` (0: one, 1: all alike), `sharpness` (1: one prototype a face, 0: all of them) and
    `projection_std` (1: spread over the sphere, 0: a point). settings: the method's, for the cure.
    """
    signs = []
    if losses.get("prototypes_used", 1.0) < 0.02:
        cure = _cure(ONE, settings)
        signs.append(Sign("prototypes", f"the prototypes collapse: nearly all faces fall on one; {cure}"))
    if (sharpness := losses.get("sharpness", 1.0)) < 0.01:
        told = f"the targets are uniform (sharpness {sharpness:.3f}): every face is described alike"
        signs.append(Sign("targets", f"{told}; {_cure(ALL, settings)}"))
    if (std := losses.get("projection_std", 1.0)) < 0.05:
        told = f"the projections collapse (std {std:.3f}): all faces are projected on one point"
        signs.append(Sign("projections", f"{told}; {_cure(POINT, settings)}"))
    return signs


def _cure(options: Mapping[str, str], settings: object) -> str:
    return " or ".join(["lower --lr", *(text for name, text in options.items() if hasattr(settings, name))])
