"""The measured part of the page: verdicts, tables, bars, and how to read them; training curves."""

from collections.abc import Sequence

from vultus.evaluation.figure import Figure
from vultus.report.bars import bar_chart
from vultus.report.charts import to_svg
from vultus.report.collect import Run, groups
from vultus.report.curves import curve_chart, curve_title, curves
from vultus.report.markup import Markup, element, figure, join
from vultus.report.results import Measure, Named, Row, distinct, headlines, measures, number, rows, title
from vultus.report.section import Section, legend, note, run_colours
from vultus.report.table import all_measures, result_table, verdict

FROZEN = "The encoder is frozen; the strength of a read-out is chosen on validation faces."
TUNED = "Where it says fine-tuned, the encoder learned the labels too, and the epoch was chosen on validation faces."
MIRRORED = "Where it says mirrored, the feature is the mean of a face and its mirror image."
ONCE = "The test split is touched once."
PEEKED = "Where the epoch was selected on the test split, a figure is optimistic."
READING = (
    "Intervals are 95 % bootstrap intervals over the test faces, drawn by person where a set knows who is who. They "
    "leave out the spread between seeds of training: a small lead of a single run is not yet a lead.",
    "Published numbers can be the best over test epochs, and are made with larger encoders, faces and budgets; "
    "a number here is comparable with others in its column, and with published ones with this in mind.",
    "A feature that does not stand above the baselines has learned nothing that the picture did not offer. "
    "Lengths differ: compare rows of equal length where it matters.",
)


def named_figures(runs: Sequence[Run], given: Sequence[Figure]) -> list[Named]:
    """The figures given, or else those in the runs' folders, with the names they have on the page."""
    if given:
        return distinct(Named(f.method or "unnamed", f) for f in given)
    together = groups(runs)
    return distinct(
        Named(run.label, f, together.get(run.label, "")) if f.method in (run.method, "") else Named(f.method, f)
        for run in runs
        for f in run.figures
    )


def results(runs: Sequence[Run], named: Sequence[Named]) -> Section:
    """Verdicts, the headline table, bars, all measures, and the protocol."""
    if not named:
        text = "No figures yet: measure the runs (`vultus evaluate`) and make the page again."
        return Section("results", "Results", note(text))
    table, columns = rows(named), measures(named)
    main = headlines(columns)
    caption = f"{_kinds(columns)}, by task. Small: 95 % interval"
    if any(not row.contest for row in table):
        caption += "; of a mean over seeds the standard deviation, its runs below it and out of the contest"
    caption += ". Bold: best of its column."
    parts = [
        element("ul", *(verdict(table, m) for m in main), class_="verdicts"),
        result_table(table, main, caption),
        all_measures(table, columns),
        _bars(runs, table, main),
        element("h3", "How to read these numbers"),
        element("ul", *(element("li", line) for line in _protocol(table, columns)), class_="protocol"),
    ]
    return Section("results", "Results", join(parts))


def _tuned(measure: Measure) -> bool:
    return measure.readout.startswith("fine-tuned")


def _kinds(columns: Sequence[Measure]) -> str:
    """What the table is of."""
    tuned = {_tuned(measure) for measure in columns}
    if len(tuned) > 1:
        return "Frozen features and fine-tuned encoders"
    return "Fine-tuned encoders" if tuned == {True} else "Frozen features"


def _protocol(table: Sequence[Row], columns: Sequence[Measure]) -> tuple[str, ...]:
    """How the figures that are shown came about, and how to read them."""
    tuned = [measure for measure in columns if _tuned(measure)]
    made = [FROZEN] if len(tuned) < len(columns) else []
    made += [TUNED] if tuned else []
    made += [MIRRORED] if any(row.mirrored for row in table) else []
    made.append(PEEKED if any("test split" in measure.readout for measure in tuned) else ONCE)
    return " ".join(made), *READING


def _bars(runs: Sequence[Run], table: Sequence[Row], columns: Sequence[Measure]) -> Markup:
    own = run_colours(runs)
    colours = {together: own[label] for label, together in reversed(groups(runs).items())} | own
    contest = [row for row in table if row.contest]
    charts = []
    for measure in columns:
        task, metric = title(measure)
        found = [(r, r.cells[measure]) for r in contest if measure in r.cells]
        spoken = "; ".join(f"{r.label}{r.what} {number(f.value, f.unit)}" for r, f in found)
        alt = f"Bars of {task}, {metric}, on {measure.place}: {spoken}"
        heading = element("h4", f"{task}, {metric}", element("small", measure.place))
        charts.append(element("div", heading, to_svg(bar_chart(contest, measure, colours), alt), class_="chart"))
    caption = (
        "Best on top. Coloured: learned features, by run; grey: baselines. Black lines: 95 % intervals; dashed: "
        "chance. Look for coloured bars whose interval clears every grey one."
    )
    return figure(element("div", *charts, class_="charts"), caption)


def training(runs: Sequence[Run]) -> Section:
    """All curves of all runs."""
    drawn = curves(runs)
    if not drawn:
        return Section("training", "Training", note("No run has logged a step yet."))
    end = max(float(run.faces_seen) for run in runs)
    charts = []
    for name, own in drawn.items():
        chart = to_svg(curve_chart(name, own, end), f"{curve_title(name)} over faces seen")
        charts.append(element("div", element("h4", curve_title(name)), chart, class_="chart"))
    caption = (
        "Every run over the faces it has seen, losses unweighted. Look for a kNN probe that still climbs at the end "
        "(train longer), losses that level off, and an effective rank that stays far above 1: where it falls, "
        "faces collapse onto few directions."
    )
    body = join((legend(run_colours(runs)), figure(element("div", *charts, class_="charts"), caption)))
    return Section("training", "Training", body)
