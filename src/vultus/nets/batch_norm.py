"""Batch norm over the faces of all processes, on any device.

torch's SyncBatchNorm runs on accelerators alone; this one is plain tensor algebra with two differentiable
sums, so that a two-process run on CPUs is the same mathematics as one process with twice the batch.
"""

import torch
from torch import Tensor, nn

from vultus.nets.collective import total


class SyncedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Drop-in for BatchNorm1d and 2d with the statistics of all processes."""

    def _check_input_dim(self, input: Tensor) -> None:
        return

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        axes = [0, *range(2, x.ndim)]
        shape = [1, -1] + [1] * (x.ndim - 2)
        count = x.new_tensor(x.numel() / x.shape[1])
        sums = total(torch.cat([x.sum(axes), (x * x).sum(axes), count[None]]))
        n = sums[-1].detach()
        mean, square = sums[:-1].div(n).chunk(2)
        var = (square - mean * mean).clamp_min(0)
        self._remember(mean.detach(), var.detach() * n / (n - 1).clamp_min(1))
        y = (x - mean.view(shape)) * torch.rsqrt(var + self.eps).view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1


class SyncedBatchNormAct(SyncedBatchNorm):
    """Drop-in for timm's BatchNormAct2d: dropping and activation follow the norm."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = self.act(self.drop(super().forward(input)))
        return out


def synchronise(module: nn.Module) -> nn.Module:
    """Replace every batch norm below `module` in place; weights and buffers are kept.

    Raises ValueError for a kind of batch norm that is neither torch's for vectors and maps nor timm's with activation.
    """
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, _synced(child))
        else:
            synchronise(child)
    return module


def _synced(norm: nn.modules.batchnorm._BatchNorm) -> SyncedBatchNorm:
    if isinstance(norm, SyncedBatchNorm):
        return norm
    activated = type(norm).__name__ == "BatchNormAct2d"  # by name: timm takes seconds to load
    if not activated and type(norm) not in (nn.BatchNorm1d, nn.BatchNorm2d):
        raise ValueError(
            f"{type(norm).__name__} cannot share its statistics between processes: train on one process, or choose "
            "an encoder with plain batch norms"
        )
    kind = SyncedBatchNormAct if activated else SyncedBatchNorm
    synced = kind(norm.num_features, norm.eps, norm.momentum, norm.affine)
    for name, part in norm.named_children():
        setattr(synced, name, part)
    synced.load_state_dict(norm.state_dict())
    return synced.train(norm.training)
