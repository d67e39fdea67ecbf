"""Colours of the head: skin, lips and beard by vertex; brows, irises and hair by pixel, where edges must be sharp."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vultus.faces.synthetic import anatomy
from vultus.faces.synthetic.basis import EYE, HAIR, SKIN, TEETH, TONGUE, Basis, load_basis
from vultus.faces.synthetic.geometry import GLASSES, hairline
from vultus.faces.synthetic.parameters import FaceParameters
from vultus.faces.synthetic.people import Person
from vultus.faces.synthetic.raster import Floats

_SCLERA = (0.72, 0.67, 0.64)
_TEETH = (0.80, 0.75, 0.66)
_MOUTH = (0.10, 0.02, 0.02)
_TONGUE = (0.42, 0.14, 0.13)
_IRIS_RADIUS, _PUPIL_RADIUS = 0.45, 0.2  # of the eyeball's
_BEARD_EDGE = ((0, 0.16, 0.27, 0.40, 0.55, 0.66, 0.72), (6.47, 6.50, 6.66, 6.72, 6.86, 7.0, 7.25))  # |x|, upper y


@lru_cache(maxsize=256)
def skin_colours(person: Person) -> Floats:
    """Albedo [V, 3] of the person's head without brows, irises and hair."""
    basis, regions = load_basis(), _regions()
    skin = np.array(person.skin)
    albedo = skin * _blotches(basis.rest, person.complexion)
    albedo *= 1 - person.blush * regions["blush"][:, None] * [0.05, 0.28, 0.22]
    albedo *= 1 - (0.16 + 0.2 * (person.age - 20) / 60) * regions["under eye"][:, None]
    layers: tuple[tuple[str, npt.NDArray[np.float64], float], ...] = (
        ("beard", np.array(person.hair) + 0.15 * skin, 0.9 * person.beard),
        ("eyelids", 0.3 * skin, 0.75),
        ("lips", np.array(person.lips), 0.95),
        ("inside-mouth", np.array(_MOUTH), 1.0),
    )
    for region, colour, amount in layers:
        albedo += amount * regions[region][:, None] * (colour - albedo)
    for part, plain in ((EYE, _SCLERA), (TEETH, _TEETH), (TONGUE, _TONGUE), (HAIR, person.hair)):
        albedo[basis.triangles[basis.part == part]] = plain
    return np.asarray(albedo, np.float32)


def paint_pixels(
    face: FaceParameters, albedo: Floats, rest: Floats, scalp: Floats, part: npt.NDArray[np.uint8]
) -> None:
    """Draw brows, irises, hair, cap and frames into the pixels' albedo [P, 3], in place.

    `rest` [P, 3] is where each pixel lies on the resting head, `scalp` [P] and `part` [P] as in Topology.
    """
    person = face.person
    skin, eye = part == SKIN, np.flatnonzero(part == EYE)
    near = np.flatnonzero(skin & (rest[:, 2] > 0.9) & (np.abs(rest[:, 1] - 7.48) < 0.15))
    _blend(albedo, near, person.brow_density * _brow(rest[near], person.brow_thickness), person.brows)
    _paint_eye(face, albedo, rest, eye)
    hair = np.flatnonzero(skin & (scalp > 0.02))
    line = hairline(person)
    if face.cap:
        _blend(albedo, hair, np.clip((scalp[hair] - 0.3) / 0.1, 0, 1) * (rest[hair, 1] > 7.45), face.cap)
        below = hair[rest[hair, 1] <= 7.45]
        _blend(albedo, below, np.clip((scalp[below] - line) / 0.15, 0, 1), person.hair)
    elif person.hair_style != "bald":
        _blend(albedo, hair, np.clip((scalp[hair] - line) / 0.15, 0, 1), person.hair)
    if face.glasses:
        albedo[part == GLASSES] = face.glasses


def _paint_eye(face: FaceParameters, albedo: Floats, rest: Floats, eye: npt.NDArray[np.intp]) -> None:
    """Iris with its dark rim, and pupil, turned by the gaze."""
    x, y, _ = anatomy.EYE_CENTRE
    across = (np.abs(rest[eye, 0]) - x) * np.sign(rest[eye, 0]) / anatomy.EYE_RADIUS
    up = (rest[eye, 1] - y) / anatomy.EYE_RADIUS
    to_right, to_top = np.sin(np.radians(face.gaze))
    distance = np.hypot(across - to_right, up - to_top)
    iris = np.array(face.person.iris)
    _blend(albedo, eye, np.clip((_IRIS_RADIUS - distance) / 0.06, 0, 1), 0.35 * iris)
    _blend(albedo, eye, np.clip((0.85 * _IRIS_RADIUS - distance) / 0.08, 0, 1), iris)
    _blend(albedo, eye, np.clip((_PUPIL_RADIUS - distance) / 0.06, 0, 1), (0.005, 0.005, 0.005))


def _brow(rest: Floats, thickness: float) -> Floats:
    """Coverage [P] of the brow at points of the resting face: a tapered band along the brow landmarks."""
    curve = anatomy.BROW_CURVE
    across = np.abs(rest[:, 0])
    along = np.clip((across - curve[0, 0]) / (curve[-1, 0] - curve[0, 0]), -0.2, 1.2)
    middle = np.interp(across, curve[:, 0], curve[:, 1])
    half = thickness * np.interp(along, [-0.06, 0.03, 0.55, 1.0, 1.1], [0.0, 1.0, 0.95, 0.45, 0.0])
    return np.asarray(np.clip((half - np.abs(rest[:, 1] - middle)) / 0.015 + 0.5, 0, 1) * (half > 0), np.float32)


def _blend(albedo: Floats, where: npt.NDArray[np.intp], amount: Floats, colour: npt.ArrayLike) -> None:
    under = albedo[where]
    albedo[where] = under + amount[:, None] * (np.asarray(colour, np.float32) - under)


@lru_cache(maxsize=1)
def _regions() -> dict[str, Floats]:
    """Soft regions [V] of the skin."""
    basis = load_basis()
    x, y, z = np.abs(basis.rest[:, 0]), basis.rest[:, 1], basis.rest[:, 2]
    lips = np.clip(basis.masks["lips"] * (1 - basis.masks["inside-mouth"]), 0, 1)
    cheek = np.exp(-(((x - 0.42) / 0.17) ** 2) - ((y - 6.93) / 0.15) ** 2)
    nose = 0.7 * np.exp(-((x / 0.1) ** 2) - ((y - 6.93) / 0.08) ** 2)
    under_eye = np.exp(-(((x - 0.29) / 0.13) ** 2) - ((y - 7.18) / 0.04) ** 2)
    return {
        "blush": (cheek + nose) * (z > 0.6), "under eye": under_eye * (z > 0.6),
        "beard": _beard(basis) * (1 - lips), "eyelids": basis.masks["eyelids"],
        "lips": lips, "inside-mouth": basis.masks["inside-mouth"],
    }  # fmt: skip


def _beard(basis: Basis) -> Floats:
    x, y, z = np.abs(basis.rest[:, 0]), basis.rest[:, 1], basis.rest[:, 2]
    jaw = np.clip((np.interp(x, *_BEARD_EDGE) - y) / 0.06 + 0.5, 0, 1) * np.clip((y - 6.0) / 0.1, 0, 1) * (z > 0.35)
    lip = np.clip(1 - np.abs(y - 6.725 + 0.12 * x) / 0.065, 0, 1) ** 0.5 * np.clip((0.30 - x) / 0.05, 0, 1) * (z > 1.2)
    return np.asarray(np.maximum(jaw, lip) * (1 - basis.masks["ears"]), np.float32)


def _blotches(rest: Floats, seed: int) -> Floats:
    """A smooth random pattern [V, 3] about 1: the uneven colour of skin."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 1, (10, 3)) * rng.uniform(3, 16, (10, 1))
    pattern = np.sin(rest @ waves.T + rng.uniform(0, 2 * np.pi, 10)) @ rng.normal(0, 1, (10, 3))
    return np.asarray(1 + 0.02 * pattern, np.float32)
