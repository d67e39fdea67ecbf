"""Rendered faces to measure on, of which one thing at a time is changed: swapped poses, and sweeps of one factor.

The people are of a world of their own, which no set made by a small seed shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vultus.faces.synthetic import AU_NAMES, EXPRESSIONS, FaceParameters, prototype, render, sample_parameters
from vultus.faces.synthetic.basis import find_data
from vultus.faces.synthetic.parameters import Background, Light

Pixels = NDArray[np.uint8]
WORLD = 270_000  # added to the seed
POSES = 4  # stream of random numbers
BLOCK = 240  # faces in a row that show the same 20 people
YAW, PITCH, ROLL = 45.0, 15.0, 10.0  # degrees to either side, of swapped poses
GREY = (0.35, 0.35, 0.35)
LAMP = Light(azimuth=0.0, elevation=20.0, strength=0.9, ambient=0.5, tint=(1.0, 1.0, 1.0))
Change = Callable[[FaceParameters, float], FaceParameters]


@dataclass(frozen=True, eq=False)
class Triples:
    """Pictures uint8 [N, 3, S, S]: a face, another person's, and the first in the pose of the second."""

    a: Pixels
    b: Pixels
    truth: Pixels


@dataclass(frozen=True)
class Sweep:
    """One factor taken through the values `at`, all else as it was; others are compared to the value `reference`."""

    factor: str
    unit: str  # ° for angles
    at: tuple[float, ...]
    reference: float
    change: Change


def triples(count: int, size: int, seed: int = 0) -> Triples:
    """Render `count` triples.

    Raises ModuleNotFoundError, saying what to install, when the head mesh is missing.
    """
    find_data()
    sides = zip(*(triple(i, seed) for i in range(count)), strict=True)
    return Triples(*(pictures(faces, size) for faces in sides))


def triple(number: int, seed: int = 0) -> tuple[FaceParameters, FaceParameters, FaceParameters]:
    """A, B of another person, and A in the pose of B: in its yaw, pitch and roll, drawn within the bounds above."""
    place = number + number // BLOCK * BLOCK  # of every other block; those between show other people
    a, b = (_posed(WORLD + seed, at) for at in (place, place + BLOCK))
    return a, b, replace(a, yaw=b.yaw, pitch=b.pitch, roll=b.roll)


def people(count: int, seed: int = 0) -> tuple[FaceParameters, ...]:
    """Different people, all taken alike: from the front, at rest, before grey, in an even light."""
    found: dict[int, FaceParameters] = {}
    for i in range(100 * count):
        face = sample_parameters(WORLD + seed, i, count)
        found.setdefault(face.person.number, face)
        if len(found) == count:
            break
    return tuple(
        replace(
            found[number], action_units=(0.0,) * len(AU_NAMES), asymmetry=0.0, gaze=(0.0, 0.0), yaw=0.0, pitch=0.0,
            roll=0.0, scale=0.65, shift=(0.0, 0.0), light=LAMP, background=Background("plain", GREY, GREY, 0),
            glasses=None, cap=None, blur=0.25, noise=0.0,
        )
        for number in sorted(found)
    )  # fmt: skip


def sweeps() -> tuple[Sweep, ...]:
    """Yaw, the strength of each basic expression, and the light's direction and strength."""
    shown = [name for name in EXPRESSIONS if name != "neutral"]
    return (
        Sweep("yaw", "°", tuple(np.arange(-60.0, 61.0, 10.0).tolist()), 0.0, lambda face, at: replace(face, yaw=at)),
        *(Sweep(name, "", (0.0, 0.25, 0.5, 0.75, 1.0), 0.0, _shows(name)) for name in shown),
        Sweep("light direction", "°", tuple(np.arange(-60.0, 61.0, 20.0).tolist()), LAMP.azimuth, _lit_from),
        Sweep("light strength", "", (0.5, 0.7, 0.9, 1.1, 1.3), LAMP.strength, _lit_by),
    )


def swept(sweep: Sweep, faces: Sequence[FaceParameters], size: int) -> Pixels:
    """The faces at every value of a sweep, uint8 [people, values, 3, S, S]."""
    made = pictures([sweep.change(face, at) for face in faces for at in sweep.at], size)
    return made.reshape(len(faces), len(sweep.at), *made.shape[1:])


def pictures(faces: Sequence[FaceParameters], size: int) -> Pixels:
    """Rendered faces as models take them, uint8 [B, 3, S, S]."""
    return np.ascontiguousarray(render(faces, size).transpose(0, 3, 1, 2))


def _posed(world: int, place: int) -> FaceParameters:
    """Without noise, of which no answer could know."""
    rng = np.random.default_rng([world, POSES, place])
    yaw, pitch, roll = (float(rng.uniform(-most, most)) for most in (YAW, PITCH, ROLL))
    return replace(sample_parameters(world, place), yaw=yaw, pitch=pitch, roll=roll, noise=0.0)


def _shows(expression: str) -> Change:
    return lambda face, at: replace(face, action_units=prototype(expression, at))


def _lit_from(face: FaceParameters, at: float) -> FaceParameters:
    return replace(face, light=replace(face.light, azimuth=at))


def _lit_by(face: FaceParameters, at: float) -> FaceParameters:
    return replace(face, light=replace(face.light, strength=at))
