"""The settings of a curation."""

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True)
class CurateConfig:
    """What is found, how it is cut, what is kept."""

    template: Literal["arcface", "ffhq", "loose", "box"] = "ffhq"  # how much of the head a crop shows, from tight on
    size: int = 112  # side of a crop, pixels
    margin: float = 0.0  # further room on every side of the template, in parts of its side
    faces: Literal["largest", "all"] = "largest"  # which faces of a photograph are taken
    scales: tuple[int, ...] = (160, 640)  # longest sides at which faces are looked for, ascending, pixels
    min_score: float = 0.7  # the detector's score, 0 to 1
    min_size: float = 32.0  # of the face from brows to chin in the photograph, pixels
    max_outside: float = 0.25  # part of the face that may lie outside of the photograph
    min_sharpness: float = 0.14  # fine detail against contrast; about 0.45 in focus
    min_brightness: float = 0.06  # mean grey, 0 to 1
    max_brightness: float = 0.92  # mean grey, 0 to 1
    min_contrast: float = 0.04  # standard deviation of the grey, 0 to 1
    max_yaw: float = 90.0  # turned to either side, degrees
    max_pitch: float = 90.0  # up or down, degrees
    min_quality: float = 0.0  # of all parts together, 0 to 1
    copies: Literal["drop", "keep"] = "drop"  # of pictures that show the same, the best alone is kept, or all
    exclude: tuple[str, ...] = ()  # face sets or sources whose pictures may not be among the kept ones
    like: tuple[str, ...] = ()  # face sets or sources of example faces: only faces that are like them are kept
    nearest: int = 100  # for every example, so many of the most alike
    mutual: bool = False  # and of those, only faces that have the example among their own nearest
    gather: int = 0  # instead: the most alike of all examples, until so many are found
    most: int = 0  # keep so many faces at most, balanced over clusters, so that rare kinds stay; 0: all
    run: str = ""  # a run's folder: its features say how alike faces are; else descriptors that need no training
    seed: int = 0  # of clusters, and of what is drawn from them
    piece: int = 256  # photographs whose result is one file: what a kill can cost
    every: int = 25  # of a video: one frame in so many
    column: str = ""  # of a Parquet table: the column of pictures; else the one that holds bytes
    seconds: float = 60.0  # the longest that one photograph may take

    def check(self) -> None:
        """Raise ValueError for what cannot be."""
        faults = {
            f"scales rise from 32 on, got {self.scales}": not self.scales
            or self.scales[0] < 32
            or list(self.scales) != sorted(set(self.scales)),
            f"size is 16 to 1024 pixels, got {self.size}": not 16 <= self.size <= 1024,
            f"margin is -0.4 to 2 of the side, got {self.margin}": not -0.4 <= self.margin <= 2,
            f"every is 1 or more, got {self.every}": self.every < 1,
            f"piece is 1 or more, got {self.piece}": self.piece < 1,
            f"nearest is 1 or more, got {self.nearest}": self.nearest < 1,
            "gather takes the nearest of all examples: leave mutual out": bool(self.gather) and self.mutual,
            "gather and mutual need examples: name them with --like": (bool(self.gather) or self.mutual)
            and not self.like,
            f"gather and most are 0 or more, got {self.gather} and {self.most}": min(self.gather, self.most) < 0,
            f"seconds are more than 0, got {self.seconds}": not self.seconds > 0,
            f"min_score is 0.3 to 1, got {self.min_score}": not 0.3 <= self.min_score <= 1,
        }
        for fault, yes in faults.items():
            if yes:
                raise ValueError(fault)
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name.startswith(("min_", "max_")) and not value >= 0:
                raise ValueError(f"{setting.name} is 0 or more, got {value}")
