"""Published figures, for orientation: other faces, larger encoders and budgets, often the best over test epochs."""

import re
from dataclasses import dataclass

LBP = "Ahonen et al., TPAMI 2006"
HOG = "Dalal & Triggs, CVPR 2005"
FABNET = "Wiles et al., BMVC 2018"
TCAE = "Li et al., CVPR 2019"
MOCO = "He et al., CVPR 2020"
FACECYCLE = "Chang et al., ICCV 2021"
SIMCLR = "Chen et al., ICML 2020"
PCL = "Liu et al., CVPR 2023"
CONTRAWARPING = "arXiv 2303.09034"
SPLITBRAIN = "Zhang et al., CVPR 2017"
DEFORMAE = "Shu et al., ECCV 2018"


@dataclass(frozen=True)
class Figure:
    """`method`: by the catalogue's name where it is there; `value`: per cent or degrees, as printed."""

    method: str
    paper: str  # of the method; the figure may come from a later paper's comparison
    value: float
    labels: bool = False  # taught by labels
    parts: str = ""  # the values behind a mean, in the order that the table names

    @property
    def printed(self) -> str:
        """The value as a cell, with those behind it."""
        return f"{self.value:.2f}" + (f" ({self.parts})" if self.parts else "")

    @property
    def credit(self) -> str:
        """The paper, and whether labels taught the method."""
        return self.paper + (", taught by labels" if self.labels else "")


@dataclass(frozen=True)
class Table:
    """One measure on one set, as papers print it."""

    task: str
    data: str
    measure: str
    figures: tuple[Figure, ...]
    parts: str = ""  # what is behind a mean
    units: tuple[str, ...] = ()  # the columns whose mean is printed, where a set has more

    @property
    def title(self) -> str:
        """Task, set and measure."""
        return f"{self.task.replace('_', ' ').capitalize()} on {self.data}: {self.measure}"

    def is_of(self, data: str) -> bool:
        """Whether figures on `data` learn from and are tested on the same faces, by name: `300w_lp → aflw2000`."""
        return _plain(data) == _plain(self.data)


def _plain(name: str) -> list[str]:
    """The set, or those learned from and tested on, in small letters and digits."""
    return [re.sub(r"[^a-z0-9]", "", part.lower()) for part in name.split("→")]


def tables_of(task: str) -> tuple[Table, ...]:
    """All published figures of a task."""
    return tuple(table for table in TABLES if table.task == task)


TABLES = (
    Table(
        "expression",
        "FER2013",
        "accuracy, %",
        (
            Figure("lbp", LBP, 37.89),
            Figure("hog", HOG, 45.47),
            Figure("fabnet", FABNET, 46.98),
            Figure("tcae", TCAE, 45.05),
            Figure("moco", MOCO, 47.24),
            Figure("facecycle", FACECYCLE, 48.76),
            Figure("simclr", SIMCLR, 49.51),
            Figure("pcl", PCL, 56.81),
            Figure("FSN", "Zhao et al., BMVC 2018", 67.60, labels=True),
            Figure("ALT", "Florea et al., BMVC 2019", 69.85, labels=True),
        ),
    ),
    Table(
        "expression",
        "RAF-DB",
        "accuracy, %",
        (
            Figure("lbp", LBP, 52.17),
            Figure("hog", HOG, 63.53),
            Figure("fabnet", FABNET, 66.72),
            Figure("tcae", TCAE, 65.32),
            Figure("moco", MOCO, 68.32),
            Figure("facecycle", FACECYCLE, 71.01),
            Figure("simclr", SIMCLR, 71.06),
            Figure("pcl", PCL, 74.47),
            Figure("contrawarping", CONTRAWARPING, 79.14),
            Figure("FSN", "Zhao et al., BMVC 2018", 81.10, labels=True),
            Figure("ALT", "Florea et al., BMVC 2019", 84.50, labels=True),
        ),
    ),
    Table(
        "identity",
        "LFW",
        "accuracy, %",
        (
            Figure("lbp", LBP, 72.44),
            Figure("VGG", "printed by this name alone", 72.20),
            Figure("moco", MOCO, 65.88),
            Figure("facecycle", FACECYCLE, 74.12),
            Figure("simclr", SIMCLR, 75.97),
            Figure("pcl", PCL, 79.72),
            Figure("VGG-Face", "Parkhi et al., BMVC 2015", 98.95, labels=True),
            Figure("SphereFace", "Liu et al., CVPR 2017", 99.42, labels=True),
            Figure("ArcFace", "Deng et al., CVPR 2019", 99.53, labels=True),
        ),
    ),
    Table(
        "identity",
        "CPLFW",
        "accuracy, %",
        (
            Figure("moco", MOCO, 57.82),
            Figure("facecycle", FACECYCLE, 63.35),
            Figure("simclr", SIMCLR, 62.25),
            Figure("pcl", PCL, 64.61),
            Figure("VGG-Face", "Parkhi et al., BMVC 2015", 84.00, labels=True),
            Figure("SphereFace", "Liu et al., CVPR 2017", 81.40, labels=True),
            Figure("ArcFace", "Deng et al., CVPR 2019", 92.08, labels=True),
        ),
    ),
    Table(
        "head_pose",
        "300W-LP → AFLW2000",
        "mean error of yaw, pitch and roll, degrees",
        (
            Figure("Dlib, 68 points", "Kazemi & Sullivan, CVPR 2014", 15.80, True, "23.10, 13.60, 10.50"),
            Figure("moco", MOCO, 20.11, parts="28.49, 16.29, 15.55"),
            Figure("facecycle", FACECYCLE, 12.47, parts="11.70, 12.76, 12.94"),
            Figure("simclr", SIMCLR, 14.38, parts="11.20, 19.86, 12.08"),
            Figure("pcl", PCL, 12.36, parts="9.86, 16.59, 10.62"),
            Figure("FAN", "Bulat & Tzimiropoulos, ICCV 2017", 9.12, True, "6.36, 12.3, 8.71"),
            Figure("FSA-Net", "Yang et al., CVPR 2019", 5.75, True, "5.27, 6.71, 5.28"),
        ),
        "yaw, pitch, roll",
    ),
    Table(
        "pose_class",
        "BU-3DFE",
        "accuracy of pose classes, %",
        (
            Figure("moco", MOCO, 75.33),
            Figure("facecycle", FACECYCLE, 98.82),
            Figure("simclr", SIMCLR, 98.85),
            Figure("pcl", PCL, 98.95),
        ),
    ),
    Table(
        "action_units",
        "DISFA",
        "mean F1 of eight action units, %",
        (
            Figure("splitbrain", SPLITBRAIN, 38.1, parts="13.1, 10.6, 35.7, 40.2, 30.2, 57.5, 77.4, 40.3"),
            Figure("deformae", DEFORMAE, 40.1),
            Figure("fabnet", FABNET, 41.6),
            Figure("tcae", TCAE, 45.0),
            Figure("facecycle", FACECYCLE, 38.9),
            Figure("simclr", SIMCLR, 49.4),
            Figure("pcl", PCL, 54.8, parts="53.8, 44.9, 58.1, 37.2, 53.2, 73.1, 86.5, 31.1"),
            Figure("DRML", "Zhao et al., CVPR 2016", 26.7, labels=True),
            Figure("EAC-Net", "Li et al., FG 2017", 48.5, labels=True),
            Figure("JAA-Net", "Shao et al., ECCV 2018", 56.0, labels=True),
        ),
        "action units 1, 2, 4, 6, 9, 12, 25, 26",
        tuple(f"au{unit:02d}" for unit in (1, 2, 4, 6, 9, 12, 25, 26)),
    ),
)
