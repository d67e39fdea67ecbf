"""The seen part of the page: views, reconstructions, maps of features, nearest faces."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.embedding import embed
from vultus.faces.faceset import FaceSet
from vultus.methods.model import FaceModel
from vultus.report import embedding
from vultus.report.charts import to_svg
from vultus.report.collect import Run
from vultus.report.colours import YAW, expression_colours
from vultus.report.markup import Markup, element, figure, join, picture
from vultus.report.neighbours import CLOSE, alike, choose_queries
from vultus.report.section import Section, fold, legend, note, symbols
from vultus.report.sheets import Pixels, draws, neighbour_sheet, reconstruction_columns, view_columns

SHOWN = 5  # faces down a column
TILE = 64  # pixels of a neighbour
# feature → the label it should show; features of other names are left out, the default one is always shown
MEANT_FOR = {"shared": "expression", "face": "expression", "pose": "yaw", "encoder": "expression"}
SYMBOLS = {"shared": "F_s", "face": "F_f", "pose": "F_p"}
NO_FACES = "No face set was given, so there is no face to show."
NO_MODEL = "has no model yet"


@dataclass(frozen=True, eq=False)
class Sample:
    """Different faces of the test split, as many as a map takes, and every run's features of them."""

    faces: FaceSet
    split: str
    features: Mapping[str, Mapping[str, NDArray[np.float32]]]  # run's label → feature → [N, D]

    def labels(self, column: str) -> NDArray[np.str_] | NDArray[np.float32] | None:
        """[N], or None where the set lacks the column or knows none of it here."""
        if column not in self.faces.columns:
            return None
        values = self.faces.labels(column)
        known = values != "" if values.dtype.kind == "U" else np.isfinite(values)
        return values if known.any() else None


def take_sample(runs: Sequence[Run], faces: FaceSet, most: int = embedding.FACES) -> Sample:
    """The test split's faces, or all where there is none, shuffled; of equal pictures only the first."""
    tested = faces.where(split="test") if "split" in faces.columns else faces
    pool, split = (tested, "test") if len(tested) and tested is not faces else (faces, "all")
    order = np.random.default_rng(0).permutation(len(pool))[: most + most // 10]
    first = {hashlib.sha256(pool.image_bytes(int(i))).digest(): int(i) for i in order[::-1]}
    chosen = pool.take(np.array(list(first.values())[::-1][:most]))
    read = {run.label: embed(run.model, chosen, progress=False) for run in runs if run.model is not None}
    return Sample(chosen, split, read)


def views(runs: Sequence[Run], sample: Sample | None) -> Section:
    """What each method sees."""
    parts: list[Markup] = []
    for run, model in _with_model(runs):
        if sample is not None:
            columns = view_columns(model, sample.faces, range(min(SHOWN, len(sample.faces))))
            caption = (
                f"The {len(columns) - 1} views {run.label} learns from. Look for what they keep and what they "
                "change: the first is what the feature can learn, the second what it learns to ignore."
            )
            parts.append(element("h3", run.label))
            parts.append(_columns(columns, caption, f"View {{}} of {SHOWN} faces, as {run.label} sees them"))
            listed = "\n".join(f"{name}: {view}" for name, view in model.method.views().items())  # type: ignore[operator]
            parts.append(fold("These views as data", element("pre", listed)))
    return _section("views", "What the method sees", parts, runs, sample)


PCL_PANEL = (
    "What the decoder D draws from the face feature F_f, the pose feature F_p, and F_p̂, the pose feature of the "
    "mirrored face. Look for D(F_f, F_p̂) turned the other way with the same face, D(F_f) without a clear pose, and "
    "D(F_p) with the pose of its row and nobody’s face."
)


def reconstructions(runs: Sequence[Run], sample: Sample | None) -> Section:
    """What the decoders draw."""
    drawing = [(run, model) for run, model in _with_model(runs) if draws(model)]
    parts: list[Markup] = []
    for run, model in drawing:
        if sample is not None:
            columns = reconstruction_columns(model, sample.faces, range(min(SHOWN, len(sample.faces))))
            caption = (
                PCL_PANEL if model.name == "pcl" else (model.method.reconstructions.__doc__ or "").partition(";")[0]
            )
            parts.append(element("h3", run.label))
            parts.append(_columns(columns, caption, f"{{}} of {SHOWN} faces, drawn by {run.label}"))
    if not drawing and sample is not None:
        return Section("reconstructions", "What the features hold", note("No run here has a decoder to draw with."))
    return _section("reconstructions", "What the features hold", parts, runs, sample)


def maps(runs: Sequence[Run], sample: Sample | None) -> Section:
    """t-SNE of each feature in the colours of what it should show."""
    if sample is None or not sample.features:
        return _section("maps", "Where the faces lie", [], runs, sample)
    drawn: list[Markup] = []
    missing: dict[str, list[str]] = {}
    for run, model in _with_model(runs):
        for name in _interesting(model):
            wanted, features = MEANT_FOR.get(name, "expression"), sample.features[run.label][name]
            column = next((c for c in (wanted, "quality") if _known(sample.labels(c)).sum() >= embedding.FEWEST), "")
            if column != wanted:
                missing.setdefault(wanted, []).append(f"{run.label} {name}")
            if column or len(features) >= embedding.FEWEST:
                drawn.append(_map(_title(run, name), features, sample.labels(column), column))
    parts = [note(f"Without a map by {c}, a label these faces lack: {', '.join(n)}.") for c, n in missing.items()]
    if drawn:
        caption = (
            f"t-SNE of {_where(sample)}. Look for regions of one colour, and in a pose map for "
            "a smooth drift of it; in a map without colours, for clumps. The axes, the sizes of regions and distances "
            "between far ones mean nothing."
        )
        parts.insert(0, figure(element("div", *drawn, class_="charts"), caption))
    return _section("maps", "Where the faces lie", parts, runs, sample)


def neighbours(runs: Sequence[Run], sample: Sample | None) -> Section:
    """The nearest faces of a few, by each feature."""
    if sample is None or not sample.features or len(sample.faces) < 2:
        return _section("neighbours", "Nearest faces", [], runs, sample)
    expressions = sample.labels("expression")
    labels = None if expressions is None else expressions.astype(np.str_)
    queries = choose_queries(labels, len(sample.faces))
    images = sample.faces.images(np.arange(len(sample.faces)), TILE)
    shown = []
    for run, model in _with_model(runs):
        for name in _interesting(model):
            values = sample.labels(MEANT_FOR.get(name, "expression"))
            marks = None if values is None else alike(values, queries)
            sheet = neighbour_sheet(sample.features[run.label][name], images, queries, marks)
            alt = f"{len(queries)} faces, each followed by its nearest by {_title(run, name)}"
            shown.append(element("div", element("h4", symbols(_title(run, name))), picture(sheet, alt), class_="chart"))
    caption = (
        f"Left: a face; right of it the nearest by cosine among {_where(sample)}, nearest first. Look for "
        "neighbours that share what the feature is for and nothing else: expression without person or pose."
    )
    if labels is not None:
        names = [str(labels[q]) or "unlabelled" for q in queries]
        caption += f" Rows: {', '.join(names)}. A green bar: the same expression as the query"
        caption += f"; by a pose feature: a yaw within {CLOSE:g}° of it." if sample.labels("yaw") is not None else "."
    body = figure(element("div", *shown, class_="charts wide"), caption)
    return _section("neighbours", "Nearest faces", [body], runs, sample)


def _with_model(runs: Sequence[Run]) -> list[tuple[Run, FaceModel]]:
    return [(run, run.model) for run in runs if run.model is not None]


def _section(key: str, title: str, parts: Sequence[Markup], runs: Sequence[Run], sample: Sample | None) -> Section:
    """The parts, or one line that says why there are none; a line for each run without a model."""
    if sample is None:
        return Section(key, title, note(NO_FACES))
    without = [note(f"{run.label} {NO_MODEL}.") for run in runs if run.model is None]
    return Section(key, title, join([*parts, *without]))


def _columns(columns: Mapping[str, Pixels], caption: str, alt: str) -> Markup:
    cells = [
        element("div", element("h4", symbols(name)), picture(sheet, alt.format(name)))
        for name, sheet in columns.items()
    ]
    grid = element("div", *cells, class_="columns", style=f"--columns:{len(cells)}")
    return figure(
        element("div", grid, class_="scroll", tabindex=0, role="region", aria_label=caption[:60]), symbols(caption)
    )


def _map(name: str, features: NDArray[np.float32], labels: NDArray[np.generic] | None, column: str) -> Markup:
    """In the colours of the labels that are known, or where there are none in one colour."""
    if labels is not None:
        known = _known(labels)
        features, labels = features[known], labels[known]
    points = embedding.flatten(features)
    by = f"by {column}, " if column else ""
    heading = element("h4", symbols(name), element("small", f"{by}{len(points):,} faces"))
    alt = f"t-SNE map of {name}" + (f", coloured by {column}" if column else "")
    key: Markup | str = ""
    if labels is None:
        chart = embedding.plain_map(points)
    elif column == "quality":
        values = labels.astype(np.float64)
        ends = tuple(np.percentile(values, (2, 98)).tolist())
        key = _scale(*(f"{end:.2f}" for end in ends))
        chart = embedding.number_map(points, values, *ends)
    elif labels.dtype.kind == "U":
        texts = labels.astype(np.str_)
        key = legend(expression_colours(texts))
        chart = embedding.expression_map(points, texts)
    else:
        angles = labels.astype(np.float64)
        limit = embedding.yaw_limit(angles)
        key = _scale(f"−{limit:g}°", f"+{limit:g}°")
        chart = embedding.yaw_map(points, angles, limit)
    return element("div", heading, to_svg(chart, alt), key, class_="chart map")


def _scale(low: str, high: str) -> Markup:
    """The colours of numbers with their ends."""
    stops = ", ".join("#" + "".join(f"{round(255 * c):02x}" for c in YAW(i / 8)[:3]) for i in range(9))
    bar = element("i", style=f"background:linear-gradient(90deg, {stops})", aria_hidden="true")
    return element("div", low, bar, high, class_="scale")


def _interesting(model: FaceModel) -> list[str]:
    return [n for n in model.feature_names if n in MEANT_FOR or n == model.default_feature]


def _title(run: Run, feature: str) -> str:
    return f"{run.label} {feature}" + (f" ({SYMBOLS[feature]})" if feature in SYMBOLS else "")


def _known(labels: NDArray[np.generic] | None) -> NDArray[np.bool_]:
    if labels is None:
        return np.zeros(0, np.bool_)
    known: NDArray[np.bool_] = labels != "" if labels.dtype.kind == "U" else np.isfinite(labels.astype(np.float64))
    return known


def _where(sample: Sample) -> str:
    part = "the test split" if sample.split == "test" else "the set"
    return f"{len(sample.faces):,} faces of {part} of {sample.faces.card.name}"
