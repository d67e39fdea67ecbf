"""Every row against a chosen one: paired differences on the same test samples, column by column."""

from vultus.benchmark.board import Board
from vultus.benchmark.brief import called
from vultus.benchmark.significance import ALPHA, holm
from vultus.evaluation.bootstrap import Difference
from vultus.evaluation.paired import differences, why_not
from vultus.report.results import Measure, number

HOW = (
    "How much better than {} every other row is, above 0 also where an error is smaller, with the 95 % interval of the "
    "difference (paired bootstrap on the same test samples); ≈: not beyond chance at 5 %, after Holm over the column's "
    "rows; –: not to be compared. Counted first: columns where a row is better, level and worse."
)


def against(board: Board, reference: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table against the row `reference`, which must be one of the board's."""
    columns = [_column(board, reference, measure) for measure in board.columns]
    one = [board.example(measure) for measure in board.columns]
    heads = ["method", "better, level, worse", *(called(f, m) for f, m in zip(one, board.columns, strict=True))]
    rows = []
    for label in (row.label for row in board.rows if row.label != reference):
        found = [column.get(label) for column in columns]
        cells = (_cell(cell, figure.unit) for cell, figure in zip(found, one, strict=True))
        rows.append([label, _counted([cell for cell in found if cell]), *cells])
    return heads, rows


def _column(board: Board, reference: str, measure: Measure) -> dict[str, tuple[Difference, bool]]:
    """By row the difference in its favour, and whether it is beyond chance."""
    figures = {row.label: row.cells[measure] for row in board.rows if measure in row.cells}
    other = figures.pop(reference, None)
    rivals = {name: figure for name, figure in figures.items() if other and not why_not(other, figure)}
    if other is None or not rivals:
        return {}
    found = [_turned(change) for change in differences(other, list(rivals.values()))]
    beyond = [p < ALPHA for p in holm([change.p for change in found])]
    return dict(zip(rivals, zip(found, beyond, strict=True), strict=True))


def _turned(change: Difference) -> Difference:
    """From the reference's favour into the row's."""
    return Difference(-change.value, -change.high, -change.low, change.p, change.n)


def _counted(cells: list[tuple[Difference, bool]]) -> str:
    clear = [change.value > 0 for change, beyond in cells if beyond]
    return f"{sum(clear)}, {len(cells) - len(clear)}, {len(clear) - sum(clear)}"


def _cell(cell: tuple[Difference, bool] | None, unit: str) -> str:
    if cell is None:
        return "–"
    change, beyond = cell
    value, low, high = (_signed(number(v, unit)) for v in (change.value, change.low, change.high))
    return f"{'+' * (value[0] != '−')}{value} ({low} to {high}){'' if beyond else ' ≈'}"


def _signed(text: str) -> str:
    return text.replace("-", "−" if float(text) else "")
