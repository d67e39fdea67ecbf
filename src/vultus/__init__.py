"""Self-supervised face representation learning: from unlabelled photographs to a measured encoder.

model = vultus.load("runs/pcl")
z = model.embed(images)             # (B, D)
named = model.features(images)      # {"shared": (B, D), "face": …, "pose": …, "face+pose": …}
index = vultus.search.open_index("index")
found = index.query(["a.jpg"], k=10)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vultus import search as search
    from vultus.evaluation.mirrored import Mirrored as Mirrored
    from vultus.evaluation.stages import Staged as Staged
    from vultus.faces.faceset import FaceSet as FaceSet
    from vultus.faces.pack import pack as pack
    from vultus.methods.model import load as load
    from vultus.training.finetuning.model import load_finetuned as load_finetuned
    from vultus.training.finetuning.run import finetune as finetune
    from vultus.training.run import pretrain as pretrain

__version__ = "0.1.0"
__all__ = ["FaceSet", "Mirrored", "Staged", "finetune", "load", "load_finetuned", "pack", "pretrain", "search"]

_HOMES = {
    "FaceSet": "vultus.faces.faceset",
    "Mirrored": "vultus.evaluation.mirrored",
    "Staged": "vultus.evaluation.stages",
    "finetune": "vultus.training.finetuning.run",
    "load": "vultus.methods.model",
    "load_finetuned": "vultus.training.finetuning.model",
    "pack": "vultus.faces.pack",
    "pretrain": "vultus.training.run",
}


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import on first use: `vultus --help` need not wait for torch."""
    import importlib

    if name == "search":  # a package of its own
        return importlib.import_module("vultus.search")
    if name not in _HOMES:
        raise AttributeError(f"module 'vultus' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)
