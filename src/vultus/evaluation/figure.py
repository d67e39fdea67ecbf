"""One measured number with everything needed to trust it and to compare it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scores:
    """What each test sample gave to a figure.

    rows: [M], faces by row of the set, or pairs by number; columns: [M, C], right or wrong, errors, counts, or a score
    and the truth. What of them is the figure's value, the task knows (`Task.reads`).
    groups: [M], equal for samples that are drawn together (pictures of a person); None: each by itself, or not kept.
    seeds: of a mean over seeds, how many columns each seed has; they stand side by side, NaN where it did not test a
    sample. Two methods' scores of the same rows can be compared pair by pair, and by groups of faces.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None
    seeds: tuple[int, ...] = ()

    @property
    def each(self) -> list[NDArray[np.float64]]:
        """The columns of each seed."""
        return np.split(self.columns, np.cumsum(self.seeds)[:-1], axis=1) if self.seeds else [self.columns]


def groups_of(rows: NDArray[np.int64], scores: Sequence[Scores]) -> NDArray[np.int64] | None:
    """The group of each of `rows` [M, ascending] as any of the scores knows it, else its own; None: all unknown."""
    known = [(s.rows, s.groups) for s in scores if s.groups is not None]
    if not known:
        return None
    groups = np.full(len(rows), -1, np.int64)
    for own, numbers in known:
        groups[np.searchsorted(rows, own)] = numbers
    alone = groups < 0
    groups[alone] = groups.max() + 1 + np.arange(alone.sum())
    return groups


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % bootstrap interval and its circumstances.

    Shares (accuracy, F1, AUC, TAR, NME) run from 0 to 1, angles are degrees, cross-entropies nats.
    """

    task: str  # a name in tasks.TASKS
    metric: str  # accuracy, balanced_accuracy, auc, tar@far=0.01, mae_yaw, r2, f1_au12, …
    value: float
    low: float
    high: float
    n: int  # test faces, or pairs
    dim: int  # values the read-out sees, after PCA
    chance: float  # what an answer blind to the face scores
    seed: int
    data: str  # the face set's name
    method: str = ""
    feature: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)  # chosen C, faces left out, recalls a class, …
    scores: Scores | None = field(default=None, compare=False, repr=False)

    @property
    def unit(self) -> str:
        """`°` for angles, `years` for age, `nats` for cross-entropy, nothing for R², `%` for shares."""
        if self.metric in ("mae_age", "cross_entropy"):
            return "years" if self.metric == "mae_age" else "nats"
        if self.metric.startswith("mae"):
            return "°"
        return "" if self.metric.startswith("r2") else "%"

    @property
    def lower_is_better(self) -> bool:
        """True for errors."""
        return self.metric.startswith(("mae", "nme", "failure_rate", "cross_entropy"))

    @property
    def behind(self) -> tuple[str, ...]:
        """The units or attributes that a mean is of; () of any other figure."""
        return tuple(self.detail.get("units", ()) or self.detail.get("attributes", ()))

    def asks_other_than(self, other: "Figure") -> str:
        """Why two figures of one metric are no answers to the same questions; "" if they are."""
        if self.behind == other.behind:
            return ""
        ours, theirs = (", ".join(one.behind) or "one thing alone" for one in (self, other))
        return f"{self.task} {self.metric} on {self.data} is a mean of {ours} here and of {theirs} there"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the scores are kept elsewhere."""
        plain = asdict(replace(self, scores=None)) | {"detail": dict(self.detail)}
        del plain["scores"]
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Figure":
        """The inverse of `to_dict`. Raises ValueError naming the keys that are missing or unknown."""
        known = {f.name for f in fields(cls)} - {"scores"}
        missing = known - {"method", "feature", "detail"} - values.keys()
        unknown = values.keys() - known
        if missing or unknown:
            raise ValueError(
                f"not a figure: missing keys {sorted(missing)}, unknown keys {sorted(unknown)}; "
                "expected the mapping that Figure.to_dict writes"
            )
        return cls(**values)
