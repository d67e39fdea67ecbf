"""What the report's tables and pictures are made of, one by one: rows, verdicts, bars, curves, neighbours, maps."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from report_figures import FIGURES, figure
from vultus.evaluation.figure import Scores
from vultus.report.bars import bar_chart
from vultus.report.charts import to_svg
from vultus.report.collect import Run
from vultus.report.colours import expression_colours
from vultus.report.curves import curve_chart, curves
from vultus.report.embedding import expression_map, flatten, yaw_limit, yaw_map
from vultus.report.evidence import named_figures, results
from vultus.report.neighbours import alike, nearest
from vultus.report.results import best, headlines, measures, rows
from vultus.report.sheets import GAP, neighbour_sheet
from vultus.report.table import verdict


def test_a_feature_read_at_two_lengths_has_two_rows():
    figures = [figure("pcl", "shared", v, dim=d) for v, d in ((0.40, 64), (0.48, 1024))]
    figures += [figure("pcl", "shared", 0.6, task="identity", dim=d) for d in (64, 1024)]
    table = rows(named_figures([], figures))
    assert [(r.dims, sorted(round(f.value, 2) for f in r.cells.values())) for r in table] == [
        ([1024], [0.48, 0.6]),
        ([64], [0.4, 0.6]),
    ]


def test_headlines_are_the_metrics_that_stand_for_their_tasks():
    figures = [figure("pcl", "shared", 0.3, metric=m) for m in ("balanced_accuracy", "accuracy")]
    figures += [figure("pcl", "shared", 9, task="head_pose", metric=m) for m in ("mae_yaw", "r2_yaw", "mae")]
    figures.append(figure("pcl", "shared", 0.2, detail={"readout": "knn"}))
    main = headlines(measures(named_figures([], figures)))
    assert [(m.task, m.metric, m.readout) for m in main] == [
        ("expression", "accuracy", "linear"), ("head_pose", "mae", "linear"), ("expression", "accuracy", "knn"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("learned", "baseline", "metric", "expected"),
    [
        (0.50, 0.40, "accuracy", "The learned feature is ahead."),
        (0.40, 0.50, "accuracy", "The baseline is ahead."),
        (0.50, 0.47, "accuracy", "Their intervals overlap: no clear difference."),
        (8.0, 9.0, "mae", "The learned feature is ahead."),
        (9.0, 8.0, "mae", "The baseline is ahead."),
    ],
)
def test_verdicts_know_which_way_is_better(learned, baseline, metric, expected):
    figures = [figure("pcl", "shared", learned, metric=metric), figure("hog", "hog", baseline, metric=metric)]
    table = rows(named_figures([], figures))
    measure = measures(named_figures([], figures))[0]
    assert f"<em>{expected}</em>" in verdict(table, measure)
    top = best(table, measure)
    assert top is not None and top.value == (min if metric == "mae" else max)(learned, baseline)


@pytest.mark.parametrize(
    ("won", "lost", "expected"),
    [
        (30, 5, "On the same test samples the learned feature is ahead by 6.2 points ("),
        (5, 30, "On the same test samples the baseline is ahead by 6.2 points ("),
        (15, 15, "On the same test samples there is no clear difference."),
    ],
)
def test_verdicts_compare_the_same_samples_where_scores_are_kept(won, lost, expected):
    """Of 400 samples 35 differ at most, so that the two intervals overlap."""
    right = np.zeros((2, 400))
    right[:, :200] = 1
    right[0, 200 : 200 + won] = 1
    right[1, 300 : 300 + lost] = 1
    made = [
        replace(figure(name, name, float(own.mean())), scores=Scores(np.arange(400), own[:, None]))
        for name, own in zip(("pcl", "hog"), right, strict=True)
    ]
    table = rows(named_figures([], made))
    assert f"<em>{expected}" in verdict(table, measures(named_figures([], made))[0])


def test_a_verdict_compares_features_that_were_read_alike():
    """With mirror images or without: the best learned has a baseline read as it was, or the verdict says it has not."""
    plain = [figure("pcl", "shared", 0.50), figure("hog", "hog", 0.40)]
    turned = [figure("pcl", "shared mirrored", 0.60), figure("hog", "hog mirrored", 0.35)]

    def said(figures):
        named = named_figures([], figures)
        return verdict(rows(named), measures(named)[0])

    both = said([*plain, *turned])
    assert "pcl shared, mirrored 60.0" in both and "best baseline hog, mirrored 35.0" in both
    lone = said([*plain, turned[0]])
    assert "pcl shared 50.0" in lone and "best baseline hog 40.0" in lone
    assert "No baseline was read as pcl shared, mirrored was, 60.0 %" in lone
    assert "Only the learned feature was read with mirror images." in said([turned[0], plain[1]])
    assert "Lengths: 64 and 1,024 values." in said([figure("pcl", "shared", 0.5, dim=64), plain[1]])
    assert "Lengths" not in both


def test_the_notes_tell_of_what_is_shown():
    """Frozen, fine-tuned and mirrored features each have their sentence where they are shown, and only there."""
    tuned = [figure("pcl", "shared", 0.6, detail={"readout": how}) for how in ("fine-tuned", "linear")]
    frozen, both, alone = (
        results([], named_figures([], f)).body for f in (FIGURES, tuned, [*tuned[:1], figure("pcl", "a mirrored", 0.5)])
    )
    assert "Frozen features, by task" in frozen and "fine-tuned" not in frozen and "mirror" not in frozen
    assert "Frozen features and fine-tuned encoders, by task" in both and "the encoder learned the labels too" in both
    assert "the mean of a face and its mirror image" in alone
    only = results([], named_figures([], tuned[:1])).body
    assert "Fine-tuned encoders, by task" in only and "The encoder is frozen" not in only


def test_bars_stand_in_order_at_their_values_whatever_a_run_is_called():
    figures = [replace(f, method=m) for f, m in zip(FIGURES[:3], ("a $\\bad{ name", "b", "pixels"), strict=True)]
    named = named_figures([], figures)
    chart = bar_chart(rows(named), measures(named)[0], {})
    axes = chart.axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([48.1, 40.2, 31.3])
    svg = to_svg(chart, "bars")
    assert "a $\\bad{ name" in svg and "#1b1a18" not in svg


def test_curves_stand_over_faces_seen_and_steps_only_where_batches_agree(tmp_path):
    def run(label, batch):
        events = [{"step": s, "kind": "train", "contrast": 5.0 - s, "lr": 0.1} for s in (1, 2, 3)]
        events.append({"step": 3, "kind": "probe", "seconds": 4.0, "knn": 0.25})
        return Run(tmp_path, label, {"batch": batch}, events, None, ())

    drawn = curves([run("a", 8), run("b", 16)])
    assert list(drawn) == ["contrast", "knn", "lr"]
    lines = curve_chart("contrast", drawn["contrast"]).axes[0].lines
    assert [line.get_xdata().tolist() for line in lines] == [[8, 16, 24], [16, 32, 48]]
    assert lines[0].get_ydata().tolist() == [4, 3, 2]
    assert lines[0].get_color() != lines[1].get_color()
    assert curve_chart("knn", drawn["knn"]).axes[0].lines[0].get_ydata().tolist() == [25]
    assert "steps of" not in to_svg(curve_chart("contrast", drawn["contrast"]), "x")
    assert "steps of 8 faces" in to_svg(curve_chart("contrast", drawn["contrast"][:1]), "x")


def test_a_face_is_never_its_own_neighbour():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 6)).astype(np.float32)
    features[10:22] = features[3]  # equal faces come before and after the query
    queries = [0, 3, 12, 39]
    found = nearest(features, queries, 8)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    for query, near in zip(queries, found, strict=True):
        assert query not in near and len(set(near)) == 8
        closeness = unit @ unit[query]
        closeness[query] = -2
        np.testing.assert_allclose(closeness[near], np.sort(closeness)[::-1][:8], atol=1e-5)
    assert nearest(features[:3], [1], 8).shape == (1, 2)


def test_alike_is_equal_text_or_a_close_number_and_the_unknown_is_like_none():
    assert alike(np.array(["a", "", "a", ""]), [0, 1]).tolist() == [[True, False, True, False], [False] * 4]
    assert alike(np.array([0.0, 9.0, -11.0, np.nan]), [0, 3]).tolist() == [[True, True, False, False], [False] * 4]


def test_a_neighbour_sheet_shows_the_query_then_the_nearest_with_their_marks():
    images = np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(3, 1).repeat(8, 2).repeat(8, 3) * 60
    features = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.5, 0.5]], np.float32)
    marks = np.array([[True, False, False, True]])
    sheet = neighbour_sheet(features, images, [0], marks, count=2)
    lefts = [0, 8 + GAP + 3 * GAP, 2 * (8 + GAP) + 3 * GAP]
    assert [sheet[4, left + 4].tolist() for left in lefts] == [[v, v, v, 255] for v in (0, 60, 180)]
    assert [sheet[10, left + 4, 3] for left in lefts] == [0, 0, 255]  # only the second neighbour is alike
    assert sheet[4, 8 + 1, 3] == 0  # the gap lets the page through


def test_expression_colours_hold_for_any_set_and_spelling():
    whole = expression_colours(["sad", "happy", "angry", "zeal", "awe", ""])
    assert expression_colours(["awe", "angry", "zeal", "sad", "sad", "happy"]) == whole
    assert "" not in whole and len(set(whole.values())) == 5
    assert expression_colours(["anger", "Sadness"]) == {"anger": whole["angry"], "Sadness": whole["sad"]}


def test_points_keep_the_colours_of_their_labels():
    points = np.random.default_rng(0).normal(size=(30, 2))
    labels = np.array(["happy", "sad", "angry"])[np.arange(30) % 3]
    wanted = expression_colours(labels)
    drawn = expression_map(points, labels).axes[0].collections[0]
    found = {tuple(p): to_hex(c) for p, c in zip(drawn.get_offsets().tolist(), drawn.get_facecolors(), strict=True)}
    assert found == {tuple(p): wanted[label] for p, label in zip(points.tolist(), labels, strict=True)}


def test_yaw_colours_mirror_about_zero_and_end_at_the_limit():
    yaw = np.array([-90.0, -45, 0, 45, 90])
    points = np.arange(10.0).reshape(5, 2)
    drawn = yaw_map(points, yaw, 45).axes[0].collections[0]
    order = np.argsort(np.asarray(drawn.get_offsets())[:, 0])
    colours = [to_hex(c) for c in drawn.get_facecolors()[order]]
    assert colours[0] == colours[1] and colours[3] == colours[4] and len(set(colours)) == 3
    assert yaw_limit(np.array([3.0, -31, np.nan])) == 45
    assert yaw_limit(np.zeros(4)) == 15


def test_a_map_keeps_far_clusters_apart_and_repeats_itself():
    rng = np.random.default_rng(0)
    group = np.arange(40) % 2
    features = rng.normal(size=(40, 80)) + 60 * group[:, None]
    points = flatten(features)
    assert points.shape == (40, 2)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(40)
    assert (group[distance.argmin(1)] == group).all()
    np.testing.assert_array_equal(points, flatten(features))
    with pytest.raises(ValueError, match="10 faces or more"):
        flatten(features[:9])
