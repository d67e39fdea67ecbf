"""SimCLR views, 112 px → 64 px, on one core: this library's batches against torchvision's pipeline on PIL images."""

import statistics
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from vultus.training.memory import tune_allocator
from vultus.views import render_views
from vultus.views.presets import simclr

SIDE, SIZE, BATCH, ROUNDS = 112, 64, 256, 7


def textured(count: int) -> Tensor:
    """Random pictures (count, 3, SIDE, SIDE) uint8 with structure at every scale, as photographs have."""
    generator = torch.Generator().manual_seed(0)
    out = torch.zeros(count, 3, SIDE, SIDE)
    for side in (4, 14, 56, SIDE):
        coarse = torch.randn(count, 3, side, side, generator=generator) / side**0.5
        out += torch.nn.functional.interpolate(coarse, size=SIDE, mode="bilinear")
    return out.mul_(60).add_(128).clamp_(0, 255).to(torch.uint8)


def torchvision_pipeline() -> Callable[[Image.Image], Tensor]:
    """The transforms and settings of `simclr(64)`."""
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE, scale=(0.2, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
            transforms.RandomApply([transforms.GaussianBlur(7, (0.1, 2.0))], p=0.5),
            transforms.ToTensor(),
        ]
    )


def measure() -> dict[str, float]:
    """Milliseconds of CPU time a view takes on one thread, and the median `ratio` of interleaved rounds."""
    tune_allocator()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        images = textured(BATCH)
        pictures = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]
        pipeline, views = torchvision_pipeline(), {"a": simclr(SIZE), "b": simclr(SIZE)}
        ours, theirs = [], []
        for step in range(-1, ROUNDS):
            a = time.thread_time()
            render_views(images, views, seed=step)
            b = time.thread_time()
            torch.stack([pipeline(picture) for picture in pictures])
            c = time.thread_time()
            if step >= 0:  # the first round warms up
                ours.append((b - a) / (2 * BATCH) * 1e3)
                theirs.append((c - b) / BATCH * 1e3)
    finally:
        torch.set_num_threads(threads)
    ratio = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    return {
        "views, ms": statistics.median(ours),
        "torchvision on PIL, ms": statistics.median(theirs),
        "views against torchvision": ratio,
    }


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:16s} {value:.4f}")
