"""What tests ask of any method: which parts a loss teaches, and how much fine detail its views carry."""

import torch


def reached(method, loss, depth=1):
    """Parts, named to `depth`, whose parameters get a gradient that is not zero."""
    method.zero_grad()
    loss.backward(retain_graph=True)
    moved = {n for n, p in method.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    return {".".join(n.split(".")[:depth]) for n in moved}


def fine_power(views, low):
    """Mean power of each picture (N, 3, S, S) of each view at `low` waves a side and more: name → [N]."""
    power = {}
    for name, out in views.items():
        spectrum = torch.fft.fft2(out - out.mean((2, 3), keepdim=True)).abs().square()
        high = out.shape[-1] + 1 - low
        power[name] = spectrum[:, :, low:high, low:high].mean((1, 2, 3))
    return power


def above(some, others):
    """How often one of `some` is greater than one of `others`."""
    return (some[:, None] > others[None, :]).float().mean().item()
