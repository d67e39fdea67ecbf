"""The pictures of docs/what-works.md: where a feature looks, whom it takes for alike, what it gets wrong; of a
method that draws also what it knows of places.

    python -m benchmarks.pictures RUN FER2013 SYNTHETIC OUT

RUN: a run's folder; FER2013, SYNTHETIC: packed face sets (`vultus pack`, `vultus synthesise`); OUT: a folder for PNGs.
Of real people only averages of fifty faces and more are drawn; every single face shown is a rendered one.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart
from numpy.typing import NDArray
from PIL import Image

from vultus.evaluation.embedding import embed
from vultus.evaluation.preparation import prepare
from vultus.evaluation.probe import Probe, accuracy
from vultus.evaluation.protocol import WHITEN
from vultus.evaluation.splits import Splits, split
from vultus.faces.faceset import FaceSet
from vultus.methods.model import FaceModel, load
from vultus.report.neighbours import alike, choose_queries
from vultus.report.sheets import GAP, draws, neighbour_sheet, reconstruction_columns

COVER, STEP = 12, 6  # pixels of the grey square over a face of 48, and how far it moves
EACH = 150  # faces of each expression that are covered
TILE = 64

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def probabilities(features: Floats, labels: NDArray[Any], parts: Splits, more: Floats) -> Floats:
    """What a linear probe says to the test rows and to `more` features that it has not seen, [M + len(more), K]."""
    extra = np.arange(len(features), len(features) + len(more))
    parts = Splits(parts.train, parts.validation, np.r_[parts.test, extra], parts.refit, parts.origin, parts.left_out)
    known = np.r_[labels, np.zeros(len(more), labels.dtype)]
    return Probe(np.concatenate([features, more]), parts).classify(known, int(labels.max()) + 1, accuracy).answers


def expressions(model: FaceModel, faces: FaceSet) -> tuple[NDArray[np.str_], NDArray[Any], Splits, Floats]:
    """Names of the classes, class numbers [N], the split, and the model's default feature [N, D]."""
    names, labels = np.unique(faces.labels("expression").astype(np.str_), return_inverse=True)
    feature = embed(model, faces, feature=model.default_feature)[model.default_feature]
    return names, labels, split(faces, np.ones(len(faces), np.bool_)), feature


def covered(images: Bytes) -> tuple[Bytes, list[tuple[int, int]]]:
    """Every image [N, 3, S, S] with a grey square at one place after another [P·N, 3, S, S], and the P places."""
    side = images.shape[-1]
    places = [(top, left) for top in range(0, side - COVER + 1, STEP) for left in range(0, side - COVER + 1, STEP)]
    grey = images.mean((2, 3)).astype(np.uint8)[:, :, None, None]
    out = np.repeat(images[None], len(places), 0)
    for copy, (top, left) in zip(out, places, strict=True):
        copy[:, :, top : top + COVER, left : left + COVER] = grey
    return out.reshape(-1, *images.shape[1:]), places


def looks(model: FaceModel, faces: FaceSet, out: Path) -> None:
    """Where covering a face makes the probe less sure of its expression, over the mean face; and the confusions."""
    names, labels, parts, feature = expressions(model, faces)
    chosen = np.concatenate([np.flatnonzero(labels[parts.test] == k)[:EACH] for k in range(len(names))])
    images = faces.images(parts.test[chosen], model.size)
    copies, places = covered(images)
    read = [model.embed(copies[i : i + 256]).numpy() for i in range(0, len(copies), 256)]
    told = probabilities(feature, labels, parts, np.concatenate(read))
    whole, under = told[: len(parts.test)], told[len(parts.test) :].reshape(len(places), len(chosen), -1)
    confusions(labels[parts.test], whole.argmax(1), names, out / "confused.png")
    truth = labels[parts.test][chosen]
    drop = whole[chosen, truth] - under[:, np.arange(len(chosen)), truth]  # [P, faces]
    chart = Chart(figsize=(1.45 * len(names), 1.75), dpi=150)
    for k, name in enumerate(names):
        mine = truth == k
        axes = chart.add_subplot(1, len(names), k + 1)
        overlay(axes, images[mine].mean((0, 1)), drop[:, mine].mean(1), places)
        axes.set_title(str(name), fontsize=8)
    chart.subplots_adjust(0.01, 0.01, 0.99, 0.88, 0.06)
    chart.savefig(out / "looks.png")


def overlay(axes: Axes, face: NDArray[np.floating], drop: Floats, places: Sequence[tuple[int, int]]) -> None:
    """A mean face [S, S] in grey, redder where covering costs more of the probability; both sides taken together."""
    across = len({left for _, left in places})
    cost = drop.reshape(-1, across)
    cost = np.clip((cost + cost[:, ::-1]) / 2, 0, None)
    first, last = COVER / 2 - STEP / 2, places[-1][0] + COVER / 2 + STEP / 2  # the edges of the squares' middles
    axes.imshow(face, cmap="gray", interpolation="bicubic", extent=(0, len(face), len(face), 0))
    shade = np.clip(cost / cost.max(), 0, 1) * 0.8
    axes.imshow(cost, cmap="Reds", alpha=shade, interpolation="bicubic", extent=(first, last, last, first))
    axes.set(xlim=(0, len(face)), ylim=(len(face), 0))
    axes.set_axis_off()


def confusions(truth: NDArray[Any], answer: NDArray[Any], names: Sequence[str], out: Path) -> None:
    """The share of each true class read as each class, in per cent."""
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (truth, answer), 1)
    shares = 100 * counts / counts.sum(1, keepdims=True)
    chart = Chart(figsize=(4.2, 3.6), dpi=150)
    axes = chart.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=7, color="white" if share > 55 else "k")
    labels = [f"{n} ({int(c)})" for n, c in zip(names, counts.sum(1), strict=True)]
    axes.set_yticks(range(len(names)), labels, fontsize=7)
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=40, ha="right")
    axes.set_xlabel("read as, %", fontsize=8)
    axes.set_ylabel("is (test faces)", fontsize=8)
    chart.tight_layout()
    chart.savefig(out)


def rendered(model: FaceModel, faces: FaceSet, out: Path) -> None:
    """Nearest faces by the whitened feature, and the faces of which the probe was surest and wrong."""
    names, labels, parts, feature = expressions(model, faces)
    told = probabilities(feature, labels, parts, feature[:0])
    images = faces.images(parts.test, TILE)
    white = prepare(feature[parts.final], 256, whiten=WHITEN)(feature[parts.test])
    texts = names[labels[parts.test]]
    queries = choose_queries(texts, len(texts), 5)
    sheet = neighbour_sheet(white, images, queries, alike(texts, queries))
    white_ground = Image.new("RGBA", sheet.shape[1::-1], "white")
    Image.alpha_composite(white_ground, Image.fromarray(sheet)).convert("RGB").quantize(256).save(
        out / "neighbours.png", optimize=True
    )
    truth, answer = labels[parts.test], told.argmax(1)
    sure = np.where(answer != truth, told.max(1), 0)
    worst = np.argsort(-sure)[:12]
    print(f"rendered faces: {100 * (answer == truth).mean():.1f} % of {len(truth)} read rightly")
    chart = Chart(figsize=(9, 3.6), dpi=150)
    for place, row in enumerate(worst):
        axes = chart.add_subplot(2, 6, place + 1)
        axes.imshow(images[row].transpose(1, 2, 0))
        axes.set_axis_off()
        axes.set_title(f"{names[truth[row]]}\nread as {names[answer[row]]}", fontsize=7.5)
    chart.subplots_adjust(0.01, 0.01, 0.99, 0.9, 0.05, 0.28)
    chart.savefig(out / "failures.png")


def moved(model: FaceModel, faces: FaceSet, out: Path) -> None:
    """What the method draws of ten faces of the test part, one row a kind, each under its name."""
    rows = split(faces, np.ones(len(faces), np.bool_)).test[:10]
    columns = reconstruction_columns(model, faces, [int(row) for row in rows])
    chart = Chart(figsize=(9, 0.78 * len(columns)), dpi=150)
    for place, (name, column) in enumerate(columns.items()):
        axes = chart.add_subplot(len(columns), 1, place + 1)
        side = column.shape[1]
        column = np.pad(column, ((0, GAP), (0, 0), (0, 0)))  # stacked: now a gap below every tile
        axes.imshow(column.reshape(-1, side + GAP, side, 4).transpose(1, 0, 2, 3)[:side].reshape(side, -1, 4))
        axes.set_axis_off()
        axes.text(-12, side / 2, name, fontsize=7.5, ha="right", va="center")
    chart.subplots_adjust(0.16, 0.01, 0.99, 0.99, 0.05, 0.05)
    drawn = io.BytesIO()
    chart.savefig(drawn)
    Image.open(drawn).convert("RGB").quantize(256).save(out / "moved.png", optimize=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "fer2013", "synthetic", "out"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    model = load(asked.run)
    synthetic = FaceSet.open(asked.synthetic)
    rendered(model, synthetic, asked.out)
    looks(model, FaceSet.open(asked.fer2013), asked.out)
    if draws(model):
        moved(model, synthetic, asked.out)


if __name__ == "__main__":
    main()
