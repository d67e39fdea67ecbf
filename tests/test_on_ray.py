"""The pieces on a Ray cluster of two nodes: every one done, whatever dies, and the results are those of processes."""

import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from vultus.curate.on_ray import on_ray
from vultus.curate.pieces import Piece

TESTS = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core each, on this machine."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([TESTS, *sys.path]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # Ray's workers step back for others otherwise: tests would wait
        node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
        nodes = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        nodes.add_node(**node)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
        yield ray
        ray.shutdown()
        nodes.shutdown()


def work(folder: Path, piece: Piece) -> None:
    """Note who did a piece. The fourth kills its process unless it is done with care; the tenth is a mistake."""
    if piece.number == 3 and not piece.careful:
        os.kill(os.getpid(), signal.SIGKILL)
    if piece.number == 9:
        raise OSError(f"piece {piece.number}: no room left")
    (folder / str(piece.number)).write_text(f"{piece.careful} {os.getppid()}")


def test_every_piece_is_done_once_and_one_that_kills_its_worker_is_done_with_care(cluster, tmp_path):
    told: Counter[int] = Counter()
    on_ray([Piece(n, ()) for n in range(9)], partial(work, tmp_path), 2, lambda piece: told.update([piece.number]))
    assert told == Counter(range(9))
    done = {int(path.name): path.read_text().split() for path in tmp_path.iterdir()}
    assert {number for number, (careful, _) in done.items() if careful == "True"} == {3}
    assert sorted(done) == list(range(9)) and cluster.is_initialized()


def test_what_work_raises_is_raised_here(cluster, tmp_path):
    with pytest.raises(OSError, match="piece 9: no room left"):
        on_ray([Piece(n, ()) for n in (8, 9)], partial(work, tmp_path), 2, lambda piece: None)


def test_without_ray_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install vultus\[ray\]"):
        on_ray([Piece(0, ())], partial(work, tmp_path), 1, lambda piece: None)
