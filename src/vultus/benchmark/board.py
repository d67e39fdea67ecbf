"""The answers of a benchmark arranged: rows with their means over seeds, what is best, what is level with it, ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vultus.benchmark.plan import Plan, Question, Subject
from vultus.benchmark.pretraining import Cost, cost, mean
from vultus.benchmark.ranks import Ranks, compare
from vultus.benchmark.reading import FAILED, headline
from vultus.benchmark.significance import level_with_best, not_comparable
from vultus.evaluation.figure import Figure
from vultus.evaluation.mirrored import called
from vultus.evaluation.over_seeds import over_seeds
from vultus.report.results import Measure, Row


@dataclass(frozen=True)
class Failure:
    """What could not be done, and why, in one line."""

    what: str
    error: str


@dataclass(frozen=True, eq=False)
class Board:
    """Columns in the plan's order; a column stands here once a row has it."""

    rows: tuple[Row, ...]
    columns: tuple[Measure, ...]
    first: tuple[Measure, ...]  # one column for each set and task
    costs: Mapping[str, Cost]  # by the row's label
    ranks: Ranks | None
    why_no_ranks: str
    failures: tuple[Failure, ...]

    def example(self, measure: Measure) -> Figure:
        """A figure of the column, for what all of it share."""
        return next(row.cells[measure] for row in self.rows if measure in row.cells)


def board(made: Plan) -> Board:
    """What lies in the benchmark's folder, whole or not."""
    rows: list[Row] = []
    unlike: list[Failure] = []
    questions: dict[Measure, Question] = {}
    for label, subjects in made.rows.items():
        cells: dict[Measure, Figure] = {}
        for question in made.questions:
            if found := _figures(made, subjects, question):
                try:
                    figure = over_seeds(found)
                except ValueError as reason:  # readings of other questions: one cell, and not the whole table
                    unlike.append(Failure(f"{label}: {question.words}", str(reason)))
                    continue
                cells[Measure.of(figure)] = figure
                questions.setdefault(Measure.of(figure), question)
        if cells:
            rows.append(_row(label, subjects, cells))
    columns = sorted(questions, key=lambda m: made.questions.index(questions[m]))
    for measure in columns:
        contest = {row.label: row.cells[measure] for row in rows if row.contest and measure in row.cells}
        level, apart = (level_with_best(contest), not_comparable(contest)) if contest else ((), ())
        for row in rows:
            if row.label in level:
                row.level.add(measure)
            if row.label in apart:
                row.apart.add(measure)
    independent = _independent(made, columns, questions)
    first = tuple(measure for measure, _ in independent)
    ranks, why = ranked(rows, independent)
    return Board(tuple(rows), tuple(columns), first, _costs(made), ranks, why, (*failures(made), *unlike))


def _figures(made: Plan, subjects: Sequence[Subject], question: Question) -> list[Figure]:
    readings = [r for s in subjects for r in made.readings(s) if r.question == question]
    return [figure for reading in readings if (figure := headline(reading)) is not None]


def _row(label: str, subjects: Sequence[Subject], cells: dict[Measure, Figure]) -> Row:
    first = subjects[0]
    notes = {"begun": "before its first step", "given": f"a run made elsewhere, {first.name}"}
    note = notes.get(first.kind, "")
    if first.reference:
        note += "; " * bool(note) + "taught by labels, out of the contest"
    elif first.kind == "baseline" and first.config is not None:
        note = f"of {first.config.encoder}"
    learned = first.kind != "baseline"
    feature = next(iter(cells.values())).feature.removesuffix(called("", mirrored=True))  # the read-out says so
    return Row(label, feature if learned else label, learned, cells, note, not first.reference)


def _independent(
    made: Plan, columns: Sequence[Measure], questions: Mapping[Measure, Question]
) -> list[tuple[Measure, Question]]:
    """A column for each set and task: further protocols of it are not further evidence."""
    found: dict[tuple[str, str], tuple[Measure, Question]] = {}
    for measure in columns:
        question = questions[measure]
        if question.first:
            found.setdefault((question.source.content, question.task), (measure, question))
    return list(found.values())


def ranked(rows: Sequence[Row], columns: Sequence[tuple[Measure, Question]]) -> tuple[Ranks | None, str]:
    """Average ranks of the rows that have every column; or why there are none."""
    measures = [measure for measure, _ in columns]
    whole = [row for row in rows if row.contest and all(m in row.cells for m in measures)]
    values = np.array([[row.cells[m].value for row in whole] for m in measures], np.float64)
    try:
        lower = [whole[0].cells[m].lower_is_better for m in measures] if whole else []
        names = [row.label for row in whole]
        # a set that is tested on after another was learned is the same set of faces
        sets = [question.source.content.rpartition(" → ")[2] for _, question in columns]
        return compare(names, values.reshape(len(measures), len(whole)), lower, sets), ""
    except ValueError:
        return None, (
            f"Average ranks need three tasks or more and three rows or more that were read on all of them; here are "
            f"{len(measures)} and {len(whole)}."
        )


def _costs(made: Plan) -> dict[str, Cost]:
    found = {}
    for label, subjects in made.rows.items():
        runs = [s.run or s.folder for s in subjects if s.kind in ("learned", "given") and s.trained]
        if runs:
            found[label] = mean([cost(run) for run in runs])
    return found


def failures(made: Plan) -> tuple[Failure, ...]:
    """What was tried and is still missing."""
    found = []
    for subject in made.subjects:
        if (subject.folder / FAILED).exists():
            found.append(Failure(subject.words, (subject.folder / FAILED).read_text(encoding="utf-8").strip()))
        for reading in made.readings(subject):
            note = reading.folder / FAILED
            if note.exists():
                what = f"{subject.words}: {reading.question.words}"
                found.append(Failure(what, note.read_text(encoding="utf-8").strip()))
    return tuple(found)
