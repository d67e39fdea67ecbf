"""A fine-tuned model on disk and in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vultus.methods.model import Images, fill, load_weights, method_of, save_weights, to_batch
from vultus.nets.precision import autocast
from vultus.training.finetuning import objectives
from vultus.training.finetuning.network import Network
from vultus.training.finetuning.objectives import Classes, Objective, Points, YesNo

Labels = tuple[str, ...] | tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Prediction:
    """What is said of B faces; None for what the model does not speak of.

    labels: the class of each face, or the attributes or action units that each has (probability ½ or more).
    probabilities: (B, C) of the classes, or (B, K) of each attribute or unit. values: (B, K), degrees or years.
    points: (B, P, 2), x and y in parts of the side. All float32 on the CPU; columns in the order of `names`.
    """

    names: tuple[str, ...]
    labels: Labels | None = None
    probabilities: Tensor | None = None
    values: Tensor | None = None
    points: Tensor | None = None


class FineTuned:
    """A network that predicts. `task`: what it learned; `size`: the side it reads at, pixels; `about`: its card."""

    def __init__(self, network: Network, objective: Objective, card: Mapping[str, Any], device: str = "cpu") -> None:
        self.network = network.eval().requires_grad_(False).to(device)
        self.objective, self.about, self.device = objective, card, device
        self.task, self.size, self.sha256 = str(card["task"]), int(card["size"]), str(card["sha256"])

    def predict(self, images: Images) -> Prediction:
        """images: uint8 (B, 3, H, W) of any size, cut to the face, or a list of paths or Pillow pictures."""
        batch = to_batch(images, self.size).to(self.device, memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(self.device):
            raw = self.network(batch)
        said = self.objective.said(raw.cpu())
        match self.objective:
            case Points():
                return Prediction((), points=said)
            case Classes(names=names):
                return Prediction(names, tuple(names[k] for k in said.argmax(1).tolist()), said)
            case YesNo(names=names):
                held = tuple(tuple(n for n, p in zip(names, row, strict=True) if p >= 0.5) for row in said.tolist())
                return Prediction(names, held, said)
        return Prediction(self.objective.names, values=said)


def save_finetuned(
    network: Network, objective: Objective, encoder: Mapping[str, Any], folder: Path, **about: Any
) -> str:
    """Write `model.safetensors` and `config.json`; encoder: the card of the run whose encoder it was."""
    card = {key: encoder[key] for key in ("method", "size", "config")}
    card |= {"pool": network.pool, "objective": objectives.to_json(objective), **about}
    return save_weights(network, folder, card)


def load_finetuned(path: str | Path, device: str = "cpu") -> FineTuned:
    """The model in a fine-tuning's folder, verified against the hash that was written beside it.

    A folder of one fine-tuning may be given for the folder of its only model. Raises FileNotFoundError where there is
    none, ValueError where there are several, where it is damaged, or where it was not fine-tuned.
    """
    folder = Path(path)
    below = sorted(found.parent for found in folder.glob("seed-*/**/config.json"))
    if not (folder / "config.json").exists() and below:
        if len(below) > 1:
            names = ", ".join(str(one.relative_to(folder)) for one in below)
            raise ValueError(f"{folder} holds {len(below)} fine-tuned models, name one of them: {names}")
        folder = below[0]
    card, weights = load_weights(folder, "`vultus finetune`")
    if "objective" not in card:
        raise ValueError(f"{folder} holds a model that was not fine-tuned: vultus.load({str(folder)!r}) reads features")
    objective = objectives.from_json(card["objective"])
    network = Network(method_of(card), objective, card["size"], card["pool"])
    fill(network, weights, folder)
    return FineTuned(network, objective, card, device)
