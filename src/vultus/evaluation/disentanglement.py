"""How well a model keeps pose, expression and person apart: leakage, swaps, invariance; `vultus disentangle`.

Leakage needs a labelled face set. Swaps and invariance are measured on rendered faces, of which one thing alone is
changed, so that the true answer is known.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.factors import Leakage, factors, leakage
from vultus.evaluation.invariance import Curve, curves
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.rendered import Pixels, Triples, people, sweeps, swept, triples
from vultus.evaluation.swap import Swap, follows_pose, swap_errors, swaps
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.methods.model import load

FILE = "disentanglement.json"
BATCH = 256
PLAIN = Protocol()


@dataclass(frozen=True)
class Disentanglement:
    """All that was measured of one model; leakage is None where no labelled set was at hand."""

    method: str
    seed: int
    leakage: Leakage | None
    swap: Swap
    curves: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "method": self.method,
            "seed": self.seed,
            "leakage": self.leakage.to_dict() if self.leakage else None,
            "swap": asdict(self.swap),
            "curves": [asdict(curve) for curve in self.curves],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Disentanglement":
        """The inverse of `to_dict`."""
        return cls(
            values["method"],
            values["seed"],
            Leakage.from_dict(values["leakage"]) if values["leakage"] else None,
            Swap.from_dict(values["swap"]),
            tuple(Curve.from_dict(one) for one in values["curves"]),
        )


def disentangle(
    run: str | Path,
    data: str | Path | None = None,
    *,
    protocol: Protocol = PLAIN,
    persons: int = 16,
    swapped: int = 128,
    tell: Callable[[str], None] = lambda line: None,
) -> Disentanglement:
    """Measure the model of a run; some 1,200 pictures are rendered, about half a minute.

    data: the labelled set whose factors are read from every feature; without one, leakage is left out. persons: people
    whose sweeps are rendered. swapped: triples. `tell` hears what is being done.
    Raises ModuleNotFoundError, saying what to install, when the head mesh is missing, and ValueError for fewer than two
    people or triples, or a set that tells no factor.
    """
    if min(persons, swapped) < 2:
        raise ValueError(f"expected two people and two triples or more, got {persons} and {swapped}")
    folder, seed = Path(run), protocol.seed
    labelled = FaceSet.open(data) if data is not None else None
    if labelled is not None:
        factors(labelled)  # before anything is rendered
    model = load(folder)
    tell(f"rendering {swapped} faces in the pose of others")
    cases = triples(swapped, model.size, seed)  # before the costly part, since the mesh may be missing
    leaks = None
    if labelled is None:
        tell("no labelled face set: leakage is left out")
    else:
        tell(f"reading every feature of {model.name} for expression, identity and head pose")
        leaks = leakage(model, labelled, protocol, cache=folder / "features")
        for name, reason in leaks.left_out.items():
            tell(f"{name} is left out: {reason}")
    swap, centre = _swap(model, cases, seed)
    found: list[Curve] = []
    faces = people(persons, seed)
    for sweep in sweeps():
        tell(f"rendering {persons} people: {sweep.factor}")
        shown = swept(sweep, faces, model.size)
        flat = features_of(model, shown.reshape(-1, *shown.shape[2:]))
        found += curves({k: v.reshape(*shown.shape[:2], -1) for k, v in flat.items()}, sweep, centre, seed)
    return Disentanglement(model.name, seed, leaks, swap, tuple(found))


def features_of(model: Any, images: Pixels) -> dict[str, NDArray[np.float32]]:
    """Every feature of pictures uint8 [N, 3, S, S], name → [N, D]."""
    parts = [model.features(images[at : at + BATCH]) for at in range(0, len(images), BATCH)]
    return {name: np.concatenate([np.asarray(part[name], np.float32) for part in parts]) for name in parts[0]}


def known_set(run: str | Path) -> Path | None:
    """The face set that a run learned from, where it still lies there and tells a factor."""
    plan = Path(run) / "run.json"
    told = json.loads(plan.read_text(encoding="utf-8")).get("faces_path", "") if plan.exists() else ""
    try:
        factors(FaceSet.open(told or run))
    except (OSError, ValueError):
        return None
    return Path(told)


def keep(result: Disentanglement, folder: Path) -> Path:
    """Write a result into a folder; returns the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / FILE, json.dumps(result.to_dict(), indent=1).encode())
    return folder / FILE


def read_disentanglement(folder: Path) -> Disentanglement | None:
    """What a run's folder holds of this; None where it is missing. Raises ValueError where it is damaged."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Disentanglement.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): run `vultus disentangle` again") from error


def _swap(model: Any, cases: Triples, seed: int) -> tuple[Swap, dict[str, NDArray[np.float32]]]:
    """The swap's figures, and the mean of every feature over all faces A and B, [1, D]."""
    errors, flipped = swap_errors(model.method, cases, seed) if swaps(model.method) else ((), ())
    a, b, truth = (features_of(model, side) for side in (cases.a, cases.b, cases.truth))
    centre = {
        name: np.concatenate([a[name], b[name]]).mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32)
        for name in a
    }
    return Swap(len(cases.a), errors, flipped, follows_pose(a, b, truth, centre, seed)), centre
