"""What to mind of the figures that stand in the tables: leaks, values that never vary, what of a task was not read."""

from collections.abc import Mapping

from vultus.benchmark.board import Board
from vultus.evaluation.figure import Figure
from vultus.report.results import Measure, title

_Cells = Mapping[str, Figure]  # of one column, by row


def cautions(board: Board) -> list[str]:
    """A line for each column of which there is something to tell."""
    found = []
    for measure in board.columns:
        cells = {row.label: row.cells[measure] for row in board.rows if measure in row.cells}
        if said := [text for text in (_leaks(cells), _constant(cells), _skipped(cells), _untaught(cells)) if text]:
            found.append(f"{_named(measure)}: {'; '.join(said)}")
    return found


def _named(measure: Measure) -> str:
    task, metric = title(measure)
    return f"{task}, {metric}, on {measure.place}"


def _leaks(cells: _Cells) -> str:
    """The rows are asked the same test faces, so the most that one tells of holds for all."""
    leaked, of = max((int(f.detail.get("leaked_test_faces", 0)), f.n) for f in cells.values())
    told = "test faces whose very picture the read-out learns from, which flatters every row"
    return f"{leaked:,} of {of:,} {told}" if leaked else ""


def _constant(cells: _Cells) -> str:
    counts = {label: int(f.detail.get("constant_values", 0)) for label, f in cells.items()}
    told = ", ".join(f"{label} {count:,}" for label, count in counts.items() if count)
    return f"values of the feature that are the same for all training faces: {told}" if told else ""


def _skipped(cells: _Cells) -> str:
    reasons: dict[str, str] = {}
    for figure in cells.values():
        reasons = {**dict(figure.detail.get("skipped") or {}), **reasons}
    told = ", ".join(f"{name} ({reason})" for name, reason in reasons.items())
    return f"not read, and not in the mean: {told}" if told else ""


def _untaught(cells: _Cells) -> str:
    names = dict.fromkeys(str(name) for f in cells.values() for name in f.detail.get("untaught") or ())
    return f"not taught by the labels that were drawn, so answered alike for all: {', '.join(names)}" if names else ""
