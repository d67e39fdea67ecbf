"""The tables as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence

from vultus.benchmark.against import HOW, against
from vultus.benchmark.board import Board
from vultus.benchmark.brief import by_rank
from vultus.benchmark.diagram import rank_chart
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
from vultus.report.charts import to_svg
from vultus.report.markup import Markup, element, figure, join
from vultus.report.section import Section, contents, facts, fold, joined, note
from vultus.report.table import result_table
from vultus.report.template import page, today
from vultus.training.machine import hardware, versions


def page_of(made: Plan, board: Board) -> str:
    """The whole of `benchmark.html`."""
    sections = [_results(made, board), _ranks(board), *_against(made, board)]
    if board.costs:
        sections.append(_cost(board))
    sections.append(_terms(made))
    if papers := beside(made, board):
        sections.append(_published(papers))
    if missing := gaps(made, board):
        parts = [join((element("h3", head), _list(lines))) for head, lines in missing]
        sections.append(Section("gaps", "What is not in the tables, and what to mind", join(parts)))
    return page("Benchmark of face representations", _standfirst(made, board), contents(sections), joined(sections))


def _standfirst(made: Plan, board: Board) -> str:
    sets = len({question.source.name for question in made.questions})
    failed = f" {len(board.failures)} parts failed." if board.failures else ""
    counts = f"{len(board.rows)} rows, {len(board.columns)} columns on {sets} face set{'s' * (sets > 1)}"
    return f"{counts}: frozen features on equal terms.{failed} Made on {today()}."


def _results(made: Plan, board: Board) -> Section:
    if not board.rows:
        return Section("results", "Results", note("Nothing was read yet."))
    caption = (
        "Frozen features, by task. Bold: best of its column. ≈: no clear difference from it. –: not to be compared."
    )
    said = (element("li", element("b", name), f": {text}") for name, text in (verdict(board, m) for m in board.columns))
    once = board.first or board.columns  # a column for each set and task
    ordered = " Rows by their average rank." if board.ranks else ""
    tables = [result_table(by_rank(board), once, caption + ordered)]
    if len(board.columns) > len(once):
        tables.append(fold("Every protocol", result_table(board.rows, board.columns, caption)))
    parts = [
        *tables,
        element("ul", *said, class_="verdicts"),
        element("h3", "How to read these numbers"),
        _list(how_to_read(made)),
    ]
    return Section("results", "Results", join(parts))


def _ranks(board: Board) -> Section:
    if board.ranks is None:
        return Section("ranks", "Over all tasks", note(board.why_no_ranks))
    told = ranks_in_words(board.ranks)
    bars = "" if board.ranks.difference is None else " Thick bars join methods that this test cannot tell apart."
    caption = (
        f"{told}{bars} One column for each set and task counts, "
        "by its first read-out and with all labels; rows that lack one are left out."
    )
    drawn = to_svg(rank_chart(board.ranks), told)
    chart = element("div", drawn, class_="scroll ranks", tabindex=0, role="region", aria_label="Average ranks")
    return Section("ranks", "Over all tasks", figure(chart, caption))


def _against(made: Plan, board: Board) -> list[Section]:
    parts = [_table(HOW.format(name), *against(board, name)) for name in made.config.against]
    return [Section("against", "Row against row", join(parts))] if parts else []


def _cost(board: Board) -> Section:
    rows = [(label, *cost_cells(cost)) for label, cost in board.costs.items()]
    words = element(
        "p",
        "Means over seeds. Minutes and faces a second are of training alone; memory is the most that the process held "
        "resident; the effective rank is that of the feature at the end.",
    )
    return Section("cost", "What it cost", join((words, _table("Cost of pre-training", ("method", *COSTS), rows))))


def _terms(made: Plan) -> Section:
    machine = {"Versions": versions(), "Machine": hardware()}
    return Section("terms", "On what terms", facts({**terms(made), **machine}))


def _published(papers: Sequence[tuple[Table, Mapping[str, str]]]) -> Section:
    parts = [element("p", NOT_COMPARABLE)]
    for one, own in papers:
        rows = [(f.method, f.printed, *((own.get(f.method, "–"),) if own else ()), f.credit) for f in one.figures]
        heads = ("method", "published", *(("here",) if own else ()), "paper")
        caption = one.title + (f"; behind a mean: {one.parts}" if one.parts else "")
        inner = _table(caption, heads, rows, words=(0, len(heads) - 1))
        parts.append(inner if own else fold(caption, inner))
    return Section("published", "Published figures", join(parts))


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)) -> Markup:
    """Plain cells; the columns at `words` hold text, the others numbers."""
    kinds = ["" if i in words else "num" for i in range(len(heads))]
    head = element("tr", *(element("th", h, scope="col", class_=k) for h, k in zip(heads, kinds, strict=True)))
    body = []
    for name, *cells in rows:
        own = (element("td", cell, class_=kind) for cell, kind in zip(cells, kinds[1:], strict=True))
        body.append(element("tr", element("th", name, scope="row"), *own))
    inner = element("table", element("thead", head), element("tbody", *body), class_="results", aria_label=caption)
    box = element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return join((element("p", caption, class_="caption"), box))


def _list(lines: Sequence[str]) -> Markup:
    return element("ul", *(element("li", line) for line in lines), class_="protocol")
