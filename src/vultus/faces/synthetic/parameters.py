"""Everything that defines one synthetic face, and its random draw from (seed, index)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vultus.faces.synthetic.expressions import EXPRESSIONS, sample_action_units
from vultus.faces.synthetic.people import Colour, Person, sample_person, split_of

BACKGROUNDS = ("plain", "gradient", "noise", "blobs")
_FACES = 3  # stream of random numbers
_BLOCK, _BLOCK_PEOPLE = 240, 20  # without a fixed cast, every 240 faces in a row show 20 new people


@dataclass(frozen=True)
class Light:
    """One distant lamp and the light from everywhere."""

    azimuth: float  # degrees, 0 from the camera, positive from the picture's right
    elevation: float  # degrees, positive from above
    strength: float
    ambient: float
    tint: Colour


@dataclass(frozen=True)
class Background:
    """What is behind the head."""

    kind: str  # one of BACKGROUNDS
    first: Colour
    second: Colour
    pattern: int  # seed of its pattern


@dataclass(frozen=True)
class FaceParameters:
    """All that a face's picture depends on: change one field and only that changes.

    `action_units` follow AU_NAMES, 0 to 1, and alone move the face; `expression` names what they show. Pose: positive
    `yaw` turns the nose to the picture's right, positive `pitch` lifts it, positive `roll` turns the picture
    clockwise; the head is turned by yaw first, then pitch, then roll.
    """

    person: Person
    split: str
    expression: str
    action_units: tuple[float, ...]
    asymmetry: float  # −1 to 1: how much stronger the subject's left side moves
    gaze: tuple[float, float]  # degrees to the picture's right and up, on top of the head's pose
    yaw: float  # degrees
    pitch: float
    roll: float
    scale: float  # brows to chin as a fraction of the picture's height, seen from the front
    shift: tuple[float, float]  # of the landmarks' box from the middle, fractions of the picture, right and down
    light: Light
    background: Background
    glasses: Colour | None  # their frame's colour
    cap: Colour | None  # a cap's colour
    blur: float  # standard deviation, in 64ths of the picture
    noise: float  # standard deviation of the sensor's noise, 0 to 1
    grain: int  # seed of that noise


def sample_parameters(seed: int, index: int, identities: int | None = None) -> FaceParameters:
    """Face `index` of the world `seed`; the same whatever other faces are drawn.

    With `identities` every face shows one of that many people; with None each 240 faces in a row bring 20 new ones.
    """
    rng = np.random.default_rng([seed, _FACES, index])
    if identities is None:
        number = index // _BLOCK * _BLOCK_PEOPLE + int(rng.integers(_BLOCK_PEOPLE))
    else:
        number = int(rng.integers(identities))
    person, split = _person(seed, number)
    expression = EXPRESSIONS[rng.integers(len(EXPRESSIONS))]
    wide = rng.random() < 0.25
    return FaceParameters(
        person=person, split=split, expression=expression,
        action_units=sample_action_units(expression, rng), asymmetry=_clipped(rng, 0.2, 0.6),
        gaze=(_clipped(rng, 8, 22), _clipped(rng, 5, 12)),
        yaw=round(float(rng.uniform(-60, 60)), 3) if wide else _clipped(rng, 15, 60),
        pitch=_clipped(rng, 8, 25), roll=_clipped(rng, 6, 20),
        scale=round(float(rng.uniform(0.60, 0.70)), 4), shift=(_clipped(rng, 0.014, 0.04), _clipped(rng, 0.014, 0.04)),
        light=_sample_light(rng), background=_sample_background(rng),
        glasses=_frame_colour(rng) if person.wears_glasses and rng.random() < 0.7 else None,
        cap=_random_colour(rng) if rng.random() < 0.07 else None,
        blur=round(float(rng.uniform(0, 0.5)), 3), noise=round(float(rng.uniform(0.0, 0.025)), 4),
        grain=int(rng.integers(2**31)),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _person(seed: int, number: int) -> tuple[Person, str]:
    return sample_person(seed, number), split_of(seed, number)


def _clipped(rng: np.random.Generator, deviation: float, limit: float) -> float:
    return round(float(np.clip(rng.normal(0, deviation), -limit, limit)), 4)


def _random_colour(rng: np.random.Generator) -> Colour:
    grey, vividness = rng.uniform(0.15, 0.85), rng.uniform(0, 0.6)
    values = (grey + vividness * (rng.uniform(0, 1, 3) - grey)) ** 2.2
    red, green, blue = (round(float(v), 4) for v in values)
    return red, green, blue


def _frame_colour(rng: np.random.Generator) -> Colour:
    dark = rng.random() < 0.7
    return (0.02, 0.02, 0.02) if dark else _random_colour(rng)


def _sample_light(rng: np.random.Generator) -> Light:
    warm = rng.normal(0, 0.05)
    strength, ambient = rng.uniform(0.5, 1.2), rng.uniform(0.3, 0.75)
    return Light(
        azimuth=round(float(rng.uniform(-65, 65)), 3), elevation=round(float(rng.uniform(-15, 65)), 3),
        strength=round(float(strength), 4), ambient=round(float(ambient), 4),
        tint=(round(float(1 + warm), 4), 1.0, round(float(1 - warm), 4)),
    )  # fmt: skip


def _sample_background(rng: np.random.Generator) -> Background:
    kind = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    return Background(kind, _random_colour(rng), _random_colour(rng), int(rng.integers(2**31)))
