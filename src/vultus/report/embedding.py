"""Features flattened onto paper by t-SNE."""

import numpy as np
from matplotlib.figure import Figure as Chart
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from vultus.report.charts import blank
from vultus.report.colours import YAW, expression_colours, run_colour

FACES = 1500  # at most: more take minutes and only fill the paper
FEWEST = 10  # faces below which a map says nothing
SIDE = 3.3  # inches


def flatten(features: NDArray[np.floating], seed: int = 0) -> NDArray[np.float32]:
    """t-SNE of features [N, D] → [N, 2]: standardised as a whole, PCA to 50, perplexity 30 (fewer for few faces).

    Raises ValueError for fewer than 10 faces.
    """
    if len(features) < FEWEST:
        raise ValueError(f"t-SNE needs {FEWEST} faces or more, got {len(features)}")
    wide = features.astype(np.float32) - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    wide /= max(float(wide.std()), 1e-12)
    most = min(50, *wide.shape)
    reduced = PCA(most, random_state=seed).fit_transform(wide)
    perplexity = min(30.0, (len(features) - 1) / 3)
    points: NDArray[np.float32] = TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(reduced)
    return points


def expression_map(points: NDArray[np.floating], labels: NDArray[np.str_]) -> Chart:
    """Points [N, 2] in the colours of their expressions [N]."""
    colours = expression_colours(labels)
    return _scatter(points, np.array([colours[label] for label in labels]))


def yaw_map(points: NDArray[np.floating], yaw: NDArray[np.floating], limit: float) -> Chart:
    """Points [N, 2] coloured by yaw [N], degrees, from −limit to limit."""
    return _scatter(points, np.asarray(YAW(np.clip(yaw / limit, -1, 1) / 2 + 0.5)))


def number_map(points: NDArray[np.floating], values: NDArray[np.floating], low: float, high: float) -> Chart:
    """Points [N, 2] coloured by numbers [N], from low to high."""
    return _scatter(points, np.asarray(YAW(np.clip((values - low) / max(high - low, 1e-12), 0, 1))))


def plain_map(points: NDArray[np.floating]) -> Chart:
    """Points [N, 2] in one colour."""
    return _scatter(points, np.full(len(points), run_colour(0)))


def yaw_limit(yaw: NDArray[np.floating]) -> float:
    """The end of the colour scale, degrees: 98 % of the faces lie within, rounded up to 15."""
    return max(15.0, float(np.ceil(np.nanpercentile(np.abs(yaw), 98) / 15) * 15))


def _scatter(points: NDArray[np.floating], colours: NDArray[np.generic]) -> Chart:
    chart, axes = blank(SIDE, SIDE)
    order = np.random.default_rng(0).permutation(len(points))  # so that no class lies on top of the others
    size = float(np.clip(6000 / len(points), 5, 40))
    x, y = points[order].T
    axes.scatter(x, y, c=colours[order], s=size, linewidths=0, alpha=0.8, rasterized=True)
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    return chart
