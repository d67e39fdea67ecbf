"""Figures arranged as a table: a row for each feature, a column for each measure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vultus.evaluation.figure import Figure
from vultus.evaluation.tasks import TASKS
from vultus.methods.catalogue import METHODS

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

    @classmethod
    def of(cls, figure: Figure) -> "Measure":
        return cls(figure.task, figure.data, figure.metric, str(figure.detail.get("readout", "")))

    @property
    def place(self) -> str:
        """The data, and the read-out where it is not the usual one."""
        return self.data + ("" if self.readout in ("", "linear") else f", {self.readout} read-out")

    @property
    def family(self) -> tuple[str, str, str]:
        """Task, data and read-out: the measures of one family are read off the same answers."""
        return self.task, self.data, self.readout


@dataclass(frozen=True)
class Named:
    """A figure and what the page calls its method: the run's label where a run made it."""

    label: str
    figure: Figure

    @property
    def learned(self) -> bool:
        return self.figure.method in METHODS


@dataclass
class Row:
    """One feature's figures by measure."""

    label: str
    feature: str
    learned: bool
    cells: dict[Measure, Figure] = field(default_factory=dict)

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
    chosen: dict[tuple[str, str, str], Measure] = {}
    for measure in columns:
        wanted = TASKS[measure.task].headline if measure.task in TASKS else None
        if measure.family not in chosen or measure.metric == wanted:
            chosen[measure.family] = measure
    return list(chosen.values())


def rows(named: Sequence[Named]) -> list[Row]:
    """Learned features first, then baselines, each in order of appearance.

    A feature read at several lengths (PCA) or with several seeds has a row for each.
    """
    found: list[Row] = []
    for one in sorted(named, key=lambda n: (not n.learned, -n.figure.dim)):
        f, measure = one.figure, Measure.of(one.figure)
        free = [r for r in found if (r.label, r.feature) == (one.label, f.feature) and measure not in r.cells]
        fitting = [r for r in free if f.dim in r.dims] or free
        if not fitting:
            fitting = [Row(one.label, f.feature, one.learned)]
            found += fitting
        fitting[0].cells[measure] = f
    order = list(dict.fromkeys((n.label, n.figure.feature) for n in named))
    return sorted(found, key=lambda r: (not r.learned, order.index((r.label, r.feature))))


def best(table: Sequence[Row], measure: Measure) -> Figure | None:
    """The best figure of a column; None where it is empty."""
    found = [row.cells[measure] for row in table if measure in row.cells]
    if not found:
        return None
    return (min if found[0].lower_is_better else max)(found, key=lambda f: f.value)


def number(value: float, unit: str) -> str:
    """A value in its figure's unit: shares as per cent without the sign."""
    if unit == "%":
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if unit == "°" else f"{value:.3f}"


def title(measure: Measure) -> tuple[str, str]:
    """(task, metric) in words: head_pose, mae_yaw → head pose, MAE yaw."""
    words = measure.metric.replace("_", " ")
    for short in ("mae", "auc", "tar@far", "r2", "nme"):
        words = words.replace(short, {"r2": "R²"}.get(short, short.upper()))
    if words.startswith("f1"):
        words = words.replace("f1", "F1").replace("au", "AU")
    return measure.task.replace("_", " "), words
