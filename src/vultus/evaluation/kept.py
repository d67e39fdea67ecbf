"""A run's figures on disk: `evaluation.json`, and beside it `scores/` with what each test sample gave to them."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vultus.evaluation.figure import Figure, Scores
from vultus.faces.atomic import sha256_of, write_atomic

FILE = "evaluation.json"
SCORES = "scores"


def read_figures(folder: Path) -> tuple[Figure, ...]:
    """The figures in a run's evaluation.json; none where it is missing. Raises ValueError where it is damaged."""
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        return tuple(Figure.from_dict(one) for one in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): evaluate the run again") from error


def with_scores(folder: Path, figure: Figure) -> Figure:
    """The figure with its scores; as it is where none are kept, or where they cannot be read."""
    try:
        with np.load(_path(folder, figure), allow_pickle=False) as file:
            groups = file.get("groups")  # older files have none: each sample by itself
            return replace(figure, scores=Scores(file["rows"], file["columns"].astype(np.float64), groups))
    except (OSError, ValueError, KeyError):
        return figure


def add_figures(folder: Path, figures: Sequence[Figure]) -> str:
    """Add figures to a run's evaluation.json; the new one stands where circumstances are the same.

    Figures of another set of the same name make way: one name in a table stands for one set. Returns a line that
    says so, "" where none did.
    """
    (folder / SCORES).mkdir(exist_ok=True)
    for figure in figures:
        if figure.scores is not None:
            packed = io.BytesIO()
            kept: dict[str, Any] = {"rows": figure.scores.rows, "columns": figure.scores.columns.astype(np.float32)}
            if figure.scores.groups is not None:
                kept["groups"] = figure.scores.groups
            np.savez_compressed(packed, **kept)
            write_atomic(_path(folder, figure), packed.getvalue())
    sets = {f.data: f.detail.get("content") for f in figures}
    had = read_figures(folder)
    stay = [f for f in had if sets.get(f.data, f.detail.get("content")) == f.detail.get("content")]
    merged = {circumstances(f): f for f in (*stay, *figures)}
    write_atomic(folder / FILE, json.dumps([f.to_dict() for f in merged.values()], indent=1).encode())
    gone = ", ".join(dict.fromkeys(f.data for f in had if f not in stay))
    return gone and f"figures of another set named {gone} were replaced: give the sets different names (pack --name)"


def circumstances(f: Figure) -> tuple[object, ...]:
    """What tells two figures of a run apart."""
    how = (f.detail.get("readout"), f.detail.get("shots"), f.detail.get("whitened"))
    return f.method, f.feature, f.task, f.metric, f.data, f.dim, f.seed, *how


def _path(folder: Path, figure: Figure) -> Path:
    return folder / SCORES / f"{sha256_of(repr(circumstances(figure)).encode())[:24]}.npz"
