"""Figures as a table: a row for each method and feature, a column for each task, chance at the foot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from vultus.evaluation.figure import Figure
from vultus.evaluation.tasks import TASKS

Row = tuple[str, str, int, str]  # method, feature, dimension, read-out
Column = tuple[str, str, str]  # data, task, metric


@dataclass(frozen=True)
class Grid:
    """The table as text: `heads` over `rows`, first the descriptions, then a cell for each column."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headlines(figures: Sequence[Figure]) -> list[Figure]:
    """The figures of the metric that stands for each task; its first where a set gives no such figure."""
    chosen: dict[tuple[str, str], str] = {}
    for f in figures:
        if f.task in TASKS and f.metric == TASKS[f.task].headline:
            chosen[f.data, f.task] = f.metric
        chosen.setdefault((f.data, f.task), f.metric)
    return [f for f in figures if f.metric == chosen[f.data, f.task]]


def inline(value: str, low: str, high: str) -> str:
    """A cell of Markdown."""
    return f"{value} [{low}, {high}]"


def stacked(value: str, low: str, high: str) -> str:
    """A cell of the terminal, two lines: tables of four tasks fit into 80 columns."""
    return f"{value}\n{low}–{high}"


def grid(figures: Sequence[Figure], *, everything: bool = False, cell: Callable[[str, str, str], str] = inline) -> Grid:
    """Arrange figures: the headline of each task, or every metric.

    A cell is a value with its 95 % bootstrap interval; with several seeds `mean ± standard deviation (seeds)`.
    Angles in degrees, shares in per cent. Rows and columns stand in order of appearance.
    """
    chosen = list(figures) if everything else headlines(figures)
    columns = list(dict.fromkeys((f.data, f.task, f.metric) for f in chosen))
    cells = _arranged(chosen)
    readouts = len({row[3] for row in cells}) > 1
    of = {(f.data, f.task, f.metric): units_of(f) for f in chosen}
    named = (column_head(column) + of[column] for column in columns)
    heads = ("method", "feature", "dim", *(("read-out",) if readouts else ()), *named)
    blank = ("",) * (3 + readouts - 1)
    body = [
        (
            method,
            feature,
            f"{dim:,}",
            *((readout,) if readouts else ()),
            *(_cell(own.get(c, []), cell) for c in columns),
        )
        for (method, feature, dim, readout), own in cells.items()
    ]
    chance = [_chance([f for f in chosen if (f.data, f.task, f.metric) == c]) for c in columns]
    counts = [f"{max(f.n for f in chosen if (f.data, f.task, f.metric) == c):,}" for c in columns]
    return Grid(heads, (*body, ("chance", *blank, *chance), ("test samples", *blank, *counts)))


def _arranged(figures: Sequence[Figure]) -> dict[Row, dict[Column, list[Figure]]]:
    """Figures by row and column; a task with one way of reading (identity) stands in the rows of every other way."""
    cells: dict[Row, dict[Column, list[Figure]]] = {}
    for f in sorted(figures, key=lambda f: "readout" not in f.detail):
        own = (f.method, f.feature, f.dim)
        rows = [(*own, str(f.detail.get("readout", "")))]
        if "readout" not in f.detail:
            rows = [row for row in cells if row[:3] == own] or rows
        for row in rows:
            cells.setdefault(row, {}).setdefault((f.data, f.task, f.metric), []).append(f)
    return cells


def markdown(figures: Sequence[Figure], *, everything: bool = False) -> str:
    """A GitHub-flavoured table."""
    table = grid(figures, everything=everything)
    lines = [table.heads, tuple("---" for _ in table.heads), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def terminal(figures: Sequence[Figure], *, everything: bool = False, title: str | None = None) -> Table:
    """A rich table, printed by any rich console."""
    made = grid(figures, everything=everything, cell=stacked)
    sets = {f.data for f in figures}
    common = f"{sets.pop()}: " if len(sets) == 1 else ""  # a name that every column repeats only takes width
    rows = tuple((row[0], "" if row[1] == row[0] else row[1], *row[2:]) for row in made.rows)
    return drawn(Grid(tuple(head.removeprefix(common) for head in made.heads), rows), title=title)


def drawn(made: Grid, *, title: str | None = None, texts: int = 2) -> Table:
    """A grid as a rich table; its first `texts` columns are words, the rest numbers."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i, head in enumerate(made.heads):
        table.add_column(head, justify="left" if i < texts else "right")
    for row in made.rows:
        table.add_row(*row, style="dim" if row[0] in ("chance", "test samples") else None)
    return table


def stack(made: Mapping[str, Grid]) -> Group:
    """Grids by title, one below the other; a title may be wider than its table."""
    parts = [(Text(title, "bold"), drawn(one, texts=1)) for title, one in made.items()]
    return Group(*(part for pair in parts for part in pair))


def column_head(column: Column) -> str:
    """What a column holds, and its unit."""
    data, task, metric = column
    unit = Figure(task, metric, 0, 0, 0, 0, 0, 0, 0, "").unit
    return f"{data}: {task.replace('_', ' ')} {metric.replace('_', ' ')}" + (f" {unit}" if unit else "")


def units_of(figure: Figure) -> str:
    """Of a mean of some of the action units that are read, how many it is of: `, 8 units`."""
    return f", {len(figure.behind)} units" if figure.detail.get("beside_the_mean") else ""


def _cell(found: Sequence[Figure], cell: Callable[[str, str, str], str]) -> str:
    if not found:
        return "–"
    if len(found) == 1:
        return shown(found[0], cell)
    values = [_scaled(f, f.value) for f in found]
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    return f"{_round(found[0], mean)} ± {_round(found[0], spread)} ({len(found)} seeds)"


def shown(figure: Figure, cell: Callable[[str, str, str], str] = inline) -> str:
    """A value with its interval."""
    low, high = sorted((_scaled(figure, figure.low), _scaled(figure, figure.high)))
    return cell(_number(figure, figure.value), _round(figure, low), _round(figure, high))


def _chance(found: Sequence[Figure]) -> str:
    return _number(found[0], float(np.mean([f.chance for f in found])))


def _number(figure: Figure, value: float) -> str:
    return _round(figure, _scaled(figure, value))


def _scaled(figure: Figure, value: float) -> float:
    return value * 100 if figure.unit == "%" else value


def _round(figure: Figure, value: float) -> str:
    return f"{value:.1f}" if figure.unit == "%" else f"{value:.2f}"
