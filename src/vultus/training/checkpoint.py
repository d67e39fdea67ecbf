"""Checkpoints: one safetensors file a save and a pointer to it, both whole or not there.

`checkpoint-00000120.safetensors` holds weights, buffers and the optimiser's moments; `checkpoint.json` names it,
with its SHA-256 and the little state besides tensors. The pointer moves by a rename after the file is
synced, and only then the older file goes, so that a kill or a full disk at any instant leaves a good one.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from vultus.faces.atomic import sha256_of, write_atomic


@dataclass
class Progress:
    """The state of a run besides tensors: steps done, and Dynamic Weight Average's memory."""

    step: int = 0
    balance: dict[str, Any] = field(default_factory=dict)
    best: float = float("-inf")  # best online probe so far
    seconds: float = 0.0  # training time spent, without evaluation


P = TypeVar("P", bound=Progress)


def save_checkpoint(folder: Path, method: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress) -> None:
    """Write a checkpoint; on an error the previous one stands."""
    tensors = {f"method.{k}": v for k, v in method.state_dict().items()} | _optimiser_tensors(optimiser)
    data = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()})
    name = f"checkpoint-{progress.step:08d}.safetensors"
    try:
        write_atomic(folder / name, data)
        pointer = {"file": name, "sha256": sha256_of(data), **asdict(progress)}
        write_atomic(folder / "checkpoint.json", json.dumps(pointer).encode())
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not save the checkpoint of step {progress.step} in {folder} ({error.strerror}); the previous "
            "one is untouched: make room and repeat the command to go on from it",
        ) from error
    for old in folder.glob("checkpoint-*.safetensors"):
        if old.name != name:
            old.unlink()


def restore_checkpoint(folder: Path, method: nn.Module, optimiser: torch.optim.Optimizer, kind: type[P]) -> P | None:
    """Load the last checkpoint into `method` and `optimiser`; None where there is none. kind: what its progress is.

    Raises ValueError when the file is not the one whose hash was noted.
    """
    if not (folder / "checkpoint.json").exists():
        return None
    pointer = json.loads((folder / "checkpoint.json").read_text())
    path = folder / pointer.pop("file")
    expected = pointer.pop("sha256")
    data = path.read_bytes() if path.exists() else b""
    if sha256_of(data) != expected:
        raise ValueError(
            f"{path} has SHA-256 {sha256_of(data)[:16]}…, checkpoint.json expects {expected[:16]}…: the file is "
            "damaged; restore it, or remove the run's folder to start again"
        )
    tensors = load(data)
    prefix = "method."
    method.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    _restore_optimiser(optimiser, tensors)
    return kind(**pointer)


def forget_checkpoint(folder: Path) -> None:
    """Remove what `save_checkpoint` wrote: the run is finished."""
    (folder / "checkpoint.json").unlink(missing_ok=True)
    for old in folder.glob("checkpoint-*.safetensors"):
        old.unlink()


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{index}.{key}": torch.as_tensor(value)
        for index, values in state.items()
        for key, value in values.items()
        if value is not None
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    whole = optimiser.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
