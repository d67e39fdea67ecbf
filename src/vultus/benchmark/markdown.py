"""The tables as Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from vultus.benchmark.against import HOW, against
from vultus.benchmark.board import Board
from vultus.benchmark.brief import brief, heading, marked
from vultus.benchmark.plan import Plan
from vultus.benchmark.published import Table
from vultus.benchmark.words import (
    COSTS,
    NOT_COMPARABLE,
    beside,
    cost_cells,
    gaps,
    how_to_read,
    ranks_in_words,
    terms,
    verdict,
)
from vultus.report.results import Measure, Row, number, spread

AT_A_GLANCE = (
    "Bold is the best, ≈ what cannot be told from it, – behind a value "
    "what cannot be compared with it; ± half the usual width of a 95 % interval (of one seed)."
)


def markdown(made: Plan, board: Board) -> str:
    """The whole of `benchmark.md`."""
    parts = ["# Benchmark", _list(f"**{name}:** {text}" for name, text in terms(made).items())]
    if board.rows:
        parts += ["## In brief", _at_a_glance(board), table(*brief(board)), "## Results", _results(board)]
        parts += [_list(": ".join(verdict(board, measure)) for measure in board.columns), _list(how_to_read(made))]
    else:
        parts.append("Nothing was read yet.")
    parts += ["## Ranks", ranks_in_words(board.ranks) if board.ranks else board.why_no_ranks]
    for name in made.config.against:
        parts += [f"## Against {name}", HOW.format(name), table(*against(board, name))]
    if board.costs:
        rows = [(label, *cost_cells(cost)) for label, cost in board.costs.items()]
        parts += ["## Cost of pre-training", "Means over seeds.", table(("method", *COSTS), rows)]
    if papers := beside(made, board):
        parts += ["## Published figures", NOT_COMPARABLE]
        parts += [text for one, own in papers for text in (_heading(one), _published(one, own))]
    parts += [f"## {head}\n\n{_list(lines)}" for head, lines in gaps(made, board)]
    return "\n\n".join(parts) + "\n"


def _at_a_glance(board: Board) -> str:
    return ("Rows by their average rank over these columns. " if board.ranks else "") + AT_A_GLANCE


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """GitHub-flavoured."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _results(board: Board) -> str:
    heads = ["method", "values", *(_head(board, measure) for measure in board.columns)]
    rows = [_row(board, row) for row in board.rows]
    chances = []
    for measure in board.columns:
        figure = board.example(measure)
        chances.append(number(figure.chance, figure.unit))
    return table(heads, [*rows, ("chance", "", *chances)])


def _head(board: Board, measure: Measure) -> str:
    figure = board.example(measure)
    return heading(board, measure, f"n = {figure.n:,}")


def _row(board: Board, row: Row) -> list[str]:
    name = row.label if row.feature in (row.label, "") else f"{row.label} `{row.feature}`"
    if row.note:
        name += f" ({row.note})"
    return [name, " / ".join(f"{d:,}" for d in row.dims), *(_cell(board, row, m) for m in board.columns)]


def _cell(board: Board, row: Row, measure: Measure) -> str:
    figure = row.cells.get(measure)
    beside = f" {_beside(figure.detail.get('seeds'), spread(figure))}" if figure else ""
    return marked(board, row, measure) + beside


def _beside(seeds: object, text: str) -> str:
    return f"{text} ({seeds} seeds)" if seeds else f"({text})"


def _heading(one: Table) -> str:
    parts = f"; behind it: {one.parts}" if one.parts else ""
    return f"### {one.title}{parts}"


def _published(one: Table, own: Mapping[str, str]) -> str:
    rows = [(f.method, f.credit, f.printed, own.get(f.method, "–")) for f in one.figures]
    heads = ("method", "paper", "published", "here")
    return table(heads if own else heads[:3], rows if own else [row[:3] for row in rows])
