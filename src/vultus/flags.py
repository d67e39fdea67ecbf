"""Flags of several values, separated by commas."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import tyro
from tyro.constructors import PrimitiveConstructorSpec

T = TypeVar("T")


def listed(kind: Callable[[str], T], metavar: str) -> PrimitiveConstructorSpec[tuple[T, ...]]:
    """Values that `kind` makes of their texts, or raises ValueError."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: tuple(kind(part) for part in _parts(words)),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [",".join(map(str, value))],
    )


def _parts(words: Sequence[str]) -> list[str]:
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


Names = Annotated[tuple[str, ...], listed(str, "A,B,…")]
NamesOrAll = Annotated[  # the flag alone stands for all
    tuple[str, ...],
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="[A,B,…]",
        instance_from_str=lambda words: tuple(_parts(words)) or ("all",),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [",".join(value)] if value else [],
    ),
    tyro.conf.arg(help_behavior_hint="(if not given, none)"),
]
