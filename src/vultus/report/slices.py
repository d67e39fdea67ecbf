"""Figures by gender, age and ethnicity, where `vultus evaluate … --slices` has kept them."""

from collections.abc import Sequence

from vultus.evaluation.slices import FEWEST, FEWEST_PEOPLE, read_slices
from vultus.evaluation.slices_table import grids
from vultus.report.collect import Run
from vultus.report.grids import grid_table
from vultus.report.markup import element, join
from vultus.report.section import Section

READING = (
    "The test faces of one read-out, sorted by what is known of the people; small: 95 % intervals, each group "
    "resampled by itself, people with all their pictures. The largest gap is between the groups of at least "
    f"{FEWEST} faces and {FEWEST_PEOPLE} people that lie furthest apart, which flatters it: its p is multiplied by the "
    "number of pairs it was chosen from. Groups can differ in pose, light or expression too; a gap says that "
    "a read-out serves them differently, not why."
)


def slices(runs: Sequence[Run]) -> Section | None:
    """None where no run has any."""
    parts = []
    for run in runs:
        made = grids(read_slices(run.folder))
        if made:
            parts.append(element("h3", run.label))
            parts += [grid_table(grid, title) for title, grid in made.items()]
    if not parts:
        return None
    return Section("slices", "Whom the features serve", join((element("p", READING), *parts)))
