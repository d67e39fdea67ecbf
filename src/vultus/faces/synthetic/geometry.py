"""From parameters to points in the picture: shape, expression, hair, glasses, then the camera."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vultus.faces.synthetic.accessories import glasses_triangles, glasses_vertices
from vultus.faces.synthetic.basis import HAIR, SKIN, Basis, load_basis
from vultus.faces.synthetic.expressions import ACTION_UNITS, AU_NAMES
from vultus.faces.synthetic.occlusion import vertex_normals
from vultus.faces.synthetic.parameters import FaceParameters
from vultus.faces.synthetic.people import Person
from vultus.faces.synthetic.raster import Floats, Ints

DISTANCE = 9.0  # decimetres from the camera to the head
GLASSES = 5  # a part, after those of the basis


@dataclass(frozen=True)
class Topology:
    """The mesh of head and accessories, and what of it never changes."""

    triangles: Ints  # [F, 3]
    part: npt.NDArray[np.uint8]  # [F]
    glasses_count: int  # vertices after those of the basis
    adjacency: Any  # sparse [V, F]: 1 where a triangle touches a vertex
    rest_normals: Floats  # [V, 3] of the basis alone
    scalp: Floats  # [V] of the basis alone: 1 where hair grows, 0.5 at the usual hairline
    au_units: Any  # sparse [3 V, 20, twice]: displacement by action units of the subject's left, then right side


@dataclass(frozen=True)
class Placed:
    """A head before the camera."""

    screen: Floats  # [V, 3] as fractions of the picture (x right, y down) and decimetres towards the camera
    normals: Floats  # [V, 3] in the camera's space: x right, y up, z towards the camera
    landmarks: Floats  # [68, 2] fractions of the picture


def place(face: FaceParameters) -> Placed:
    """Shape the head, move it, turn it and take it before the camera."""
    basis, topology = load_basis(), load_topology()
    neutral, neutral_landmarks = _neutral(face.person)
    head = neutral + _move(face, topology)
    marks = _landmarks(head, basis)
    extra = np.zeros((topology.glasses_count, 3), np.float32)
    if face.glasses:
        extra = glasses_vertices(neutral_landmarks)
    rotation = rotation_matrix(face.yaw, face.pitch, face.roll)
    middle = neutral_landmarks.mean(0)
    head = _grow_hair(head, face, topology)
    view = (np.concatenate([head, extra]) - middle) @ rotation.T
    height = neutral_landmarks[17:27, 1].mean() - neutral_landmarks[8, 1]
    zoom = np.float32(face.scale / height)
    flat_marks = _project((marks - middle) @ rotation.T) * zoom
    offset = np.asarray(np.array(face.shift) + 0.5 - (flat_marks.min(0) + flat_marks.max(0)) / 2, np.float32)
    screen = np.concatenate([_project(view) * zoom + offset, view[:, 2:]], axis=1)
    return Placed(screen, _normals(view, topology), flat_marks + offset)


def rotation_matrix(yaw: float, pitch: float, roll: float) -> Floats:
    """[3, 3] for columns in the camera's space: first yaw, then pitch, then roll, in degrees."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians([yaw, pitch, roll])) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float32)


@lru_cache(maxsize=1)
def load_topology() -> Topology:
    """The mesh with glasses, and the action units' displacements."""
    basis = load_basis()
    vertices = len(basis.rest)
    extra = glasses_triangles() + vertices
    triangles = np.concatenate([basis.triangles, extra])
    count = len(triangles)
    entries = (np.ones(3 * count, np.float32), (triangles.T.ravel(), np.tile(np.arange(count), 3)))
    return Topology(
        triangles=triangles,
        part=np.concatenate([basis.part, np.full(len(extra), GLASSES, np.uint8)]),
        glasses_count=int(extra.max()) + 1 - vertices,
        adjacency=sparse.csr_array(entries, shape=(int(extra.max()) + 1, count)),
        rest_normals=vertex_normals(basis.rest, basis.triangles),
        scalp=_scalp(basis),
        au_units=sparse.csr_array(basis.units @ _unit_weights(basis)),
    )


@lru_cache(maxsize=4)
def drawn_mesh(hair: bool, glasses: bool) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """The triangles to draw [F, 3], by columns as the rasteriser reads them, and their parts [F]."""
    topology = load_topology()
    part = topology.part
    chosen = np.flatnonzero(((part != HAIR) | hair) & ((part != GLASSES) | glasses))
    return np.asfortranarray(topology.triangles[chosen]), part[chosen]


def _unit_weights(basis: Basis) -> Floats:
    """Face units [52] by action units, columns left side then right side [2 * 20]; central units count half in each."""
    weights = np.zeros((len(basis.unit_names), 2 * len(AU_NAMES)), np.float32)
    for column, name in enumerate(AU_NAMES):
        for unit, gain in ACTION_UNITS[name].items():
            row = basis.unit_names.index(unit)
            if not unit.endswith("Right"):
                weights[row, column] = gain if unit.endswith("Left") else gain / 2
            if not unit.endswith("Left"):
                weights[row, len(AU_NAMES) + column] = gain if unit.endswith("Right") else gain / 2
    return weights


def _move(face: FaceParameters, topology: Topology) -> Floats:
    """Displacements [V, 3] by the face's action units."""
    units = np.array(face.action_units, np.float32)
    tilt = np.float32(face.asymmetry / 2)
    both = np.concatenate([units * (1 + tilt), units * (1 - tilt)])
    return np.asarray((topology.au_units @ both).reshape(-1, 3), np.float32)


@lru_cache(maxsize=256)
def _neutral(person: Person) -> tuple[Floats, Floats]:
    """The person's head at rest [V, 3], and its landmarks [68, 3]."""
    basis = load_basis()
    head = basis.rest + (basis.shapes @ np.array(person.shape, np.float32)).reshape(-1, 3)
    return head, _landmarks(head, basis)


def _landmarks(head: Floats, basis: Basis) -> Floats:
    marks: Floats = (head[basis.landmark_corners] * basis.landmark_weights[..., None]).sum(1)
    return marks


def _project(view: Floats) -> Floats:
    """Perspective: x right and y down in the plane of the head's middle, decimetres."""
    flat: Floats = view[:, :2] * np.array([1, -1], np.float32) * (DISTANCE / (DISTANCE - view[:, 2:]))
    return flat


def _normals(view: Floats, topology: Topology) -> Floats:
    a, b, c = (np.take(view, topology.triangles[:, k], axis=0) for k in range(3))
    u, v = b - a, c - a
    area = np.empty_like(u)
    area[:, 0] = u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1]
    area[:, 1] = u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2]
    area[:, 2] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    normals = topology.adjacency @ area
    normals /= np.maximum(np.sqrt((normals**2).sum(1, keepdims=True)), 1e-9)
    return np.asarray(normals, np.float32)


def _scalp(basis: Basis) -> Floats:
    """Where hair grows: off the face and the ears, above the nape."""
    y, z = basis.rest[:, 1], basis.rest[:, 2]
    floor = np.interp(z, [-0.3, 0.45, 0.6, 0.8, 0.9], [6.55, 6.75, 7.05, 7.3, 7.6])
    above = np.clip((y - floor) / 0.1 + 0.5, 0, 1)
    skin = np.zeros(len(y), bool)
    skin[basis.triangles[basis.part == SKIN]] = True
    scalp = (1 - basis.masks["face"]) * (1 - basis.masks["ears"]) * (1 - basis.masks["inside-mouth"]) * above * skin
    return np.asarray(scalp, np.float32)


def _grow_hair(head: Floats, face: FaceParameters, topology: Topology) -> Floats:
    """Lift the scalp by the hair's or the cap's thickness, fading in from the hairline."""
    volume, line = (0.12, 0.3) if face.cap else (face.person.hair_volume, hairline(face.person))
    lift = volume * np.clip((topology.scalp - line) / 0.4, 0, 1)
    return np.asarray(head + topology.rest_normals * lift[:, None], np.float32)


def hairline(person: Person) -> float:
    """The level of the scalp's mask above which hair grows."""
    return 0.25 + 1.3 * person.hairline
