"""Small sets that a network can learn from a few steps, and runs to begin from."""

import numpy as np
import torch

from conftest import jpeg
from vultus.faces.faceset import write
from vultus.faces.record import Record
from vultus.methods.catalogue import build_method
from vultus.methods.model import save_model
from vultus.methods.simclr import SimCLRConfig

SIZE = 16
SPLITS = ("train",) * 4 + ("validation", "test")


def spotted(count=96, side=16, seed=0, **extra):
    """Records of grey pictures with a bright spot, whose place gives every kind of label.

    expression: left or right; smile and au12: yes where it is high; glasses and au06: yes in dark pictures, unknown of
    every fifth face; yaw, pitch, roll from its place; landmarks: its corners and middle, the last one unknown of some
    faces. extra: further labels, or others, from a face's number and labels; None for no such label.
    """
    rng = np.random.default_rng(seed)
    for i in range(count):
        x, y = rng.choice([0.32, 0.68], 2) + rng.uniform(-0.06, 0.06, 2)
        dark = rng.random() < 0.5
        pixels = np.full((side, side, 3), 40 if dark else 130, np.uint8)
        rows, columns = np.mgrid[:side, :side] + 0.5
        pixels[np.hypot(columns - x * side, rows - y * side) < side / 6] = 230
        points = [(x - 0.15, y - 0.15), (x + 0.15, y - 0.15), (x, y), (x - 0.15, y + 0.15), (x + 0.15, y + 0.15)]
        flat = [v for point in points for v in point]
        labels = {
            "split": SPLITS[i % 6],
            "expression": "left" if x < 0.5 else "right",
            "smile": "yes" if y < 0.5 else "no",
            "glasses": "" if i % 5 == 0 else "yes" if dark else "no",
            "au12": float(y < 0.5),
            "au06": float("nan") if i % 5 == 0 else float(dark),
            "yaw": 60 * (x - 0.5),
            "pitch": 60 * (y - 0.5),
            "roll": 20 * (x - 0.5),
            "landmarks": tuple(flat[:8] + ([float("nan")] * 2 if i % 3 == 0 and i % 6 < 4 else flat[8:])),
        }
        changed = {name: make(i, labels) for name, make in extra.items()}
        yield Record(jpeg(pixels), f"{i:04d}.jpg", {k: v for k, v in (labels | changed).items() if v is not None})


def spotted_set(out, **options):
    write(spotted(**options), out, source="made by the tests", licence="CC0")
    return out


def small_run(out, encoder="small", size=SIZE):
    """The folder of a run that has learned nothing."""
    torch.manual_seed(0)
    config = SimCLRConfig(encoder=encoder, hidden=8, projection=8)
    save_model(build_method(config, size), config, size, out)
    return out
