"""Parameters to pixels: the head's surface lit and painted, before a background, as a camera would take it."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vultus.faces.synthetic.basis import EYE, SKIN, load_basis
from vultus.faces.synthetic.geometry import Placed, drawn_mesh, load_topology, place
from vultus.faces.synthetic.paint import paint_pixels, skin_colours
from vultus.faces.synthetic.parameters import Background, FaceParameters, Light
from vultus.faces.synthetic.raster import Floats, rasterise

_OVERSAMPLING = 2  # rendered pixels along each side of a picture's pixel
_GAMMA = 1 / 2.2


def render(parameters: Sequence[FaceParameters], size: int = 64) -> npt.NDArray[np.uint8]:
    """Pictures [B, size, size, 3] of the faces, red green blue."""
    pictures = np.empty((len(parameters), size, size, 3), np.uint8)
    for picture, face in zip(pictures, parameters, strict=True):
        picture[...] = take(face, place(face), size)
    return pictures


def landmarks(parameters: Sequence[FaceParameters]) -> Floats:
    """The 68 landmarks [B, 68, 2] in iBUG order: x right and y down as fractions of the picture, hidden ones too."""
    return np.stack([place(face).landmarks for face in parameters])


def take(face: FaceParameters, placed: Placed, size: int) -> npt.NDArray[np.uint8]:
    """The picture [size, size, 3] of a face already placed by `geometry.place`."""
    fine = size * _OVERSAMPLING
    triangles, part = drawn_mesh(face.person.hair_style == "long" and not face.cap, face.glasses is not None)
    screen = placed.screen * np.array([fine, fine, 1], np.float32)
    seen = rasterise(screen, triangles, fine)
    values = seen.interpolate(_vertex_values(face, placed))
    albedo, shade, shine, rest, scalp = values[:, :3], values[:, 3:4], values[:, 4:5], values[:, 5:8], values[:, 8]
    paint_pixels(face, albedo, rest, scalp, part[seen.triangle])
    light = _background(face.background, fine).reshape(-1, 3)
    light[seen.pixel] = (albedo * shade + shine) * np.asarray(face.light.tint, np.float32)
    picture = cv2.resize(light.reshape(fine, fine, 3), (size, size), interpolation=cv2.INTER_AREA)
    return _expose(np.asarray(picture, np.float32), face, size)


def _vertex_values(face: FaceParameters, placed: Placed) -> Floats:
    """What is interpolated over the surface [V, 9]: albedo, shade, shine, resting place, scalp."""
    surface = _surface()
    values = np.zeros((len(placed.screen), 9), np.float32)
    head = len(surface)
    values[:head, :3] = skin_colours(face.person)
    openness = np.full(len(values), 1, np.float32)
    openness[:head] = surface[:, 4]
    gloss = np.full(len(values), 1.0, np.float32)
    gloss[:head] = surface[:, 5]
    values[:, 3], values[:, 4] = _shade(placed.normals, openness, face.light)
    values[:, 4] *= gloss
    values[:head, 5:] = surface[:, :4]
    return values


@lru_cache(maxsize=1)
def _surface() -> Floats:
    """Of every vertex of the basis [V, 6]: resting place, scalp, ambient occlusion, gloss."""
    basis, topology = load_basis(), load_topology()
    openness = basis.occlusion.copy()
    openness[basis.triangles[basis.part > EYE]] = 0.75
    eye = basis.triangles[basis.part == EYE]
    openness[eye] = np.maximum(openness[eye], 0.6)
    gloss = np.full(len(openness), 0.06, np.float32)
    gloss[basis.triangles[basis.part != SKIN]] = 0.12
    gloss *= 1 - basis.masks["inside-mouth"]
    return np.concatenate([basis.rest, topology.scalp[:, None], openness[:, None], gloss[:, None]], axis=1)


def _shade(normals: Floats, openness: Floats, light: Light) -> tuple[Floats, Floats]:
    """Lambert's law with ambient light, and Blinn's highlight, of every vertex [V]; the camera looks along −z."""
    azimuth, elevation = np.radians(light.azimuth), np.radians(light.elevation)
    towards = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], np.float32
    )
    half = towards + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    unshadowed = np.clip(1.5 * openness, 0, 1)
    lambert = np.clip(normals @ towards, 0, None) * unshadowed
    fourth = np.square(np.square(np.clip(normals @ half, 0, None)))
    shine = fourth * fourth * fourth * unshadowed  # shininess 12; numpy's power takes ten times as long
    return light.ambient * openness + light.strength * lambert, light.strength * shine


def _background(background: Background, size: int) -> Floats:
    """Linear light [size, size, 3] behind the head."""
    first, second = np.array(background.first, np.float32), np.array(background.second, np.float32)
    rng = np.random.default_rng(background.pattern)
    if background.kind == "plain":
        share = np.zeros((size, size), np.float32)
    elif background.kind == "gradient":
        across, down = np.cos(turn := rng.uniform(0, 2 * np.pi)), np.sin(turn)
        ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
        share = np.clip(0.5 + ramp[None] * np.float32(across) + ramp[:, None] * np.float32(down), 0, 1)
    else:
        cells = 6 if background.kind == "blobs" else 24
        coarse = rng.random((cells, cells), np.float32)
        share = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
        if background.kind == "blobs":
            share = np.clip(4 * share - 1.5, 0, 1)
    return np.asarray(first + share[..., None] * (second - first), np.float32)


def _expose(light: Floats, face: FaceParameters, size: int) -> npt.NDArray[np.uint8]:
    """Linear light to eight bits: gamma, the lens's blur, the sensor's noise."""
    picture = np.clip(light, 0, 1) ** np.float32(_GAMMA)
    if (deviation := face.blur * size / 64) > 0.1:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.float32)
    picture += face.noise * np.random.default_rng(face.grain).standard_normal(picture.shape, np.float32)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)
