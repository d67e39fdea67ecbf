"""What a run is: one frozen dataclass, every field a flag of `vultus pretrain`."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vultus.methods.catalogue import MethodConfig, method_name


@dataclass(frozen=True)
class RunConfig:
    """Settings of a pre-training run."""

    method: MethodConfig
    size: int = 64  # side of the views, pixels
    batch: int = 256  # faces a step, over all processes
    epochs: float = 20.0  # passes over the faces
    minutes: float = 0.0  # a time budget in place of epochs: steps are counted from a measured rate
    optimiser: Literal["adamw", "adam", "sgd", "lars"] = "adamw"
    lr: float = 1e-3  # highest learning rate
    beta1: float = 0.9  # how much of the mean gradient a step keeps: β1 of adam and adamw, momentum of sgd and lars
    weight_decay: float = 0.05  # not on biases and norms
    weight_decay_end: float | None = None  # decay reached along a cosine at the end of the run; None: it stays
    warmup: float = 0.05  # part of the run in which the rate rises; then it falls as a cosine
    clip: float = 3.0  # largest gradient norm; 0: no clipping
    accumulate: int = 1  # parts a batch is cut into, to save memory; negatives come from within a part
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # auto: bf16 where the device computes it natively
    compile: bool = False  # torch.compile; gains on GPUs, loses on CPUs
    device: str = "auto"  # auto: cuda where there is one, else cpu
    seed: int = 0  # of all randomness
    pairs: Literal["auto", "self"] = "auto"  # partners of methods that learn from two pictures: of a person, or itself
    split: str = "train"  # which of the set's splits is learned from; "all" for every face
    probe: str = ""  # a labelled face set read by kNN during the run; "": none
    probe_label: str = "expression"  # the label it reads
    probe_every: float = 1.0  # epochs between two readings of probe and collapse indicators
    save_every: int = 100  # steps between two checkpoints
    log_every: int = 10  # steps between two lines of the log

    def __post_init__(self) -> None:
        if self.batch < 2 or self.batch % self.accumulate:
            raise ValueError(
                f"batch ({self.batch}) must be at least 2 and a multiple of accumulate ({self.accumulate})"
            )
        _require_finite(self)
        _require_finite(self.method)
        for name in ("minutes", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("size", "accumulate", "save_every", "log_every", "lr", "probe_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.epochs <= 0 and not self.minutes:
            raise ValueError(f"epochs must be above 0, got {self.epochs}: give a budget, epochs or minutes")
        for name, value in vars(self.method).items():
            if name.endswith("temperature") and value <= 0:
                raise ValueError(f"{name} must be above 0, got {value}")
        if not 0 <= self.beta1 < 1:
            raise ValueError(f"beta1 lies from 0 to below 1, got {self.beta1}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a part of the run, from 0 to below 1, got {self.warmup}")


def to_json(config: RunConfig) -> dict[str, Any]:
    """Values for `run.json`, as JSON gives them back; the method's name stands beside its settings."""
    plain = asdict(config)
    plain["method"] = {"name": method_name(config.method)} | plain["method"]
    out: dict[str, Any] = json.loads(json.dumps(plain))
    return out


def completed(old: dict[str, Any], config: RunConfig) -> dict[str, Any]:
    """The plain config of an older run of the same method: a setting that it does not know yet had its default."""
    plain = to_json(RunConfig(type(config.method)()))
    return plain | old | {"method": plain["method"] | old["method"]}


def _require_finite(settings: Any) -> None:
    for name, value in vars(settings).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value}")


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """The fields in which two plain configs differ, as lines `field: old → new`."""
    lines = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key, "(none)"), new.get(key, "(none)")
        if isinstance(a, dict) and isinstance(b, dict):
            lines += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            lines.append(f"{prefix}{key}: {a} → {b}")
    return lines
