"""What `vultus disentangle` measured, as a section of the page and as pictures in the run's folder."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vultus.evaluation.disentanglement import Disentanglement, read_disentanglement
from vultus.evaluation.disentanglement_table import grids
from vultus.evaluation.rendered import triples
from vultus.evaluation.swap import FLIPPED, ITSELF, SWAPPED, UNSWAPPED, drawn, swaps
from vultus.faces.atomic import write_atomic
from vultus.methods.model import FaceModel, to_batch
from vultus.report.charts import to_svg
from vultus.report.collect import Run
from vultus.report.grids import grid_table
from vultus.report.invariance import by_factor, factor_chart, feature_colours, sheet
from vultus.report.markup import Markup, element, figure, join, picture
from vultus.report.section import Section, legend, symbols
from vultus.report.sheets import GAP, Pixels, labelled, stack

CURVES, SWAPS = "invariance.png", "swap.png"
ROWS = 6  # triples in the picture
COLUMNS = ("A", "B", "the truth T", SWAPPED, UNSWAPPED, ITSELF, FLIPPED)
MATRIX = (
    "Look for pose that cannot be read from a face feature (“pose held” near 0 %), and for identity and expression "
    "that cannot be read from a pose feature. A feature follows the pose where A’s face in B’s pose lies nearer to B, "
    "who shares the pose alone, than to A, who shares all else."
)
CURVED = (
    "Rendered people of whom one factor alone is changed: cosine of each feature to itself at the factor’s reference "
    "value, less the mean feature of varied faces; shaded: 95 % intervals over people. Dashed: two different people in "
    "the same condition. A line at 1 is blind to the factor, one that falls to its dashed line changes as if the "
    "person were exchanged."
)
SWAPPING = "From left to right: " + ", ".join(COLUMNS) + ". Look for the fourth column turned as the third."


def disentanglement(runs: Sequence[Run]) -> Section | None:
    """None where no run was measured."""
    parts: list[Markup] = []
    for run in runs:
        result = read_disentanglement(run.folder)
        if result is not None:
            parts.append(element("h3", run.label))
            parts += [grid_table(grid, title) for title, grid in grids(result).items()]
            parts.append(_swaps(run.folder))
            parts.append(_curves(result))
    if not parts:
        return None
    return Section("disentanglement", "Pose, expression and person apart", join((element("p", MATRIX), *parts)))


def write_pictures(result: Disentanglement, model: FaceModel, folder: Path) -> tuple[Path, ...]:
    """Write the curves, and of a model that draws some of its swaps, as PNG; returns the paths."""
    buffer = io.BytesIO()
    sheet(result.curves).savefig(buffer, format="png", dpi=150)
    write_atomic(folder / CURVES, buffer.getvalue())
    if not swaps(model.method):
        return (folder / CURVES,)
    buffer = io.BytesIO()
    Image.fromarray(labelled(swap_sheet(model, result.seed), COLUMNS)).save(buffer, "PNG")
    write_atomic(folder / SWAPS, buffer.getvalue())
    return folder / CURVES, folder / SWAPS


def swap_sheet(model: FaceModel, seed: int = 0) -> Pixels:
    """The first few triples and what is drawn of them, RGBA; its columns are COLUMNS."""
    cases = triples(ROWS, model.size, seed)
    made = drawn(model.method, cases)  # type: ignore[arg-type]
    sides = (cases.a, cases.b, cases.truth)
    given = {name: to_batch(side, model.size).numpy() for name, side in zip(COLUMNS[:3], sides, strict=True)}
    shown = {**given, **made}
    columns = [stack((shown[name].clip(0, 1) * 255).round().astype(np.uint8)) for name in COLUMNS]
    gap = np.zeros((len(columns[0]), GAP, 4), np.uint8)
    return np.concatenate([part for column in columns for part in (column, gap)][:-1], axis=1)


def _swaps(folder: Path) -> Markup:
    if not (folder / SWAPS).exists():
        return Markup("")
    with Image.open(folder / SWAPS) as image:
        pixels = np.asarray(image)
    return figure(picture(pixels, f"{ROWS} faces in the pose of others, rendered and drawn"), symbols(SWAPPING))


def _curves(result: Disentanglement) -> Markup:
    colours = feature_colours(result.curves)
    charts = []
    for name, own in by_factor(result.curves).items():
        spoken = f"Similarity of each feature to itself over {name}"
        charts.append(element("div", element("h4", name), to_svg(factor_chart(own, colours), spoken), class_="chart"))
    return join((legend(colours), figure(element("div", *charts, class_="charts"), CURVED)))
