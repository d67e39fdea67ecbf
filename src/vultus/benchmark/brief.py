"""The table at a glance: a column for each set and task, no intervals, the rows by their average rank."""

import statistics

from vultus.benchmark.board import Board
from vultus.report.results import Measure, Row, best, number, title


def brief(board: Board) -> tuple[list[str], list[list[str]]]:
    """Heads and rows, best first; rows without a rank stand at the end in their order."""
    ranks = dict(zip(board.ranks.names, board.ranks.average, strict=True)) if board.ranks else {}
    heads = ["method", *(["rank"] if ranks else []), *(_head(board, measure) for measure in board.first)]
    ordered = sorted(board.rows, key=lambda row: ranks.get(row.label, float("inf")))
    rows = []
    for row in ordered:
        rank = [f"{ranks[row.label]:.1f}" if row.label in ranks else "–"] if ranks else []
        rows.append([row.label, *rank, *(_cell(board, row, measure) for measure in board.first)])
    return heads, rows


def _head(board: Board, measure: Measure) -> str:
    """What is read, with half the usual width of an interval: `identity accuracy %, lfw (± 1.1)`."""
    figures = [row.cells[measure] for row in board.rows if measure in row.cells]
    unit = f" {figures[0].unit}" if figures[0].unit else ""
    width = number(statistics.median((f.high - f.low) / 2 for f in figures), figures[0].unit)
    low = ", lower is better" if figures[0].lower_is_better else ""
    return f"{' '.join(title(measure))}{unit}, {measure.place} (± {width}{low})"


def _cell(board: Board, row: Row, measure: Measure) -> str:
    figure = row.cells.get(measure)
    if figure is None:
        return "–"
    top, value = best(board.rows, measure), number(figure.value, figure.unit)
    if row.contest and top is not None and figure.value == top.value:
        return f"**{value}**"
    return f"{value} ≈" if measure in row.level else value
