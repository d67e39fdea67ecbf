"""One run on several processes, as `torchrun` starts them."""

import os
from collections.abc import Mapping, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vultus.nets.batch_norm import synchronise


def join(device: str) -> str:
    """Join the group that torchrun's variables describe, if any; returns the device of this process."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    if device == "cuda" and dist.is_initialized():
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    return device


def leave() -> None:
    """Leave the group, if there is one."""
    if dist.is_initialized():
        dist.destroy_process_group()


class LossModule(nn.Module):
    """A method whose `forward` is its losses, which is what DistributedDataParallel wraps."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method

    def forward(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        out: dict[str, Tensor] = self.method.losses(views)  # type: ignore[operator]
        return out


def spread(method: nn.Module) -> nn.Module:
    """The losses of `method` as a module; with several processes gradients are averaged, batch norm is shared."""
    if not dist.is_initialized():
        return LossModule(method)
    synchronise(method)
    # a switched-off term leaves its branch without gradient; buffers are the same anyway, or synced, which is harmless
    return DistributedDataParallel(LossModule(method), find_unused_parameters=True)


def agreed(value: float) -> float:
    """The first process's value, on every process."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def any_process(flag: bool, device: str) -> bool:
    """Whether `flag` is set on any process."""
    if not dist.is_initialized():
        return flag
    box = torch.tensor(float(flag), device=device)
    dist.all_reduce(box, dist.ReduceOp.MAX)
    return bool(box)


def averaged(values: Sequence[float], device: str) -> list[float]:
    """Each value's mean over the processes, the same on all of them."""
    if not dist.is_initialized():
        return list(values)
    box = torch.tensor(values, dtype=torch.float32, device=device)
    dist.all_reduce(box)
    out: list[float] = (box / dist.get_world_size()).tolist()
    return out
