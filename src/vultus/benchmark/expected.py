"""How long a benchmark will take, from what its finished parts took."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from vultus.benchmark.plan import DONE, Plan, Reading, Subject
from vultus.benchmark.pretraining import cost
from vultus.screen import counted

START = 15.0  # seconds that a process needs before its first step


@dataclass(frozen=True)
class Expected:
    """`seconds` of all that can be told, and how many pre-trainings and readings cannot be."""

    seconds: float
    trainings: int = 0
    readings: int = 0
    guessed: int = 0  # counted in the seconds like the average of those that have been timed

    def __str__(self) -> str:
        counts = (self.trainings, "pre-training"), (self.readings, "reading")
        unknown = " and ".join(counted(n, what) for n, what in counts if n)
        if not unknown:
            guessed = f", {counted(self.guessed, 'reading')} of it guessed from others" if self.guessed else ""
            return duration(self.seconds) + guessed
        told = f"{duration(self.seconds)}, not counting" if self.seconds else "not known:"
        return f"{told} {unknown} of a kind not timed yet"


@dataclass(frozen=True)
class Rates:
    """Measured: faces a second by entry, seconds of a reading by question."""

    faces: Mapping[str, float] = field(default_factory=dict)
    readings: Mapping[str, float] = field(default_factory=dict)


def measured(made: Plan) -> Rates:
    """From what lies finished in the benchmark's folder, whatever its budget was."""
    faces: dict[str, list[float]] = {}
    for entry in made.entries:
        for run in (made.out / "runs").glob("*"):
            own = re.fullmatch(re.escape(entry.slug) + r"-[\d.]+[me]-s\d+", run.name)
            if own and (run / "config.json").exists() and (spent := cost(run)).wall:
                faces.setdefault(entry.label, []).append(spent.faces / max(spent.wall - START, 1.0))
    readings: dict[str, list[float]] = {}
    for note in made.out.glob(f"*/*/readings/*/{DONE}"):
        seconds = float(json.loads(note.read_text())["seconds"])
        readings.setdefault(note.parent.name.rpartition("-s")[0], []).append(seconds)
    return Rates(_means(faces), _means(readings))


def _means(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: fmean(values) for name, values in found.items()}


def expected(made: Plan, rates: Rates, subjects: Sequence[Subject] | None = None) -> Expected:
    """Of all that is missing, or of these models alone; a pre-training that was begun counts as a whole one.

    A reading of a kind that was not timed yet is taken for an average one.
    """
    seconds, trainings, readings, guessed = 0.0, 0, 0, 0
    average = fmean(rates.readings.values()) if rates.readings else None
    for subject in made.subjects if subjects is None else subjects:
        if not subject.trained:
            one = training_seconds(made, subject, rates)
            seconds += one or 0.0
            trainings += one is None
        for reading in made.readings(subject):
            if not reading.done:
                one = reading_seconds(reading, rates)
                guessed += one is None and average is not None
                one = average if one is None else one
                seconds += one or 0.0
                readings += one is None
    return Expected(seconds, trainings, readings, guessed)


def training_seconds(made: Plan, subject: Subject, rates: Rates) -> float | None:
    """Of one pre-training; None where nothing tells."""
    if made.budget.minutes:
        return START + 60 * made.budget.minutes
    rate = rates.faces.get(subject.row)
    if rate is None or made.unlabelled is None:
        return None
    return START + made.budget.epochs * made.unlabelled.count / rate


def reading_seconds(reading: Reading, rates: Rates) -> float | None:
    """Of one reading; None where no model was asked the same yet."""
    return rates.readings.get(reading.question.key)


def duration(seconds: float) -> str:
    """In words, to about a twentieth: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
