"""Slices as tables: a row for each group, a column for each feature, the largest gap below its groups."""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Group

from vultus.evaluation.slices import Gap, Slice, Sliced
from vultus.evaluation.table import Grid, column_head, shown, stack, stacked


def grids(found: Sequence[Sliced]) -> dict[str, Grid]:
    """A grid for each task and label, by its title; values have their intervals on a line below."""
    made: dict[str, list[Sliced]] = {}
    for one in found:
        f = one.figure
        made.setdefault(f"{f.method}, {column_head((f.data, f.task, f.metric))} by {one.by}", []).append(one)
    return {title: _grid(own) for title, own in made.items()}


def terminal(found: Sequence[Sliced]) -> Group:
    """Every grid, printed by any rich console."""
    return stack(grids(found))


def _grid(own: Sequence[Sliced]) -> Grid:
    columns = [{s.group: s for s in one.slices} for one in own]
    names = list(dict.fromkeys(s.group for one in own for s in one.slices))
    rows = []
    for name in names:
        own_slices = [column[name] for column in columns if name in column]
        n, few = max(s.n for s in own_slices), own_slices[0].few
        cells = (_cell(one, column.get(name)) for one, column in zip(own, columns, strict=True))
        rows.append((name + (f" ({few})" if few else ""), f"{n:,}", *cells))
    if any(one.gap for one in own):
        rows.append(("largest gap", "", *(_gap(one, one.gap) for one in own)))
    if unknown := max(one.unknown for one in own):
        rows.append(("not known", f"{unknown:,}", *("" for _ in own)))
    return Grid(("group", "n", *(one.figure.feature for one in own)), tuple(rows))


def _cell(one: Sliced, found: Slice | None) -> str:
    if found is None:
        return "–"
    return shown(replace(one.figure, value=found.value, low=found.low, high=found.high), stacked)


def _gap(one: Sliced, gap: Gap | None) -> str:
    """The gap, between whom, and its p, corrected where it is one of several."""
    if gap is None:
        return "–"
    value = shown(replace(one.figure, value=gap.value, low=gap.low, high=gap.high), stacked)
    of = f" of {gap.pairs} pairs" if gap.pairs > 1 else ""
    return f"{value}\n{gap.best} over {gap.worst}\np {_p(gap.corrected)}{of}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
