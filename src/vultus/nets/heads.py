"""Projection heads."""

from torch import nn


def projector(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear – ReLU – Linear – BatchNorm, as PCL's two heads: (B, inputs) → (B, outputs)."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, outputs), nn.BatchNorm1d(outputs)
    )
