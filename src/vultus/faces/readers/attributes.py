"""The forty binary attributes of CelebA and LFWA as labels."""

import math
import re
from collections.abc import Sequence

from vultus.faces.record import Label

ATTRIBUTES = 40
GENDERS = {"yes": "male", "no": "female"}  # by the attribute Male


def columns(names: Sequence[str]) -> list[str]:
    """The labels' names: in lower case, with underscores. Raises ValueError unless they are forty, with Male."""
    found = [re.sub(r"[^0-9a-z]+", "_", name.strip().lower()) for name in names]
    if len(set(found)) != ATTRIBUTES or "male" not in found:
        raise ValueError(f"{ATTRIBUTES} attributes with Male among them expected, found {len(found)}: {found[:3]} …")
    return found


def answers(names: Sequence[str], values: Sequence[float]) -> dict[str, Label]:
    """Yes (1) and no (-1 or 0) by column, and the gender; NaN is unknown. Raises ValueError for other values."""
    if len(values) != len(names):
        raise ValueError(f"{len(names)} attributes expected, got {len(values)}")
    labels: dict[str, Label] = {}
    for name, value in zip(names, values, strict=True):
        if value in (-1, 0, 1):
            labels[name] = "yes" if value == 1 else "no"
        elif not math.isnan(value):
            raise ValueError(f"attribute {name} is 1, 0 or -1, got {value:g}")
    if "male" in labels:
        labels["gender"] = GENDERS[str(labels["male"])]
    return labels
