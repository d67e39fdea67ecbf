"""What a fine-tuning is: one frozen dataclass, every field a flag of `vultus finetune`."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Task = Literal[
    "expression",
    "expression_votes",
    "attributes",
    "action_units",
    "head_pose",
    "pose_class",
    "landmarks",
    "label",
]


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of a fine-tuning."""

    task: Task = "expression"  # what is learned, as docs/tasks.md tells; label: any text label
    label: str = ""  # for label: which one; for attributes: the only one learned; "": all of them
    scratch: bool = False  # the same encoder with fresh weights: what the run's weights are worth
    shots: float | None = None  # labels learned from: n of each class (or in all), below 1 a part of them; None: all
    fold: str = ""  # of a set with folds only the one tested on this; "": all of them, one after another
    epochs: int = 30  # passes over the training faces; of fewer than 20 batches, rounds of 20 steps
    patience: int = 8  # epochs without gain on validation after which a fine-tuning ends
    batch: int = 64  # faces a step
    lr: float = 1e-3  # highest learning rate, of the head
    layer_decay: float = 0.75  # each block learns so many times as fast as the one behind it; not from scratch
    weight_decay: float = 0.05  # not on biases and norms
    warmup: float = 0.1  # part of the run in which the rate rises; then it falls as a cosine
    clip: float = 3.0  # largest gradient norm; 0: no clipping
    pool: Literal["map", "mean"] = "map"  # what the head reads: the encoder's map flattened, or its mean over places
    mixup: float = 0.0  # α of mix-up, for classes and yes/no labels; 0: none
    smoothing: float = 0.0  # part of a label's certainty that is spread over all classes
    crop: float = 0.8  # smallest part of the face's area that a crop may keep; 1: no crops
    flip: bool = True  # mirror half of the faces, where it is known what a mirror makes of the label
    colour: float = 0.2  # greatest change of brightness, contrast and saturation; 0: none
    best_test_epoch: bool = False  # read the test split each epoch too, and also give the best of these figures
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # auto: bf16 where the device computes it natively
    device: str = "auto"  # auto: cuda where there is one, else cpu
    log_every: int = 10  # steps between two lines of the log

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "lr", "layer_decay", "log_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.batch < 2:
            raise ValueError(f"batch must be at least 2, got {self.batch}")
        for name, least in (("warmup", 0.0), ("smoothing", 0.0), ("crop", 0.01)):
            if not least <= getattr(self, name) <= 1:
                raise ValueError(f"{name} lies in {least:g}…1, got {getattr(self, name)}")
        for name in ("mixup", "colour"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if self.task == "label" and not self.label:
            raise ValueError("task label needs the name of a label: --task label --label NAME")
        if self.label and self.task not in ("label", "attributes"):
            raise ValueError(f"task {self.task} has its own label: leave --label {self.label} out")
        if self.task == "landmarks" and self.pool != "map":
            raise ValueError("landmarks are read off the encoder's map: leave --pool out")

    @property
    def weight_decay_end(self) -> float | None:
        """The decay stays as it is."""
        return None


# a fine-tuning may be resumed under others
CIRCUMSTANCES = ("device",)
# a figure tells them elsewhere: by its task, its method, its feature, its labels and the words of its read-out
TOLD = (*CIRCUMSTANCES, "task", "scratch", "pool", "shots", "best_test_epoch", "log_every")


def to_json(config: FinetuneConfig) -> dict[str, Any]:
    """Values for `finetune.json`, as JSON gives them back, without circumstances."""
    plain = {name: value for name, value in asdict(config).items() if name not in CIRCUMSTANCES}
    out: dict[str, Any] = json.loads(json.dumps(plain))
    return out


def departures(config: FinetuneConfig) -> str:
    """What is not as by default, " (lr 0.0003, mixup 0.2)", or "": figures of other settings stand apart by it."""
    kept = [f for f in fields(config) if f.name not in TOLD and getattr(config, f.name) != f.default]
    told = [f"{f.name.replace('_', ' ')} {getattr(config, f.name)}" for f in kept]
    return f" ({', '.join(told)})" if told else ""
