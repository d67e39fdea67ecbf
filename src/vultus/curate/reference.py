"""A reference to a photograph, what opening it gives, and labels as both carry them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vultus.faces.columns import FIXED
from vultus.faces.decode import Box
from vultus.faces.record import TEXTS, Label

FAULT = "fault"
NO_LABELS = "{}"


class Reference(NamedTuple):
    """Where a photograph lies: small, JSON-able, in order by its name."""

    name: str  # unique in the source: the path below its root, and behind it /KEY of a photograph within a file
    kind: str  # file, tar, parquet, video or face set; FAULT for what is none
    path: str  # of the file to open
    key: str = ""  # the photograph within the file, as its kind writes it; a fault's reason
    labels: str = NO_LABELS  # JSON: what the listing knows of the photograph


@dataclass(frozen=True)
class Labelled:
    """A face that the source knows."""

    name: str
    labels: Mapping[str, Label] = field(default_factory=dict)
    box: Box | None = None  # in fractions of the upright photograph; None: of the largest face


@dataclass(frozen=True)
class Photograph:
    """A photograph's bytes (JPEG, PNG or any format Pillow reads), and what the source says of it."""

    name: str
    data: bytes
    labels: Mapping[str, Label] = field(default_factory=dict)  # of its largest face
    boxed: tuple[Labelled, ...] = ()  # instead: faces that the source tells apart by boxes
    numbered: int = 1  # NAME#2 … up to this number are taken: by other faces of the source

    @property
    def known(self) -> tuple[Labelled, ...]:
        """The faces that the source knows, one at least."""
        return self.boxed or (Labelled(self.name, self.labels),)


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
    """What can be a label of what a source says: texts, numbers, lists of numbers; yes and no for true and false.

    Labels of TEXTS are texts: person 7 is "7". A label called name, image or box becomes name_label and so on.
    """
    named = {f"{name}_label" if name in FIXED else _valid(name): name for name in found if name}
    labels = {called: _label(found[name], name in TEXTS) for called, name in named.items()}
    return {name: value for name, value in labels.items() if value is not None}


def _label(value: Any, text: bool) -> Label | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _valid(value) or None
    if isinstance(value, int | float):
        return _number(value, text) if math.isfinite(value) else None
    if isinstance(value, list | tuple) and len(value) > 1 and not text:
        plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
        return tuple(float(one) for one in value) if plain else None
    return None


def _number(value: int | float, text: bool) -> Label:
    if not text:
        return float(value)
    return str(int(value)) if value == int(value) else str(value)


def _valid(text: str) -> str:
    """JSON may hold halves of characters, which no table takes."""
    return text.encode("utf-8", "replace").decode()
