"""The loader keeps the schedule's order, reads no further than it must, raises what went wrong, and ends."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from faces_pictures import encoded, jpeg, records, smooth
from vultus.faces.faceset import FaceSet, write
from vultus.faces.loader import stream
from vultus.faces.record import Record


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    folder = tmp_path_factory.mktemp("loader") / "set"
    write(records(20), folder, source="test", licence="none")
    return FaceSet.open(folder)


def decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize(("threads", "ahead"), [(1, 1), (3, 2), (2, 50)])
def test_batches_come_in_order(faces: FaceSet, threads: int, ahead: int) -> None:
    random = np.random.default_rng(0)
    schedule = [random.integers(0, 20, size) for size in (5, 1, 8, 3, 3, 0, 7, 2, 4)]
    found = list(stream(faces, schedule, 24, threads, ahead))
    assert len(found) == len(schedule)
    for batch, indices in zip(found, schedule, strict=True):
        assert batch.dtype == torch.uint8
        np.testing.assert_array_equal(batch.numpy(), faces.images(indices, 24))
    assert not decoders()


def test_an_endless_schedule_is_read_only_as_far_as_needed(faces: FaceSet) -> None:
    asked = []

    def endless() -> Iterator[np.ndarray]:
        for number in itertools.count():
            asked.append(number)
            yield np.array([number % 20])

    batches = stream(faces, endless(), 16, threads=2, ahead=3)
    assert not asked
    for _ in range(5):
        next(batches)
    assert len(asked) == 5 + 3
    assert decoders()
    batches.close()
    assert not decoders()


def test_leaving_the_loop_early_ends_the_threads(faces: FaceSet) -> None:
    for _ in stream(faces, (np.arange(20) for _ in itertools.count()), 16):
        break
    assert not decoders()


def test_errors_reach_the_consumer_in_their_place(faces: FaceSet) -> None:
    batches = stream(faces, [np.arange(3), np.array([99]), np.arange(2)], 16, ahead=5)
    assert next(batches).shape == (3, 3, 16, 16)
    with pytest.raises(IndexError, match="indices 0 to 19 exist"):
        next(batches)
    assert not decoders()


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    image = encoded(smooth(1), "PNG")
    write([Record(jpeg(0), "good.jpg"), Record(image, "bad.png")], tmp_path / "set", source="test", licence="none")
    shard = tmp_path / "set" / "shard-00000.arrow"
    shard.write_bytes(shard.read_bytes().replace(image, b"x" * len(image)))
    with pytest.raises(ValueError, match=r"bad\.png"):
        list(stream(FaceSet.open(tmp_path / "set"), [np.array([0, 1])], 16))


def test_a_broken_schedule_ends_the_threads(faces: FaceSet) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield np.arange(2)
        raise RuntimeError("the sampler broke")

    with pytest.raises(RuntimeError, match="the sampler broke"):
        list(stream(faces, broken(), 16))
    assert not decoders()


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 16, "threads": 0}, {"size": 16, "ahead": 0}])
def test_settings_are_checked_at_once(faces: FaceSet, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        stream(faces, [], **wrong)
