"""A queue of past features, newest first."""

import torch
from torch import Tensor, nn


class Queue(nn.Module):
    """The last `length` rows of width `width` that were pushed, and random rows as long as there are fewer.

    A buffer of the model: it is saved, and a resumed run remembers what the unbroken one does.
    """

    rows: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        if length < 1:
            raise ValueError(f"a queue of negatives holds one row or more, got {length}")
        start = torch.randn(length, width, generator=torch.Generator().manual_seed(0))
        self.register_buffer("rows", start)

    @torch.no_grad()
    def push(self, rows: Tensor) -> None:
        """Put rows (N, width) in front; as many old ones fall out."""
        self.rows = torch.cat([rows.detach().to(self.rows.dtype), self.rows])[: len(self.rows)]
