"""Figures arranged as a table: a row for each feature, a column for each measure."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from vultus.evaluation.figure import Figure
from vultus.evaluation.mirrored import called
from vultus.evaluation.over_seeds import over_seeds
from vultus.evaluation.protocol import WHITEN
from vultus.evaluation.tasks import TASKS
from vultus.methods.catalogue import METHODS

MIRRORED = called("")  # behind a feature's name
BASELINES = {
    "random": "the same encoder with random weights",
    "untrained": "the same encoder before its first step: random weights behind learned atoms",
    "pixels": "raw grey values",
    "lbp": "local binary patterns",
    "hog": "histograms of oriented gradients",
    "dictionary": "whitened patches, k-means, soft threshold, grid pooling (Coates & Ng 2011)",
}


@dataclass(frozen=True)
class Measure:
    """A column: what is comparable down it."""

    task: str
    data: str
    metric: str
    readout: str
    shots: float | None = None

    @classmethod
    def of(cls, figure: Figure) -> "Measure":
        how = figure.detail
        white = how.get("whitened", WHITEN)
        compared = f"whitened by {white:g}" if white not in (WHITEN, 0) else ""
        return cls(figure.task, figure.data, figure.metric, str(how.get("readout", compared)), how.get("shots"))

    @property
    def place(self) -> str:
        """The data, and the read-out and the labels where they are not the usual ones."""
        how = self.readout if self.readout.startswith("whitened") else f"{self.readout} read-out"
        readout = "" if self.readout in ("", "linear") else f", {how}"
        return self.data + readout + ("" if self.shots is None else f", {few(self.shots)}")

    @property
    def family(self) -> tuple[object, ...]:
        """Task, data, read-out and labels: the measures of one family are read off the same answers."""
        return self.task, self.data, self.readout, self.shots


def few(shots: float) -> str:
    """How many labels a read-out learned from, in words."""
    return f"{shots:g} shots" if shots >= 1 else f"{100 * shots:g} % of the labels"


@dataclass(frozen=True)
class Named:
    """A figure and what the page calls its method: the run's label where a run made it.

    group: what runs are called together that differ in their seed alone; "" for a run without such a sibling.
    """

    label: str
    figure: Figure
    group: str = ""

    @property
    def learned(self) -> bool:
        return self.figure.method in METHODS


@dataclass
class Row:
    """One feature's figures by measure; where it was read under several seeds, their means."""

    label: str
    feature: str
    learned: bool
    cells: dict[Measure, Figure] = field(default_factory=dict)
    note: str = ""  # small, under the name
    contest: bool = True  # can be the best: not a single run whose mean over seeds has a row, nor a reference
    level: set[Measure] = field(default_factory=set)  # where it cannot be told from the best
    apart: set[Measure] = field(default_factory=set)  # where it cannot be compared with it: other test samples

    @property
    def mirrored(self) -> bool:
        """Whether every face was read together with its mirror image."""
        return self.feature.endswith(MIRRORED)

    @property
    def what(self) -> str:
        """The feature as the page names it behind the label: nothing where it is called as its method is."""
        feature = self.feature.removesuffix(MIRRORED)
        return ("" if feature in ("", self.label) else f" {feature}") + (", mirrored" if self.mirrored else "")

    @property
    def dims(self) -> list[int]:
        """The lengths its read-outs saw, without repeats."""
        return sorted({f.dim for f in self.cells.values()}, reverse=True)


def distinct(named: Iterable[Named]) -> list[Named]:
    """Without repeats: runs evaluated beside the same baselines all list these."""
    kept: dict[tuple[str, str, int, int, Measure], Named] = {}
    for one in named:
        f = one.figure
        kept.setdefault((one.label, f.feature, f.dim, f.seed, Measure.of(f)), one)
    return list(kept.values())


def measures(named: Sequence[Named]) -> list[Measure]:
    """All columns, families together, in order of appearance."""
    found = list(dict.fromkeys(Measure.of(one.figure) for one in named))
    families = list(dict.fromkeys(m.family for m in found))
    return sorted(found, key=lambda m: families.index(m.family))


def headlines(columns: Sequence[Measure]) -> list[Measure]:
    """Of each family the metric that stands for its task, else its first."""
    chosen: dict[tuple[object, ...], Measure] = {}
    for measure in columns:
        wanted = TASKS[measure.task].headline if measure.task in TASKS else None
        if measure.family not in chosen or measure.metric == wanted:
            chosen[measure.family] = measure
    return list(chosen.values())


def rows(named: Sequence[Named]) -> list[Row]:
    """Learned features first, then baselines, each in order of appearance; a mean over runs stands before its runs.

    A feature read at several lengths (PCA) has a row for each.
    """
    found: list[Row] = []
    for one in sorted(_over_readings(named), key=lambda n: (not n.learned, -n.figure.dim)):
        f, measure = one.figure, Measure.of(one.figure)
        free = [r for r in found if (r.label, r.feature) == (one.label, f.feature) and measure not in r.cells]
        fitting = [r for r in free if f.dim in r.dims] or free
        if not fitting:
            fitting = [Row(one.label, f.feature, one.learned)]
            found += fitting
        fitting[0].cells[measure] = f
    order = list(dict.fromkeys((n.label, n.figure.feature) for n in named))
    ordered = sorted(found, key=lambda r: (not r.learned, order.index((r.label, r.feature))))
    return _over_runs(ordered, {n.label: n.group for n in named if n.group and n.learned})


def _over_readings(named: Sequence[Named]) -> list[Named]:
    """One of each run, feature, length and measure: the mean where it was read under several seeds."""
    alike: dict[tuple[str, str, int, Measure], list[Named]] = {}
    for one in named:
        alike.setdefault((one.label, one.figure.feature, one.figure.dim, Measure.of(one.figure)), []).append(one)
    return [one for own in alike.values() for one in _averaged(own)]


def _averaged(own: Sequence[Named]) -> list[Named]:
    """Their mean alone; all of them where they asked different things, such as other action units."""
    try:
        return [Named(own[0].label, over_seeds([n.figure for n in own]), own[0].group)]
    except ValueError:
        return [replace(n, figure=over_seeds([n.figure])) for n in own]


def _over_runs(table: Sequence[Row], groups: dict[str, str]) -> list[Row]:
    """Before a feature's rows of runs that differ in their seed alone, their mean; they leave the contest."""
    together: dict[tuple[object, ...], list[Row]] = {}
    for row in table:
        together.setdefault((groups.get(row.label, id(row)), row.feature, *row.dims), []).append(row)
    shown: list[Row] = []
    for (name, *_), own in together.items():
        if isinstance(name, str) and len(own) > 1:
            mean = _mean_row(name, own)
            shown += [mean] if mean.cells else []
            for row in own if mean.cells else ():
                row.contest = False
        shown += own
    return shown


def _mean_row(label: str, own: Sequence[Row]) -> Row:
    measures = dict.fromkeys(m for row in own for m in row.cells if sum(m in r.cells for r in own) > 1)
    cells = {}
    for measure in measures:
        with suppress(ValueError):  # runs that were asked different things have no mean
            cells[measure] = over_seeds([row.cells[measure] for row in own if measure in row.cells])
    note = f"mean of {', '.join(row.label for row in own)}"
    return Row(label, own[0].feature, own[0].learned, cells, note)


def best(table: Sequence[Row], measure: Measure) -> Figure | None:
    """The best figure of a column among the rows in contest; None where there is none."""
    found = [row.cells[measure] for row in table if row.contest and measure in row.cells]
    if not found:
        return None
    return (min if found[0].lower_is_better else max)(found, key=lambda f: f.value)


def number(value: float, unit: str) -> str:
    """A value in its figure's unit: shares as per cent without the sign."""
    if unit == "%":
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if unit in ("°", "years") else f"{value:.3f}"


def spread(figure: Figure) -> str:
    """How far a value may be trusted: its 95 % interval, or of a mean over seeds its standard deviation."""
    if "std" in figure.detail:
        return f"± {number(figure.detail['std'], figure.unit)}"
    low, high = (number(v, figure.unit).replace("-", "−") for v in (figure.low, figure.high))
    return f"{low}–{high}"


def title(measure: Measure) -> tuple[str, str]:
    """(task, metric) in words: head_pose, mae_yaw → head pose, MAE yaw."""
    words = measure.metric.replace("_", " ")
    for short in ("mae", "auc", "tar@far", "r2", "nme", "map"):
        words = words.replace(short, {"r2": "R²", "map": "mAP"}.get(short, short.upper()))
    if words.startswith("f1"):
        words = words.replace("f1", "F1").replace("au", "AU")
    return measure.task.replace("_", " "), words
