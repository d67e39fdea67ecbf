"""Shared fixtures: a tiny face set made of coloured noise, with labels."""

import io
import os
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from vultus.faces.faceset import write
from vultus.faces.record import Record

for name in ("COLUMNS", "LINES"):  # of a worker: a console made from now on would keep them, whatever a test sets
    os.environ.pop(name, None)
torch.set_num_threads(1)  # tiny tensors: threads would only wait for each other
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # the same for workers, and for the processes that tests start
    os.environ.setdefault(name, "1")


@pytest.fixture
def typed(monkeypatch, capsys):
    """Run a command as a user types it; returns how it ended and what it printed, both streams."""
    from vultus import cli  # not above: its console is to be made after the environment was cleared

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vultus", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture
def say(typed):
    """Run a command that must end with `code`; returns what it printed, both streams."""

    def run(*arguments, code=0):
        found, text = typed(*arguments)
        assert found == code, text
        return text

    return run


def jpeg(pixels: np.ndarray) -> bytes:
    """uint8 (H, W, 3) → JPEG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def tiny_records(count=72, size=32, seed=0):
    """Noise whose colour tells the class; two thirds train, the rest validation and test."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        pixels = rng.integers(0, 200, (size // 4, size // 4, 3)).repeat(4, 0).repeat(4, 1)
        pixels[..., i % 3] += 55
        split = ("train", "train", "train", "train", "validation", "test")[i // 3 % 6]
        labels = {"split": split, "expression": ("angry", "happy", "sad")[i % 3], "identity": f"id{i // 6}"}
        yield Record(jpeg(pixels.astype(np.uint8)), f"{i:04d}.jpg", labels)


@pytest.fixture(scope="session")
def tiny_faces(tmp_path_factory):
    """The path of a face set of 72 pictures of 32 px, 48 of them in split train."""
    out = tmp_path_factory.mktemp("sets") / "tiny"
    write(tiny_records(), out, source="made by the tests", licence="CC0")
    return out
