"""A trained representation on disk and in use: `model.safetensors` + `config.json`, no pickle."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from torch import Tensor, nn

from vultus.faces.atomic import sha256_of, write_atomic
from vultus.methods.catalogue import METHODS, AnyMethod, MethodConfig, build_method, method_name
from vultus.nets.patches import learn_patches
from vultus.nets.precision import autocast

OTHER_VERSION = "read it with the version that trained it, or train again"
Picture = str | Path | Image.Image
Images = Tensor | np.ndarray | Picture | Sequence[Picture]


class FaceModel:
    """A frozen method that reads faces.

    `size`: the side it reads at, pixels. `feature_names`: what `features` returns. `sha256`: of its weights.
    """

    def __init__(self, method: nn.Module, name: str, size: int, sha256: str, device: str = "cpu") -> None:
        self.method = method.eval().requires_grad_(False).to(device)
        self.name, self.size, self.sha256, self.device = name, size, sha256, device
        self.default_feature: str = method.default_feature  # type: ignore[assignment]
        with torch.no_grad():
            self.widths = {k: v.shape[1] for k, v in self._read(torch.zeros(1, 3, size, size)).items()}
        self.feature_names = tuple(self.widths)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} ({width})" for name, width in self.widths.items())
        return f"FaceModel {self.name}, {self.size} px; features: {told}; embed gives {self.default_feature}"

    def features(self, images: Images) -> dict[str, Tensor]:
        """Every named feature, float32 (B, D) on the CPU.

        images: uint8 (B, 3, H, W) of any size, or paths or Pillow pictures, one or a list of them.
        """
        batch = to_batch(images, self.size).to(self.device)
        with torch.inference_mode():
            return {k: v.float().cpu() for k, v in self._read(batch).items()}

    def embed(self, images: Images) -> Tensor:
        """The default feature, float32 (B, D)."""
        return self.features(images)[self.default_feature]

    def _read(self, batch: Tensor) -> dict[str, Tensor]:
        with autocast(self.device):
            out: dict[str, Tensor] = self.method.features(  # type: ignore[operator]
                batch.to(self.device, memory_format=torch.channels_last)
            )
        return out


def to_batch(images: Images, size: int) -> Tensor:
    """Pictures → float32 (B, 3, size, size) in 0…1, resampled with anti-aliasing where the size differs.

    Raises ValueError when an array is not uint8 (B, 3, H, W), and for an empty list.
    """
    if isinstance(images, str | Path | Image.Image):
        images = [images]
    if not isinstance(images, Tensor | np.ndarray):
        if not len(images):
            raise ValueError("no picture given: the list is empty")
        return torch.cat([to_batch(_picture(i), size) for i in images])
    batch = torch.as_tensor(images)
    if batch.dtype != torch.uint8 or batch.ndim != 4 or batch.shape[1] != 3:
        raise ValueError(
            f"expected uint8 pictures of shape (B, 3, H, W), got {batch.dtype} of shape {tuple(batch.shape)}: "
            "scale to 0…255 and put channels second, or pass a list of paths or Pillow images"
        )
    batch = batch.float() / 255
    if batch.shape[-2:] != (size, size):
        batch = nn.functional.interpolate(
            batch, size=(size, size), mode="bilinear", antialias=True, align_corners=False
        )
    return batch


def _picture(image: Picture) -> np.ndarray:
    opened = image if isinstance(image, Image.Image) else Image.open(image)
    return np.ascontiguousarray(np.asarray(opened.convert("RGB")).transpose(2, 0, 1)[None])


def save_model(method: nn.Module, config: MethodConfig, size: int, folder: Path, **about: Any) -> str:
    """Write `model.safetensors` and `config.json` into `folder`; `about` goes into the latter. Returns the hash."""
    card = {"method": method_name(config), "size": size, "config": asdict(config)} | about
    return save_weights(method, folder, card)


def save_weights(module: nn.Module, folder: Path, card: Mapping[str, Any]) -> str:
    """Write a module's `model.safetensors` and the card `config.json` with their hash, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save({k: v.detach().cpu().contiguous() for k, v in module.state_dict().items()})
    write_atomic(folder / "model.safetensors", data)
    write_atomic(folder / "config.json", json.dumps({**card, "sha256": sha256_of(data)}, indent=1).encode())
    return sha256_of(data)


def load(path: str | Path, device: str = "cpu") -> FaceModel:
    """The model in a run's folder, verified against the hash that was written beside it.

    Raises FileNotFoundError where no model lies and ValueError where the weights are not those of `config.json`, where
    they are of another version, or fine-tuned.
    """
    card, weights = load_weights(Path(path), "`vultus pretrain`")
    if "objective" in card:
        raise ValueError(f"{path} holds a fine-tuned model, which predicts: vultus.load_finetuned({str(path)!r})")
    method = method_of(card)
    fill(method, weights, Path(path))
    return FaceModel(method, card["method"], card["size"], card["sha256"], device)


def load_weights(folder: Path, maker: str) -> tuple[Mapping[str, Any], dict[str, Tensor]]:
    """What `save_weights` wrote, the card and the weights; maker: what writes such folders, for the error.

    Raises FileNotFoundError where no model lies and ValueError where the weights are not those of `config.json`, or
    where that is not of this version.
    """
    try:
        card = read_card(folder)
        data = (folder / "model.safetensors").read_bytes()
    except FileNotFoundError as missing:
        if unfinished := _progress(folder):
            raise FileNotFoundError(f"{folder} is not finished ({unfinished}): repeat its command to go on") from None
        raise FileNotFoundError(
            f"no model in {folder}: expected config.json and model.safetensors there, as {maker} "
            f"writes them when it finishes; {missing.filename} is missing"
        ) from None
    found = sha256_of(data)
    if found != card["sha256"]:
        raise ValueError(
            f"{folder / 'model.safetensors'} has SHA-256 {found[:16]}…, config.json expects "
            f"{card['sha256'][:16]}…: the file is damaged or was exchanged; restore it or train again"
        )
    return card, load_tensors(data)


def _progress(folder: Path) -> str:
    """How far a pre-training came that was begun in a folder and holds no model yet; "" where none was."""
    plan, last = folder / "run.json", folder / "checkpoint.json"
    if not plan.is_file() or (folder / "config.json").exists():
        return ""
    steps = json.loads(plan.read_text()).get("steps")
    if steps is None:  # of a fine-tuning
        return ""
    done = json.loads(last.read_text())["step"] if last.is_file() else 0
    return f"{done:,} of {steps:,} steps"


def read_card(folder: Path) -> Mapping[str, Any]:
    """A model's `config.json`. Raises ValueError where its method or settings are none of this version's."""
    card: Mapping[str, Any] = json.loads((folder / "config.json").read_text())
    name, given = card["method"], card["config"]
    kind = METHODS[name][0] if name in METHODS else None
    unknown = given.keys() - {field.name for field in fields(kind)} if kind else {"the method itself"}
    if unknown:
        told = f"{folder} holds a model of {name} that this version of vultus cannot build: it does not know "
        raise ValueError(f"{told}{', '.join(sorted(unknown))}; {OTHER_VERSION}")
    return card


def config_of(card: Mapping[str, Any]) -> MethodConfig:
    """The settings of a method that a card tells."""
    kind, _ = METHODS[card["method"]]
    return kind(**card["config"])


def method_of(card: Mapping[str, Any]) -> AnyMethod:
    """The method that a card describes, with fresh weights."""
    return build_method(config_of(card), card["size"])


def fill(module: nn.Module, weights: Mapping[str, Tensor], folder: Path) -> None:
    """Give a module its weights from `folder`. Raises ValueError where they are not of its names and shapes."""
    try:
        module.load_state_dict(weights)
    except RuntimeError as other:
        fault = str(other).splitlines()[-1].strip()
        told = f"the weights in {folder} do not fit this version's networks: {fault}"
        raise ValueError(f"{told}; {OTHER_VERSION}") from None


def random_model(config: MethodConfig, size: int, faces: Tensor, *, atoms: bool = False, seed: int = 0) -> FaceModel:
    """The same method untrained: the floor that every learned feature must leave behind.

    faces: unlabelled, uint8 (N, 3, S, S); batch norms take their statistics, since those of a fresh network fit no
    face and would make the floor lower than it is. atoms: let patch stems learn from them too, which is the state of
    a run before its first step; the model is then called "untrained" instead of "random".
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        method = build_method(config, size)
    if atoms:
        learn_patches(method, faces)
    _calibrate(method, faces)
    name = "untrained" if atoms else "random"
    identity = sha256_of(f"{name} {config} {size} {seed} {sha256_of(faces.numpy().tobytes())}".encode())
    return FaceModel(method, name, size, identity)


@torch.no_grad()
def _calibrate(method: nn.Module, faces: Tensor) -> None:
    """Batch norms on the way to the features take the mean statistics of a few batches."""
    norms = [m for m in method.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None  # torch's sign for a plain average over the batches seen
    for batch in torch.split(faces, 256):
        method.train().features(batch.float() / 255)  # type: ignore[operator]
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
