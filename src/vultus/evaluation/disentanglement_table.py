"""What was measured of a model's disentanglement as tables; values have their intervals on a line below."""

from collections.abc import Iterable, Sequence

import numpy as np
from rich.console import Group

from vultus.evaluation.disentanglement import Disentanglement
from vultus.evaluation.factors import Leakage
from vultus.evaluation.invariance import Curve
from vultus.evaluation.swap import Answer
from vultus.evaluation.table import Grid, grid, stack, stacked
from vultus.faces.synthetic import EXPRESSIONS

LEAKAGE = "What can be read from each feature"
RENDERED = "What changes each feature: its similarity to itself when one factor alone changes"
SWAP, FLIP = "A's face with B's pose: error to the truth", "A's face with its mirror's pose: error to the mirror"


def grids(result: Disentanglement) -> dict[str, Grid]:
    """By title: leakage, what changes a feature, and where the method draws, its errors."""
    found = {RENDERED: _rendered(result)}
    if result.leakage is not None:
        found = {f"{LEAKAGE} ({result.leakage.figures[0].data})": _leakage(result.leakage)} | found
    if result.swap.errors:
        found[SWAP] = _errors(result.swap.errors, result.swap.n)
        found[FLIP] = _errors(result.swap.flipped, result.swap.n)
    return found


def terminal(result: Disentanglement) -> Group:
    """All tables, printed by any rich console."""
    return stack(grids(result))


def _leakage(found: Leakage) -> Grid:
    """The tasks' figures, and how much of the readable pose a feature holds."""
    made = grid(found.figures, everything=True, cell=stacked)
    _, *heads = (head.removeprefix(f"{found.figures[0].data}: ") for head in made.heads)  # one method, one set
    rows = [(feature or foot, *cells) for foot, feature, *cells in made.rows]
    if found.pose_held:
        heads.append("pose held")
        rows = [(*row, f"{found.pose_held[row[0]]:.0%}" if row[0] in found.pose_held else "") for row in rows]
    return Grid(tuple(heads), tuple(rows))


def _rendered(result: Disentanglement) -> Grid:
    """A row for each feature, a column for each factor; the expressions are averaged."""
    kinds = list(dict.fromkeys(_kind(curve) for curve in result.curves))
    rows = []
    for answer in result.swap.follows_pose:
        own = [curve for curve in result.curves if curve.feature == answer.name]
        similar = (_mean(curve.changed for curve in own if _kind(curve) == kind) for kind in kinds)
        share = (f"{100 * value:.1f}" for value in (answer.value, answer.low, answer.high))
        others = _mean(curve.others for curve in own)
        rows.append((answer.name, *similar, others, stacked(*share)))
    return Grid(("feature", *kinds, "another person", "follows pose %"), tuple(rows))


def _kind(curve: Curve) -> str:
    return "expression" if curve.factor in EXPRESSIONS else curve.factor


def _mean(values: Iterable[float]) -> str:
    return f"{float(np.mean(list(values))):.2f}"


def _errors(answers: Sequence[Answer], count: int) -> Grid:
    rows = tuple((one.name, f"{one.value:.3f}", f"{one.low:.3f}–{one.high:.3f}") for one in answers)
    return Grid(("answer", f"L1 over {count} faces", "95 %"), rows)
