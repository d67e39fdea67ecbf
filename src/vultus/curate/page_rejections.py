"""What was not kept, reason by reason, with pictures: thresholds are chosen by looking."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.curate.candidate import STAGES, Fate
from vultus.curate.judge import DECIDED_BY
from vultus.curate.pool import Pool
from vultus.curate.sheets import ACROSS, named_rows
from vultus.report.markup import Markup, element, join
from vultus.report.section import fold, note

Rows = NDArray[np.int64]
LISTED = 200  # names of unreadable photographs; all of them are in the table
GROUPS = 8  # of copies, for each reason


@dataclass(frozen=True, eq=False)
class Told:
    """The pool's rows with what became of each: text arrays, None where nothing stopped it."""

    pool: Pool
    stages: NDArray[Any]
    reasons: NDArray[Any]
    details: NDArray[Any]

    @classmethod
    def of(cls, pool: Pool, fates: Sequence[Fate]) -> "Told":
        """The pieces' rejections and the later fates together."""
        columns = [np.array(pool.table[name].to_pylist(), object) for name in ("stage", "reason", "detail")]
        for fate in fates:
            for column, text in zip(columns, (fate.stage, fate.reason, fate.detail), strict=True):
                column[pool.rows[fate.index]] = text
        return cls(pool, *columns)

    @property
    def kept(self) -> Rows:
        """Rows that nothing stopped."""
        return np.flatnonzero([stage is None for stage in self.stages])


def rejections(told: Told) -> Markup:
    """A part for each reason, in the order of the stages, the more frequent first."""
    parts = []
    for stage in STAGES:
        at_stage = told.stages == stage
        found, counts = np.unique(told.reasons[at_stage].astype(str), return_counts=True)
        for reason in found[np.argsort(-counts, kind="stable")].tolist():
            rows = np.flatnonzero(at_stage & (told.reasons == reason))
            head = element("h3", f"{reason[0].upper()}{reason[1:]}: {len(rows):,}")
            parts.append(join((head, _shown(told, stage, reason, rows))))
    return join(parts) if parts else note("Every photograph gave a face that was kept.")


def _shown(told: Told, stage: str, reason: str, rows: Rows) -> Markup:
    if stage == "judge":
        return _judged(told, reason, rows)
    if stage == "duplicates":
        return _groups(told, reason, rows)
    with_picture = np.array([row for row in rows if told.pool.image_of_row(int(row))], np.int64)
    if not len(with_picture):
        return _names(told, rows)
    drawn = np.sort(np.random.default_rng(0).permutation(len(with_picture))[: 2 * ACROSS])
    return named_rows([("by chance", _pictures(told, with_picture[drawn]))], reason)


def _judged(told: Told, reason: str, rows: Rows) -> Markup:
    """Faces by the part that decided: farthest from the threshold, nearest to it, and on its other side."""
    key, kept = DECIDED_BY[reason], told.kept
    values = np.abs(told.pool.table[f"judged_{key}"].to_numpy())
    too_much = len(kept) > 0 and values[rows].min() > np.median(values[kept])
    order = -values if too_much else values  # what is worst comes first
    far, beyond = (which[np.argsort(order[which], kind="stable")] for which in (rows, kept))
    low, high = values[rows].min(), values[rows].max()
    words = f"{key} {low:.3g}" if low == high else f"{key} {low:.3g} to {high:.3g}"
    shown = {
        "farthest from the threshold": far[:ACROSS],
        "nearest to it": far[max(len(far) - ACROSS, ACROSS) :],
        "kept, next to the threshold": beyond[:ACROSS],
    }
    return join((note(words), named_rows([(name, _pictures(told, found)) for name, found in shown.items()], reason)))


def _groups(told: Told, reason: str, rows: Rows) -> Markup:
    """A row for each group of copies, the kept face first; the largest groups."""
    groups: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        groups[told.details[row]].append(row)
    row_of = dict(zip(told.pool.names.tolist(), told.pool.rows.tolist(), strict=True))
    largest = sorted(groups, key=lambda name: (-len(groups[name]), name))[:GROUPS]
    shown = [
        (f"{name}, kept, and {len(groups[name]):,} more", [row_of[name], *groups[name]][:ACROSS]) for name in largest
    ]
    return named_rows([(title, _pictures(told, found)) for title, found in shown], reason)


def _pictures(told: Told, rows: Sequence[int] | Rows) -> list[bytes]:
    return [told.pool.image_of_row(int(row)) for row in rows]


def _names(told: Told, rows: Rows) -> Markup:
    names = told.pool.table["name"].take(rows[:LISTED]).to_pylist()
    details = told.details[rows[:LISTED]]
    lines = [f"{name}: {detail}" if detail else name for name, detail in zip(names, details, strict=True)]
    more = [f"… {len(rows) - LISTED:,} more in curation.parquet"] if len(rows) > LISTED else []
    return fold("Which", element("pre", "\n".join([*lines, *more])))
