"""What a run learns from, one face set or several with weights: on the command line, and in run.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vultus.faces.faceset import FaceSet
from vultus.faces.mixture import Faces, Mixture
from vultus.training.config import RunConfig
from vultus.training.seeding import slots

Given = str | Path | Mapping[str, float] | Mapping[Path, float]
FORM = "a mixture is written SET:WEIGHT,SET:WEIGHT, such as real:0.7,rendered:0.3"


def learned_from(given: Given, config: RunConfig) -> Faces:
    """The faces of the run's split: of a set's folder, of `a:0.7,b:0.3`, or of folders with their weights.

    Weights are brought to sum 1. A set that knows no splits is learned from whole.
    Raises FileNotFoundError where no set lies, ValueError for weights that make no mixture, and for sets that hold
    fewer faces than their part of a batch.
    """
    asked = given if isinstance(given, Mapping) else weights_in(given)
    if not isinstance(asked, Mapping):
        chosen = _of_split(asked, config.split)
        _fills(chosen, config.batch, config)
        return chosen
    mixture = Mixture([_of_split(Path(path), config.split) for path in asked], list(asked.values()))
    for part, count in zip(mixture.parts, slots(mixture.weights, config.batch), strict=True):
        _fills(part, count, config)
    return mixture


def weights_in(text: str | Path) -> Path | dict[Path, float]:
    """The folder that `text` names, or the folders and weights of a mixture. Raises ValueError."""
    if isinstance(text, Path) or Path(text).exists() or "," not in text:
        return Path(text)
    found: dict[Path, float] = {}
    for piece in text.split(","):
        path, _, weight = piece.strip().rpartition(":")
        try:
            number = float(weight)
        except ValueError:
            number = float("nan")
        if not path or number != number:
            raise ValueError(f"{piece.strip()!r} has no weight: {FORM}; a path with a comma is given from Python")
        if Path(path) in found:
            raise ValueError(f"{path} is named twice; name it once, with the sum of the weights")
        found[Path(path)] = number
    return found


def described(faces: Faces) -> dict[str, Any]:
    """For run.json: `faces`, a hash of all that is learned from, and of a mixture `parts` with weights and hashes."""
    if isinstance(faces, FaceSet):
        return {"faces": faces.content_hash}
    parts = zip(faces.parts, faces.weights, strict=True)
    told = {
        str(number): {"name": part.card.name, "weight": weight, "count": len(part), "faces": part.content_hash}
        for number, (part, weight) in enumerate(parts, 1)
    }
    return {"faces": faces.content_hash, "parts": told}


def shown(faces: Faces) -> FaceSet:
    """The set whose faces are watched and shown: the first of a mixture."""
    return faces if isinstance(faces, FaceSet) else faces.parts[0]


def found_at(faces: Faces) -> dict[str, Any]:
    """For run.json, where it is no condition of resuming: the folder whose faces are shown, and those of all parts."""
    first = {"faces_path": str(shown(faces).path.resolve())}
    if isinstance(faces, FaceSet):
        return first
    return first | {"parts_paths": [str(part.path.resolve()) for part in faces.parts]}


def _of_split(path: Path, split: str) -> FaceSet:
    everything = FaceSet.open(path)
    if split == "all" or (split == "train" and "split" not in everything.columns):
        return everything
    if split not in everything.card.splits:
        known = ", ".join(everything.card.splits) or "no splits"
        raise ValueError(f"{path}: no split {split!r}; it has {known}, and --split all takes every face")
    return everything.where(split=split)


def _fills(faces: FaceSet, count: int, config: RunConfig) -> None:
    if len(faces) < count:
        inside = f" in split {config.split!r}" if config.split != "all" and "split" in faces.columns else ""
        of = f"a batch of {config.batch}" if count == config.batch else f"its {count} of a batch of {config.batch}"
        raise ValueError(
            f"{faces.path} has {len(faces)} faces{inside}, fewer than {of}: lower --batch"
            + (", or learn from every face by --split all" if inside else "")
        )
