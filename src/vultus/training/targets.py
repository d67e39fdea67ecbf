"""Labels as training targets, for the supervised references."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vultus.evaluation.tasks import TASKS
from vultus.faces.mixture import Faces
from vultus.methods.catalogue import MethodConfig
from vultus.methods.supervised import LabelLoss, SupervisedConfig

SEVERAL = ("action_units", "head_pose")  # targets that stand for several columns
UNKNOWN = -1  # class number of a face without the label


def with_outputs(method: SupervisedConfig, faces: Faces) -> SupervisedConfig:
    """The config with what a supervised method must know of `faces`: its loss, its classes or columns, their scale.

    Raises ValueError where the set lacks the label, naming those it has, and
    where the loss asked for does not fit the label.
    """
    columns = _columns(method.target, faces)
    if columns:
        fits: tuple[LabelLoss, ...] = ("multi-label",) if method.target == "action_units" else ("regression",)
    else:
        fits = ("cross-entropy", "arcface", "sphereface")
    natural: LabelLoss = "arcface" if method.target == "identity" else fits[0]
    if method.loss not in ("auto", *fits):
        raise ValueError(f"loss {method.loss} does not fit --target {method.target}: choose {', '.join(fits)}")
    method = replace(method, loss=natural if method.loss == "auto" else method.loss)
    if not columns:
        classes = np.unique(faces.labels(method.target))
        return replace(method, outputs=tuple(str(c) for c in classes if c))
    values = np.stack([faces.labels(c).astype(float) for c in columns])
    centre, spread = np.nanmean(values, axis=1), np.nanstd(values, axis=1).clip(min=1e-6)
    return replace(method, outputs=columns, centre=tuple(centre.tolist()), spread=tuple(spread.tolist()))


def _columns(target: str, faces: Faces) -> tuple[str, ...]:
    """The number columns that `target` stands for; none for a text label."""
    pattern = "|".join(TASKS[target].needs if target in SEVERAL else (re.escape(target),))
    found = tuple(c for c in faces.columns if re.fullmatch(pattern, c))
    if not found:
        raise ValueError(
            f"{faces.card.name} has no label for --target {target}; it has {', '.join(faces.columns) or 'none'}, and "
            f"{', '.join(SEVERAL)} stand for several"
        )
    return () if faces.labels(found[0]).dtype.kind == "U" else found


def targets_of(method: MethodConfig, faces: Faces) -> npt.NDArray[Any] | None:
    """Class numbers [N] int64 (−1: unknown) or values [N, K] float32 (NaN: unknown); None where no label is learned."""
    if not isinstance(method, SupervisedConfig):
        return None
    if method.loss in ("multi-label", "regression"):
        return np.stack([faces.labels(c).astype(np.float32) for c in method.outputs], axis=1)
    number = {name: k for k, name in enumerate(method.outputs)}
    return np.array([number.get(v, UNKNOWN) for v in faces.labels(method.target).tolist()], np.int64)
