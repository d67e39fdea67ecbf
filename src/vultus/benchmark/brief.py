"""The table at a glance: a column for each set and task, no intervals, the rows by their average rank."""

import statistics

from vultus.benchmark.board import Board
from vultus.evaluation.figure import Figure
from vultus.report.results import Measure, Row, best, number, title


def brief(board: Board) -> tuple[list[str], list[list[str]]]:
    """Heads and rows, best first; rows without a rank stand at the end in their order."""
    ranks = _ranks(board)
    heads = ["method", *(["rank"] if ranks else []), *(heading(board, m, _half(board, m)) for m in board.first)]
    rows = []
    for row in by_rank(board):
        rank = [f"{ranks[row.label]:.1f}" if row.label in ranks else "–"] if ranks else []
        rows.append([row.label, *rank, *(marked(board, row, measure) for measure in board.first)])
    return heads, rows


def by_rank(board: Board) -> list[Row]:
    """The board's rows, best first; rows without a rank stand at the end in their order."""
    ranks = _ranks(board)
    return sorted(board.rows, key=lambda row: ranks.get(row.label, float("inf")))


def _ranks(board: Board) -> dict[str, float]:
    return dict(zip(board.ranks.names, board.ranks.average, strict=True)) if board.ranks else {}


def heading(board: Board, measure: Measure, further: str) -> str:
    """What a column is, such as `identity accuracy %, lfw (further, lower is better)`."""
    figure = board.example(measure)
    better = ", lower is better" if figure.lower_is_better else ""
    return f"{called(figure, measure)} ({further}{better})"


def called(figure: Figure, measure: Measure) -> str:
    """The name of a column: `identity accuracy %, lfw`."""
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{' '.join(title(measure))}{unit}, {measure.place}"


def marked(board: Board, row: Row, measure: Measure) -> str:
    """A value: bold if it is the best of its column, ≈ if it cannot be told from that.

    – behind it if it cannot be compared with the best, alone where there is no value.
    """
    figure = row.cells.get(measure)
    if figure is None:
        return "–"
    top, value = best(board.rows, measure), number(figure.value, figure.unit)
    if row.contest and top is not None and figure.value == top.value:
        return f"**{value}**"
    return value + (" ≈" if measure in row.level else " –" if measure in row.apart else "")


def _half(board: Board, measure: Measure) -> str:
    """Half the usual width of a column's intervals."""
    figures = [row.cells[measure] for row in board.rows if measure in row.cells]
    return f"± {number(statistics.median((f.high - f.low) / 2 for f in figures), figures[0].unit)}"
