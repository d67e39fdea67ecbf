"""What becomes of a label when its face is mirrored; () where that is not known, and faces must not be flipped."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNS = {"yaw": -1.0, "pitch": 1.0, "roll": -1.0, "age": 1.0}
TOLERANCE = 0.1  # of the points' extent: how far a mirrored mean face may lie from itself
_SIDES = {"left": "right", "right": "left"}
_SIDE = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)


def _pairs(count: int, *pairs: tuple[int, int]) -> tuple[int, ...]:
    order = list(range(count))
    for a, b in pairs:
        order[a], order[b] = b, a
    return tuple(order)


def _facing(*spans: tuple[int, int]) -> list[tuple[int, int]]:
    """Pairs of spans a … b whose first faces the last, the second the last but one, and so on."""
    return [(a + k, b - k) for a, b in spans for k in range((b - a + 1) // 2)]


# the place that each point takes, by the published orders: eyes, nose and mouth; AFLW-19; 300-W; WFLW
ORDERS = {
    5: _pairs(5, (0, 1), (3, 4)),
    19: _pairs(19, *_facing((0, 5), (6, 11), (12, 14), (15, 17))),
    68: _pairs(
        68,
        *_facing((0, 16), (17, 26), (31, 35), (48, 54), (55, 59), (60, 64), (65, 67)),
        *[(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)],
    ),
    98: _pairs(
        98,
        *_facing((0, 32), (55, 59), (76, 82), (83, 87), (88, 92), (93, 95)),
        *[(33, 46), (34, 45), (35, 44), (36, 43), (37, 42), (38, 50), (39, 49), (40, 48), (41, 47)],
        *[(60, 72), (61, 71), (62, 70), (63, 69), (64, 68), (65, 75), (66, 74), (67, 73), (96, 97)],
    ),
}


def of_names(names: Sequence[str], *, symmetric: bool) -> tuple[int, ...]:
    """Which name each turns into: left and right change places.

    symmetric: names that speak of neither side stay; else they tell nothing, unless others speak of sides.
    """
    turned = [_SIDE.sub(lambda side: _SIDES[side.group().lower()], name) for name in names]
    if any(name not in names for name in turned) or (not symmetric and list(names) == turned):
        return ()
    return tuple(list(names).index(name) for name in turned)


def of_numbers(columns: Sequence[str]) -> tuple[float, ...]:
    """The factor of each number."""
    return tuple(SIGNS[c] for c in columns) if all(c in SIGNS for c in columns) else ()


def of_points(points: NDArray[np.floating]) -> tuple[int, ...]:
    """The place that each point takes, from points [N, P, 2] of faces in one of the published orders.

    It is checked on the mean face, which must be nearly its own mirror image: a set in another order is not flipped.
    """
    order = ORDERS.get(points.shape[1], ())
    if not order:
        return ()
    mean = np.nanmean(points, axis=0)
    mean = mean - mean.mean(axis=0)
    off = np.linalg.norm(mean[list(order)] * [-1, 1] - mean, axis=1)
    extent = float((mean.max(axis=0) - mean.min(axis=0)).max())
    return order if bool((off < TOLERANCE * extent).all()) else ()
