"""Figures that the report's tests show."""

from vultus.evaluation.figure import Figure


def figure(method, feature, value, *, task="expression", metric="accuracy", width=0.02, **more):
    given = {"n": 120, "dim": 1024, "chance": 0.25, "seed": 0, "data": "tiny", "detail": {"readout": "linear"}}
    return Figure(task, metric, value, value - width, value + width, method=method, feature=feature, **given | more)


FIGURES = [
    figure("pcl", "shared", 0.481),
    figure("pcl", "pose", 0.402),
    figure("pixels", "pixels", 0.313, dim=2304),
    figure("pcl", "shared", 9.44, task="head_pose", metric="mae", width=0.5, chance=14.2),
    figure("pixels", "pixels", 8.13, task="head_pose", metric="mae", width=0.5, chance=14.2, dim=2304),
]
