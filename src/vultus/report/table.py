"""The result table in HTML, and its verdicts in words."""

from collections.abc import Sequence

from vultus.evaluation.figure import Figure
from vultus.evaluation.paired import difference, why_not
from vultus.report.markup import Markup, element, join
from vultus.report.results import BASELINES, Measure, Row, best, number, spread, title

UNITS = {"%": " %", "°": "°", "": ""}  # behind a value; others are words
JOINER = "\u2060"  # keeps an interval on one line of a sentence


def result_table(table: Sequence[Row], columns: Sequence[Measure], caption: str) -> Markup:
    """Rows by columns, chance last; each cell a value and its 95 % interval, or of a mean over seeds its deviation.

    The best of a column is bold; `≈` marks a value that cannot be told from it.
    """
    shown = [row for row in table if any(m in row.cells for m in columns)]
    head = [_head("feature"), _head("values", "num"), *(_column_head(table, m) for m in columns)]
    winners = [best(table, m) for m in columns]
    told = {row.label: i for i, row in reversed(list(enumerate(shown)))}  # a baseline is explained where it comes first
    body = [_row(row, columns, winners, told[row.label] == i) for i, row in enumerate(shown)]
    parts = [
        element("thead", element("tr", *head)),
        element("tbody", *body, _chance(shown, columns)),
    ]
    inner = element("table", *parts, class_="results", aria_label=caption)
    box = element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return join((element("p", caption, class_="caption"), box))


def verdict(table: Sequence[Row], measure: Measure) -> Markup:
    """Whether the best learned feature stands above the best baseline, in one sentence."""
    task, metric = title(measure)
    name = element("b", f"{task}, {metric}")
    top, floor = _rivals(table, measure)
    start = f" on {measure.place}: "
    if top is None:
        return element("li", name, start, "no learned feature was measured.")
    start += f"{_of(top)} {_spoken(top.cells[measure])}; "
    if floor is None:
        return element("li", name, start, f"chance {_spoken_chance(top.cells[measure])}; no baseline was measured.")
    start += f"best baseline {_of(floor)} {_spoken(floor.cells[measure])}. "
    compared = element("em", _compared(top.cells[measure], floor.cells[measure]))
    return element("li", name, start, compared, _unlike(table, measure, top, floor))


def _rivals(table: Sequence[Row], measure: Measure) -> tuple[Row | None, Row | None]:
    """The best learned row and the best baseline, both with mirror images or both without where the table has such."""
    both = [(_top(table, measure, True, alike), _top(table, measure, False, alike)) for alike in (False, True)]
    pairs = [(top, floor) for top, floor in both if top is not None and floor is not None]
    if not pairs:
        return _top(table, measure, True), _top(table, measure, False)
    return max(pairs, key=lambda pair: _rank(pair[0].cells[measure]))


def _top(table: Sequence[Row], measure: Measure, learned: bool, mirrored: bool | None = None) -> Row | None:
    found = [row for row in table if row.contest and row.learned is learned and measure in row.cells]
    found = [row for row in found if mirrored in (None, row.mirrored)]
    return max(found, key=lambda row: _rank(row.cells[measure]), default=None)


def _unlike(table: Sequence[Row], measure: Measure, top: Row, floor: Row) -> str:
    """What a reader must know of the two: that they were not read alike, or that the best was not compared."""
    told = []
    if top.mirrored is not floor.mirrored:
        told.append(f"Only the {'learned feature' if top.mirrored else 'baseline'} was read with mirror images.")
    lengths = [row.cells[measure].dim for row in (top, floor)]
    if lengths[0] != lengths[1]:
        told.append(f"Lengths: {lengths[0]:,} and {lengths[1]:,} values.")
    first = _top(table, measure, True)
    if first is not None and first is not top:
        told.append(f"No baseline was read as {_of(first)} was, {_spoken(first.cells[measure])}.")
    return "".join(f" {line}" for line in told)


def _rank(figure: Figure) -> float:
    return -figure.value if figure.lower_is_better else figure.value


def _compared(a: Figure, b: Figure) -> str:
    """Learned against baseline: on the same test samples where their scores are kept, else by their intervals."""
    if not why_not(a, b):
        return _on_the_same(a, b)
    if a.low <= b.high and b.low <= a.high:
        return "Their intervals overlap: no clear difference."
    return "The learned feature is ahead." if _rank(a) > _rank(b) else "The baseline is ahead."


def _on_the_same(a: Figure, b: Figure) -> str:
    change = difference(a, b)
    if change.low <= 0 <= change.high:
        return "On the same test samples there is no clear difference."
    ahead, sign = ("learned feature", 1) if change.low > 0 else ("baseline", -1)
    size, *ends = (number(sign * value, a.unit) for value in (change.value, *(change.low, change.high)[::sign]))
    unit = " points" if a.unit == "%" else UNITS.get(a.unit, f" {a.unit}")
    return f"On the same test samples the {ahead} is ahead by {size}{unit} ({f'{JOINER}–{JOINER}'.join(ends)})."


def _of(row: Row) -> str:
    return row.label + row.what


def _spoken(figure: Figure) -> str:
    unit = UNITS.get(figure.unit, f" {figure.unit}")
    seeds = f" over {figure.detail['seeds']} seeds" if "seeds" in figure.detail else ""
    return f"{number(figure.value, figure.unit)}{unit} ({spread(figure)}{seeds})".replace("–", f"{JOINER}–{JOINER}")


def _spoken_chance(figure: Figure) -> str:
    return number(figure.chance, figure.unit) + UNITS.get(figure.unit, f" {figure.unit}")


def _head(text: str, kind: str = "") -> Markup:
    return element("th", text, scope="col", class_=kind)


def _column_head(table: Sequence[Row], measure: Measure) -> Markup:
    task, metric = title(measure)
    found = [row.cells[measure] for row in table if measure in row.cells]
    unit = {"%": ",\u00a0%", "°": ", degrees", "": ""}.get(found[0].unit, f", {found[0].unit}")
    better = "lower is better" if found[0].lower_is_better else ""
    counts = sorted({f.n for f in found})
    size = "n\u00a0=\u00a0" + " or ".join(f"{n:,}" for n in counts)
    lines = [task, element("span", f"{metric}{unit}"), element("span", f"{measure.place}, {size}")]
    if better:
        lines.append(element("span", better))
    return element("th", *lines, scope="col", class_="num")


def _row(row: Row, columns: Sequence[Measure], winners: Sequence[Figure | None], explain: bool) -> Markup:
    name: list[str] = [element("b" if row.learned else "span", row.label)]
    if row.what:
        name.append(element("span", row.what, class_="feature"))
    if row.note:
        name.append(element("small", row.note))
    if not row.learned:
        meaning = f": {BASELINES[row.label]}" if explain and row.label in BASELINES else ""
        name.append(element("small", f"baseline{meaning}"))
    cells = [_cell(row, m, winner) for m, winner in zip(columns, winners, strict=True)]
    dims = " / ".join(f"{d:,}" for d in row.dims)
    kind = ("learned" if row.learned else "baseline") + ("" if row.contest else " aside")
    return element("tr", element("th", *name, scope="row"), element("td", dims, class_="num"), *cells, class_=kind)


def _cell(row: Row, measure: Measure, winner: Figure | None) -> Markup:
    figure = row.cells.get(measure)
    if figure is None:
        return element("td", "–", class_="num none")
    value = number(figure.value, figure.unit).replace("-", "−")
    is_best = row.contest and winner is not None and figure.value == winner.value
    small = spread(figure)
    if "seeds" in figure.detail:
        small += f" · {figure.detail['seeds']} seeds"
    if len(row.dims) > 1:
        small += f" · {figure.dim:,} values"
    about = f"n {figure.n:,}, {figure.dim:,} values, seed {figure.seed}, chance {_spoken_chance(figure)}"
    shown = element("b" if is_best else "span", value)
    mark = " ≈" if measure in row.level else " –" if measure in row.apart else ""
    level = element("span", mark, class_="level") if mark and not is_best else ""
    return element("td", shown, level, element("small", small), class_="num", title=about)


def _chance(table: Sequence[Row], columns: Sequence[Measure]) -> Markup:
    cells = []
    for measure in columns:
        figures = [row.cells[measure] for row in table if measure in row.cells]
        values = sorted({number(f.chance, f.unit) for f in figures}, key=float)
        cells.append(element("td", "–".join([values[0], values[-1]][: len(values)]) if values else "–", class_="num"))
    name = element("th", "chance", element("small", "an answer blind to the face"), scope="row")
    return element("tr", name, element("td", class_="num"), *cells, class_="chance")


def all_measures(table: Sequence[Row], columns: Sequence[Measure]) -> Markup:
    """Every measure, folded: one table for each task, data and read-out."""
    parts = []
    for family in dict.fromkeys(m.family for m in columns):
        own = [m for m in columns if m.family == family]
        if len(own) > 1:
            caption = f"{title(own[0])[0]} on {own[0].place}"
            summary = element("summary", f"All {len(own)} measures: {caption}")
            parts.append(element("details", summary, result_table(table, own, caption)))
    return join(parts)
