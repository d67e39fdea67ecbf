"""The same figure by gender, age and ethnicity: does a read-out serve everybody alike?

Nothing is fitted anew: the test faces of a figure are sorted into groups by what is known of the people, and each
group's value is read off their scores. Faces of an unknown group are left out and counted. A pair of faces belongs to
a group when both its faces do; pairs are not sorted by age, which two pictures of one person need not share.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.bootstrap import Reads, independent_difference, interval
from vultus.evaluation.figure import Figure, Scores
from vultus.evaluation.identity import pairs_of
from vultus.evaluation.kept import circumstances
from vultus.evaluation.tasks import TASKS
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet

FILE = "slices.json"
FEWEST = 30  # test faces, or pairs, of a group whose value is compared with others'
FEWEST_PEOPLE = 10  # likewise, where the set knows whom they show: two people say little of a group
YEARS = (0, 3, 10, 20, 30, 40, 50, 60, 70)  # where an age band begins
BANDS = (*(f"{a}–{b - 1}" for a, b in pairwise(YEARS)), f"{YEARS[-1]}+")
LASTING = ("gender", "ethnicity")  # what two pictures of one person share
APART = ("retrieval", "triplets")  # their samples show several people, or hang on how many others are alike
Groups = NDArray[np.str_]  # [N], '' where not known


@dataclass(frozen=True)
class Slice:
    """A figure's value on one group, with its 95 % bootstrap interval."""

    group: str
    value: float
    low: float
    high: float
    n: int  # test faces, or pairs
    people: int = 0  # whom these show, of pairs sets of people: what is resampled; 0 where that is not known

    @property
    def few(self) -> str:
        """Why the group is too small to be compared; "" if it is large enough."""
        if self.n < FEWEST:
            return f"below {FEWEST}"
        return f"below {FEWEST_PEOPLE} people" if 0 < self.people < FEWEST_PEOPLE else ""


@dataclass(frozen=True)
class Gap:
    """How much better the group `best` is served than `worst`, in the figure's units, above 0 for errors too.

    The two lie furthest apart of all groups large enough, so the interval and `p` (two-sided, for these two alone)
    flatter the gap; `corrected` counts how many pairs of groups it was chosen from.
    """

    best: str
    worst: str
    value: float
    low: float
    high: float
    p: float
    pairs: int

    @property
    def corrected(self) -> float:
        """p times the number of pairs (Bonferroni), at most 1."""
        return min(1.0, self.p * self.pairs)


@dataclass(frozen=True)
class Sliced:
    """One figure by one label; the gap is None where fewer than two groups are large enough."""

    figure: Figure  # of all test faces, without its scores
    by: str  # gender, age, ethnicity
    slices: tuple[Slice, ...]
    gap: Gap | None
    unknown: int  # test faces, or pairs, of no known group

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(replace(self, figure=None)) | {"figure": self.figure.to_dict()}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sliced":
        """The inverse of `to_dict`."""
        slices = tuple(Slice(**one) for one in values["slices"])
        gap = Gap(**values["gap"]) if values["gap"] else None
        return cls(Figure.from_dict(values["figure"]), values["by"], slices, gap, values["unknown"])


def slices(figure: Figure, faces: FaceSet) -> tuple[Sliced, ...]:
    """A figure by each label of people that the set has: gender, age (label `age`, else `age_band`), ethnicity.

    faces: the set that the figure was tested on. Raises ValueError for a figure without scores, or of other faces.
    """
    if figure.scores is None:
        raise ValueError(f"{figure.task} {figure.metric} carries no scores to sort into groups: evaluate it again")
    found = []
    for by, groups in _groups(figure, faces).items():
        own = _picked(groups, figure.scores, figure)
        found.append(_sliced(figure, figure.scores, own, by))
    return tuple(one for one in found if one.slices)


def slice_figures(figures: Sequence[Figure], data: str | Path, test: str | Path | None = None) -> tuple[Sliced, ...]:
    """Slices of those figures of the first one's method and seed that have scores of faces or of verification pairs.

    data, test: the face sets they were learned and, if it is another, tested on.
    Raises ValueError where the set knows nothing of people.
    """
    faces = FaceSet.open(test or data)
    if not _known(faces):
        raise ValueError(
            f"{faces.card.name} has no label gender, age, age_band or ethnicity to sort its faces by; it has "
            f"{', '.join(faces.columns) or 'none'}"
        )
    before = len(FaceSet.open(data)) if test else 0  # rows of joined sets count on
    found: list[Sliced] = []
    for figure in figures:
        first = (figure.method, figure.seed) == (figures[0].method, figures[0].seed)
        if first and figure.scores is not None and figure.task not in APART:
            rows = figure.scores.rows - (0 if figure.task == "identity" else before)
            found += slices(replace(figure, scores=replace(figure.scores, rows=rows)), faces)
    return tuple(found)


def age_bands(years: NDArray[np.floating]) -> Groups:
    """Ages [N] in years → their bands, '' where unknown or below 0."""
    known = np.isfinite(years) & (years >= 0)
    place = np.searchsorted(YEARS, np.where(known, years, 0), side="right") - 1
    return np.where(known, np.array(BANDS)[place], "")


def read_slices(folder: Path) -> tuple[Sliced, ...]:
    """What a run's slices.json holds; nothing where it is missing. Raises ValueError where it is damaged."""
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        return tuple(Sliced.from_dict(one) for one in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): run `vultus evaluate … --slices` again") from error


def add_slices(folder: Path, found: Sequence[Sliced]) -> None:
    """Add to a run's slices.json; the new one stands where figure and label are the same."""
    merged = {(*circumstances(s.figure), s.by): s for s in (*read_slices(folder), *found)}
    write_atomic(folder / FILE, json.dumps([s.to_dict() for s in merged.values()], indent=1).encode())


def _known(faces: FaceSet) -> dict[str, Groups]:
    """Each face's group by what the set knows of people."""
    found: dict[str, Groups] = {}
    if "gender" in faces.columns:
        found["gender"] = faces.labels("gender")
    if "age" in faces.columns:
        found["age"] = age_bands(faces.labels("age"))
    elif "age_band" in faces.columns:
        found["age"] = faces.labels("age_band")
    if "ethnicity" in faces.columns:
        found["ethnicity"] = faces.labels("ethnicity")
    return found


def _groups(figure: Figure, faces: FaceSet) -> dict[str, Groups]:
    """Groups of what the rows of the figure's scores count: faces, or pairs."""
    known = _known(faces)
    if figure.task != "identity":
        return known
    pairs, _ = pairs_of(faces, figure.seed)
    sides = {by: (groups[pairs.left], groups[pairs.right]) for by, groups in known.items() if by in LASTING}
    return {by: np.where(left == right, left, "") for by, (left, right) in sides.items()}


def _picked(groups: Groups, scores: Scores, figure: Figure) -> Groups:
    if len(scores.rows) and (scores.rows.min() < 0 or scores.rows.max() >= len(groups)):
        raise ValueError(
            f"{figure.task} on {figure.data} has scores of rows up to {scores.rows.max()}, the set given has "
            f"{len(groups)}: give the face set that the figure was tested on"
        )
    picked: Groups = groups[scores.rows]
    return picked


def _sliced(figure: Figure, scores: Scores, groups: Groups, by: str) -> Sliced:
    """groups: [M], of the scores' rows."""
    reads = TASKS[figure.task].reads(figure.metric)
    names = sorted({str(name) for name in groups} - {""}, key=_order)
    own = {name: _part(scores, groups == name) for name in names}
    found = []
    for name, part in own.items():
        if not np.isfinite(value := reads.value(part.columns)):
            continue  # a curve has no area where all are of one kind
        low, high = interval(part.columns, reads, figure.seed, groups=part.groups)
        people = 0 if part.groups is None else len(np.unique(part.groups))
        found.append(Slice(name, value, low, high, len(part.columns), people))
    large = {one.group: one.value for one in found if not one.few}
    return Sliced(
        replace(figure, scores=None), by, tuple(found), _gap(figure, own, large, reads), int((groups == "").sum())
    )


def _part(scores: Scores, mine: NDArray[np.bool_]) -> Scores:
    groups = None if scores.groups is None else scores.groups[mine]
    return Scores(scores.rows[mine], scores.columns[mine], groups)


def _gap(figure: Figure, parts: Mapping[str, Scores], values: Mapping[str, float], reads: Reads) -> Gap | None:
    """Between the best and the worst of the groups in `values`."""
    if len(values) < 2:
        return None
    ranked = sorted(values, key=lambda name: values[name], reverse=not figure.lower_is_better)
    best, worst = ranked[0], ranked[-1]
    low, high = (parts[name] for name in ((best, worst) if figure.lower_is_better else (worst, best)))
    people = low.groups, high.groups
    found = independent_difference(low.columns, high.columns, reads, figure.seed, groups=people)
    return Gap(best, worst, found.value, found.low, found.high, found.p, comb(len(values), 2))


def _order(name: str) -> tuple[float, str]:
    """Age bands by their first year, names by the alphabet."""
    years = re.match(r"\d+", name)
    return (float(years.group()) if years else 0.0), name
