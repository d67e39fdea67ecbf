"""A reference to a photograph, and labels as it carries them."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from vultus.faces.columns import FIXED
from vultus.faces.record import Label

FAULT = "fault"
NO_LABELS = "{}"


class Reference(NamedTuple):
    """Where a photograph lies: small, JSON-able, in order by its name."""

    name: str  # unique in the source: the path below its root, and behind it /KEY of a photograph within a file
    kind: str  # file, tar, parquet, video or face set; FAULT for what is none
    path: str  # of the file to open
    key: str = ""  # the photograph within the file, as its kind writes it; a fault's reason
    labels: str = NO_LABELS  # JSON: what the listing knows of the photograph


def fault(name: str, reason: str) -> Reference:
    """A reference to what cannot be read."""
    return Reference(name, FAULT, "", reason)


def to_json(labels: Mapping[str, Label]) -> str:
    """Labels as text, always the same for the same labels."""
    return json.dumps(dict(sorted(labels.items())), ensure_ascii=False)


def labels_of(text: str) -> dict[str, Label]:
    """Labels from their text."""
    read: dict[str, Any] = json.loads(text)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in read.items()}


def usable(found: Mapping[str, Any]) -> dict[str, Label]:
    """What can be a label of what a source says: texts, numbers, lists of numbers; yes and no for true and false."""
    labels = {name: _label(value) for name, value in found.items() if name and name not in FIXED}
    return {name: value for name, value in labels.items() if value is not None}


def _label(value: Any) -> Label | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple) and len(value) > 1:
        plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        return tuple(float(one) for one in value) if plain else None
    return None
