"""A stream of labelled synthetic faces."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt
from joblib import Parallel, cpu_count, delayed

from vultus.faces.record import Label, Record
from vultus.faces.synthetic.basis import load_basis
from vultus.faces.synthetic.expressions import AU_NAMES, EXPRESSIONS, sample_action_units
from vultus.faces.synthetic.geometry import place
from vultus.faces.synthetic.parameters import FaceParameters, Light, sample_parameters
from vultus.faces.synthetic.picture import render, take

_CHUNK = 8  # faces a task
_FEW = 200  # faces for which no process is started
_GRID_WORLD = 11  # a seed whose first six people differ well


def generate(
    count: int, *, size: int = 64, seed: int = 0, identities: int | None = None, start: int = 0, workers: int = 0
) -> Iterator[Record]:
    """Faces `start` to `start + count` of the world `seed`, in order, as PNG pictures of `size` by `size` pixels.

    A face depends on (seed, its index, identities, size) alone. With `identities` None, each 240 faces in a row show
    20 new people, about twelve pictures of each; with a number, all faces show that many. `workers` processes render,
    0 for one a core; fewer than 200 faces are rendered in this one, as processes take a second to start.
    Raises ModuleNotFoundError, saying what to install, when the head mesh is missing.
    """
    if count < 0 or start < 0 or seed < 0 or size < 8 or workers < 0 or (identities is not None and identities < 1):
        raise ValueError(
            "expected count, start, seed and workers of at least 0, size of at least 8, identities of at least 1; "
            f"got {count=}, {start=}, {seed=}, {size=}, {workers=}, {identities=}"
        )
    load_basis()
    workers = (workers or cpu_count()) if count >= _FEW else 1
    return _stream(range(start, start + count), workers, size, seed, identities)


def _stream(indices: range, workers: int, size: int, seed: int, identities: int | None) -> Iterator[Record]:
    """Records in order, a block of chunks at a time, so that a slow consumer holds the workers back."""
    # processes, not threads: most of a face is many short numpy calls, which hold the interpreter's lock
    with Parallel(n_jobs=workers, batch_size=1) as pool:
        for first in range(0, len(indices), block := _CHUNK * 16 * workers):
            ahead = indices[first : first + block]
            chunks = (ahead[at : at + _CHUNK] for at in range(0, len(ahead), _CHUNK))
            yield from chain.from_iterable(pool(delayed(_chunk)(part, size, seed, identities) for part in chunks))


def _chunk(indices: range, size: int, seed: int, identities: int | None) -> list[Record]:
    cv2.setNumThreads(1)  # every core has a process already
    return [_record(seed, index, identities, size) for index in indices]


def _record(seed: int, index: int, identities: int | None, size: int) -> Record:
    face = sample_parameters(seed, index, identities)
    placed = place(face)
    written, png = cv2.imencode(".png", take(face, placed, size)[..., ::-1])
    if not written:
        raise RuntimeError(f"OpenCV could not encode face {index} as PNG")
    points = tuple(round(float(v), 5) for v in placed.landmarks.ravel())
    return Record(png.tobytes(), f"{index:08d}.png", labels_of(face) | {"landmarks": points})


def labels_of(face: FaceParameters) -> dict[str, Label]:
    """Every parameter of a face but its head's shape, by the names of `Record` where it has one."""
    person, light = face.person, face.light
    return {
        "split": face.split, "identity": f"id{person.number:05d}", "expression": face.expression,
        "gender": person.gender, "age": person.age, "african": person.african, "asian": person.asian,
        "caucasian": person.caucasian, "yaw": face.yaw, "pitch": face.pitch, "roll": face.roll,
        "gaze": face.gaze, "scale": face.scale, "shift": face.shift, "asymmetry": face.asymmetry,
        "light_azimuth": light.azimuth, "light_elevation": light.elevation, "light_strength": light.strength,
        "light_ambient": light.ambient, "light_tint": light.tint,
        "skin": person.skin, "lips": person.lips, "brows": person.brows, "iris": person.iris, "hair": person.hair,
        "hair_style": person.hair_style, "beard": person.beard, "glasses": float(face.glasses is not None),
        "cap": float(face.cap is not None), "background": face.background.kind,
        "blur": face.blur, "noise": face.noise,
        **dict(zip(AU_NAMES, face.action_units, strict=True)),
    }  # fmt: skip


def grid(size: int = 64) -> npt.NDArray[np.uint8]:
    """One picture [6 * size, 14 * size, 3]: six people in rows, each expression from the front and turned by 40°."""
    rows = []
    for number in range(6):
        person = next(f for i in range(10_000) if (f := sample_parameters(_GRID_WORLD, i, 6)).person.number == number)
        still = replace(
            person, pitch=0.0, roll=0.0, shift=(0.0, 0.0), gaze=(0.0, 0.0), scale=0.6, noise=0.0, blur=0.0, cap=None,
            light=Light(azimuth=25.0, elevation=30.0, strength=0.9, ambient=0.55, tint=(1.0, 1.0, 1.0)),
        )  # fmt: skip
        rng = np.random.default_rng(number)
        faces = [
            replace(still, expression=name, action_units=sample_action_units(name, rng, 0.95), yaw=yaw)
            for name in EXPRESSIONS
            for yaw in (0.0, 40.0 * rng.choice((-1, 1)))
        ]
        rows.append(np.concatenate(list(render(faces, size)), axis=1))
    return np.concatenate(rows, axis=0)
