"""What was compared, on what terms, and what came out, in sentences that both tables carry."""

from collections.abc import Mapping, Sequence

from vultus.benchmark.board import Board
from vultus.benchmark.cautions import cautions
from vultus.benchmark.plan import SUPERVISED, Plan
from vultus.benchmark.pretraining import Cost
from vultus.benchmark.published import Table, tables_of
from vultus.benchmark.ranks import FEWEST, Ranks
from vultus.benchmark.significance import best_of
from vultus.evaluation.tasks import TASKS
from vultus.report.results import Measure, Row, few, number, spread, title
from vultus.report.table import UNITS

_HOW_TO_READ = (
    "Bold is the best of a column. ≈ marks what cannot be told from it at 5 %: both are asked the same test samples, "
    "which are resampled together (paired bootstrap); p is corrected after Holm over the rows of the column. "
    "– behind a value: not to be compared with the best, since it is of other test samples or its scores are lost.",
    "One seed stands with its 95 % bootstrap interval over the test samples, several with mean ± standard deviation "
    "over seeds; the paired test then compares the means of the seeds' values. It covers the choice of test samples, "
    "not that of seeds. Where a set knows who is who, people are drawn, each with all their test faces.",
    "Every model is read by {feature}, frozen, under one protocol; the strength of a read-out is chosen on validation "
    "faces and the test split is touched once.",
    "A feature that does not stand above the baselines has learned nothing that the picture did not offer. Lengths "
    "differ: compare rows of equal length where it matters.",
)
PRINTED = ("", "linear")  # read-outs of the published figures: features compared, or a linear probe
NOT_COMPARABLE = (
    "Printed in papers, on other faces and a larger scale: larger pictures, encoders and budgets, and often the best "
    "over test epochs. For orientation, not for comparison."
)


def how_to_read(made: Plan) -> list[str]:
    """What the marks and the numbers mean."""
    feature = "the feature that its method chooses itself"
    if any(question.stages for question in made.questions):
        feature = f"every stage of its encoder, or where that has none by {feature}"
    return [line.replace("{feature}", feature) for line in _HOW_TO_READ]


def terms(made: Plan) -> dict[str, str]:
    """The terms of the comparison, name by name."""
    told = {
        "Budget": _budget(made),
        "Learned from": _faces(made),
        "Seeds": _seeds(made),
        "View side": f"{made.config.size} px",
    }
    encoders: dict[str, list[str]] = {}
    for entry in made.entries:
        encoders.setdefault(entry.encoder, []).append(entry.label)
    told["Encoder"] = "; ".join(f"{encoder}: {', '.join(own)}" for encoder, own in encoders.items())
    told["Settings"] = f"{', '.join(made.config.settings)} for all methods" if made.config.settings else ""
    told["Read-out"] = _readouts(made)
    told["Read on"] = "; ".join(dict.fromkeys(f"{q.source.name} ({q.source.faces:,} faces)" for q in made.questions))
    return {name: text for name, text in told.items() if text}


def _budget(made: Plan) -> str:
    if not made.entries:
        return "nothing was pre-trained here"
    if made.budget.minutes:
        return (
            f"{made.budget.minutes:g} minutes each: as many faces as its pace makes of them, all timed in turn on this "
            "machine before the first learned, so methods with lighter steps see more faces"
        )
    if made.budget.epochs:
        return f"{made.budget.epochs:g} epochs each: equal faces seen, so methods with heavier steps take longer"
    return "none: encoders are read as they begin"


def _faces(made: Plan) -> str:
    if made.unlabelled is None:
        return ""
    part = "split train" if made.unlabelled.split == "train" else "all of it, for it has no split train"
    taught = [entry.label for entry in made.entries if entry.method == SUPERVISED]
    labels = "without their labels" + (f" but for {', '.join(taught)}" if taught else "")
    return f"{made.unlabelled.count:,} faces of {made.unlabelled.name} ({part}), {labels}"


def _seeds(made: Plan) -> str:
    of = ["of each pre-training"] * bool(made.entries)
    of += ["of the draw of few labels"] * any(q.shots is not None for q in made.questions)
    return f"{', '.join(map(str, made.seeds))} {' and '.join(of)}; everything else has one" if of else ""


def _readouts(made: Plan) -> str:
    how = [q.readout for q in made.questions if q.readout]
    called = {"linear": "linear probe", "knn": "nearest neighbours", "kernel": "linear probe of similarities (kernel)"}
    parts = [called[name] for name in dict.fromkeys(how)]
    parts += ["cosine of features, nothing fitted"] if any(not q.readout for q in made.questions) else []
    labels = dict.fromkeys(few(q.shots) for q in made.questions if q.shots is not None)
    parts += [f"also with {', '.join(labels)}"] if labels else []
    if any(q.mirrored for q in made.questions):
        straight = sorted({q.task.replace("_", " ") for q in made.questions if not q.mirrored})
        parts += ["each face with its mirror image" + (f" but for {', '.join(straight)}" if straight else "")]
    parts += ["of encoders that have them every stage"] if any(q.stages for q in made.questions) else []
    if made.config.pca:
        parts += [f"on at most {made.config.pca} principal values, fitted on training faces"]
        if any(TASKS[q.task].compares for q in made.questions):
            parts[-1] += (
                f" (where features are compared whitened by {made.config.whiten:g}, and if the set has no training "
                "split, on the compared faces; for identity on those of the other folds)"
            )
    return "; ".join(parts)


def verdict(board: Board, measure: Measure) -> tuple[str, str]:
    """Of a column: its name, and what is best, what is level with it, and where the best baseline stands."""
    task, metric = title(measure)
    contest = {row.label: row for row in board.rows if row.contest and measure in row.cells}
    name = f"{task}, {metric}, on {measure.place}"
    if not contest:
        return name, "nothing was read that is in the contest."
    top = best_of({label: row.cells[measure] for label, row in contest.items()})
    said = f"{_spoken(contest[top], measure)} is best"
    level = [label for label, row in contest.items() if measure in row.level]
    if level:
        said += f"; not to be told from it: {', '.join(level)}"
    wins = contest[top].learned
    others = {label: row.cells[measure] for label, row in contest.items() if row.learned is not wins}
    if others:
        said += f"; best {'baseline' if wins else 'learned'} {_spoken(contest[best_of(others)], measure)}"
    return name, said + "."


def _spoken(row: Row, measure: Measure) -> str:
    figure = row.cells[measure]
    unit = UNITS.get(figure.unit, f" {figure.unit}")
    return f"{row.label} {number(figure.value, figure.unit)}{unit} ({spread(figure)})"


def ranks_in_words(ranks: Ranks) -> str:
    """The ranks, Friedman's verdict and the critical difference; with too few sets that these cannot be had."""
    over = f"{ranks.tasks} task{'s' * (ranks.tasks > 1)} on {ranks.sets} set{'s' * (ranks.sets > 1)}"
    said = f"Average ranks over {over}, 1 the best: " + ", ".join(
        f"{name} {rank:.2f}" for name, rank in zip(ranks.names, ranks.average, strict=True)
    )
    if ranks.difference is None:
        return said + (
            ". Whether they differ beyond chance is not tested: tasks on one set are not independent, and "
            f"Friedman's test needs {FEWEST} sets or more."
        )
    told = "the methods differ" if ranks.p < 0.05 else "no difference between the methods is shown"
    return said + (
        f". Ranks are averaged within each set, then over sets. Friedman's test over sets: χ² = {ranks.statistic:.1f}, "
        f"p = {ranks.p:.3g}: {told}. Nemenyi's critical difference at 5 % is {ranks.difference:.2f}: ranks closer than "
        "this cannot be told apart."
    )


COSTS = ("faces seen", "minutes", "faces/s", "peak memory, GB", "effective rank")


def cost_cells(cost: Cost) -> tuple[str, ...]:
    """A cell for each of COSTS."""
    rate = f"{cost.faces / cost.seconds:,.0f}" if cost.seconds else "–"
    memory = "–" if cost.memory is None else f"{cost.memory:.1f}"
    return f"{cost.faces:,.0f}", f"{cost.seconds / 60:.1f}", rate, memory, f"{cost.rank:.0f}"


def beside(made: Plan, board: Board) -> list[tuple[Table, Mapping[str, str]]]:
    """The published tables of the tasks read here; with own values by method where the same set was read.

    Of a task, tables of sets that were not read stand only where none of its sets was.
    """
    found: list[tuple[Table, Mapping[str, str]]] = []
    if not made.config.published:
        return found
    for task in dict.fromkeys(measure.task for measure in board.columns):
        tables = tables_of(task)
        own = {table.data: _here(table, made, board) for table in tables}
        some = any(own.values())
        found += [(table, own[table.data]) for table in tables if own[table.data] or not some]
    return found


def _here(table: Table, made: Plan, board: Board) -> dict[str, str]:
    columns = [
        m
        for m in board.columns
        if m.task == table.task and table.is_of(m.data) and m.shots is None and m.readout in PRINTED
    ]
    if not columns:
        return {}
    names = {label: own[0] for label, own in made.rows.items()}
    found: dict[str, str] = {}
    for row in board.rows:
        if columns[0] in row.cells:
            figure = row.cells[columns[0]]
            if table.units and tuple(figure.detail.get("units", ())) != table.units:
                continue  # a mean of other units
            found.setdefault(names[row.label].name, f"{number(figure.value, figure.unit)} ({spread(figure)})")
    return found


def gaps(made: Plan, board: Board) -> Sequence[tuple[str, Sequence[str]]]:
    """What is not in the tables, under the reason."""
    return [
        (head, lines)
        for head, lines in (
            ("Not read", made.left_out),
            ("Failed", [f"{failure.what}: {failure.error}" for failure in board.failures]),
            ("To be minded", cautions(board)),
            ("Remarks", made.remarks),
        )
        if lines
    ]
