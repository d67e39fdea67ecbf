"""`run`: does what is missing of a plan, then writes the tables; called again after any end, it goes on."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from vultus.benchmark.board import Board, Failure, board
from vultus.benchmark.expected import Rates, expected, measured
from vultus.benchmark.markdown import markdown
from vultus.benchmark.paces import paced, timed
from vultus.benchmark.page import page_of
from vultus.benchmark.plan import Plan, Reading, Subject
from vultus.benchmark.pretraining import learn
from vultus.benchmark.reading import FAILED, fail, read_all
from vultus.faces.atomic import write_atomic
from vultus.screen import counted
from vultus.training.turns import Tell

QUIET = 10.0  # seconds between two words about readings


@dataclass(frozen=True, eq=False)
class Outcome:
    """`board`: the figures as they stand in `markdown` and `page`."""

    board: Board
    markdown: Path
    page: Path

    @property
    def failures(self) -> tuple[Failure, ...]:
        return self.board.failures


def run(made: Plan, tell: Tell = lambda line: None) -> Outcome:
    """Pre-train and read model by model, then write `benchmark.md` and `benchmark.html`; `tell` hears of each part.

    What fails is noted and told at the end, and tried again by the next call. Raises KeyboardInterrupt when stopped:
    a pre-training has then saved, and what is read is kept.
    """
    made.out.mkdir(parents=True, exist_ok=True)
    made = paced(made, tell) if made.budget.minutes else made
    rates = rates_of(made, tell)
    for place, subject in enumerate(made.subjects):
        _do(made, subject, _Progress(made, place, rates, tell))
        rates = replace(rates, faces={**rates.faces, **measured(made).faces})
    return render(made)


def render(made: Plan) -> Outcome:
    """The tables from what is there."""
    found = board(made)
    outcome = Outcome(found, made.out / "benchmark.md", made.out / "benchmark.html")
    write_atomic(outcome.markdown, markdown(made, found).encode())
    write_atomic(outcome.page, page_of(made, found).encode())
    return outcome


@dataclass
class _Progress:
    """Says what begins, and how long all that is left will take; of short readings not each."""

    made: Plan
    place: int
    rates: Rates
    tell: Tell
    last: float = float("-inf")  # when it spoke

    def __call__(self, what: str, *, briefly: bool = False) -> None:
        if briefly and time.monotonic() - self.last < QUIET:
            return
        self.last = time.monotonic()
        rates = replace(self.rates, readings=measured(self.made).readings)
        left = expected(self.made, rates, self.made.subjects[self.place :])
        self.tell(f"model {self.place + 1} of {len(self.made.subjects)}: {what}; left: {left}")


def _do(made: Plan, subject: Subject, progress: _Progress) -> None:
    """A pre-training if one is missing, then the readings; a failure is noted."""
    note = subject.folder / FAILED
    if not subject.trained:
        progress(f"{subject.words} learns from {made.unlabelled.name if made.unlabelled else ''}")
        if error := learn(made, subject):
            fail(subject.folder, error)
            progress.tell(f"{subject.words} failed: {error}")
            return
    note.unlink(missing_ok=True)

    def before(reading: Reading) -> None:
        progress(f"{subject.words} is read: {reading.question.words}", briefly=True)

    try:
        read_all(made, subject, before)
    except Exception as error:  # a model that does not load, a full disk: the other models go on
        fail(subject.folder, error)
        progress.tell(f"{subject.words} failed: {error}")


def rates_of(made: Plan, tell: Tell) -> Rates:
    """Measured ones; where the budget is epochs, a few steps are timed of methods that no finished run speaks for."""
    rates = measured(made)
    missing = {s.row: s.entry for s in made.subjects if s.entry and not s.trained and s.row not in rates.faces}
    if not missing or not made.budget.epochs:
        return rates
    return replace(rates, faces={**rates.faces, **timed(made, [*missing.values()], 1, tell)})


def overview(made: Plan, rates: Rates | None = None) -> str:
    """What is planned, what of it is there, and the time expected, by `rates` or else by what has finished."""
    trainings = [s for s in made.subjects if s.kind == "learned"]
    readings = [r for s in made.subjects for r in made.readings(s)]
    done = sum(r.done for r in readings), sum(s.trained for s in trainings)
    lines = [
        f"{counted(len(trainings), 'pre-training')} ({counted(len(made.entries), 'method')} × "
        f"{counted(len(made.seeds), 'seed')}), {done[1]} finished"
        if trainings
        else "nothing is pre-trained",
        f"{counted(len(readings), 'reading')} ({counted(len(made.subjects), 'model')}, "
        f"{counted(len(made.questions), 'question')}), {done[0]} finished",
    ]
    lines += [f"  {question.words}" for question in made.questions]
    if made.left_out:
        lines += ["not read:", *(f"  {reason}" for reason in made.left_out)]
    lines += [f"note: {remark}" for remark in made.remarks]
    lines.append(f"models, in order: {'; '.join(f'{row} ({_state(made, own)})' for row, own in made.rows.items())}")
    return "\n".join([*lines, f"time expected: {_time(made, rates)}"])


def _state(made: Plan, own: list[Subject]) -> str:
    readings = [r for s in own for r in made.readings(s)]
    trained = f"{sum(s.trained for s in own)} of {len(own)} trained, " if own[0].kind == "learned" else ""
    return f"{trained}{sum(r.done for r in readings)} of {len(readings)} read"


def _time(made: Plan, rates: Rates | None) -> str:
    left = expected(made, rates or measured(made))
    if not left.seconds and not left.trainings and not left.readings:
        return "none: everything is there"
    steps = ", by a few steps of each method" if rates and made.budget.epochs else ""
    return f"{left} (an estimate, by the budget{steps} and by what has finished in {made.out})"
