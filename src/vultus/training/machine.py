"""On what a run, or a page about it, was made."""

import os
import platform
from importlib import metadata
from pathlib import Path

import torch


def chosen_device(asked: str) -> str:
    """The device asked for; "auto" is cuda if there is one, else cpu. Raises ValueError for one that is not there."""
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise ValueError(f"no device {asked!r}: give auto, cpu, cuda or cuda:N") from None
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(f"device {asked} was asked for and PyTorch sees {count or 'no'} GPUs: give --device auto")
    return asked


def versions() -> str:
    """vultus, PyTorch and Python."""
    try:
        own = metadata.version("vultus")
    except metadata.PackageNotFoundError:  # used from a checkout
        own = "from a checkout"
    return f"vultus {own}, PyTorch {torch.__version__}, Python {platform.python_version()}"


def hardware() -> str:
    """Processor, cores and GPUs."""
    parts = [f"{_processor()}, {os.cpu_count()} cores"]
    parts += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return "; ".join(parts)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
