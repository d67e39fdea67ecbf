"""What the processes of one run share: rows gathered and sums taken, with gradients.

With one process every function here is the identity, so methods call them without asking.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Number of processes of this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(world_size())]
        dist.all_gather(parts, rows.contiguous())
        ctx.rows = rows.shape[0]
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        # every process's loss reaches these rows: their gradients add up before DDP averages
        grad = grads[0].contiguous()
        dist.all_reduce(grad)
        return grad[rank() * ctx.rows : (rank() + 1) * ctx.rows]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        grad = grads[0].contiguous()
        dist.all_reduce(grad)
        return grad


def gather(rows: Tensor) -> Tensor:
    """Rows (b, …) of every process → (b · processes, …), in the order of the ranks; gradients flow to all."""
    return rows if world_size() == 1 else _Gather.apply(rows)


def total(value: Tensor) -> Tensor:
    """The sum of `value` over all processes; gradients flow to all."""
    return value if world_size() == 1 else _Sum.apply(value)
