"""The pieces on a Ray cluster of two nodes: the results are those of processes, whatever dies."""

import os
import pickle
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate_pictures import folder_of
from curate_work import work
from vultus.curate.config import CurateConfig
from vultus.curate.on_ray import Crew, on_ray, raise_error
from vultus.curate.pieces import Piece
from vultus.curate.run import curate

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


def test_curation_on_two_nodes_is_byte_for_byte_that_of_processes(cluster, tmp_path):
    """Photographs by address, pieces in a folder that all nodes reach, a file that is no picture."""
    source = folder_of(tmp_path / "source")
    config = CurateConfig(piece=3)
    made = {
        executor: curate(
            f"file://{source}",
            tmp_path / executor,
            config,
            executor=executor,
            workers=2,
            work=tmp_path / f"{executor}-work",
        )
        for executor in ("processes", "ray")
    }
    assert made["ray"].faces >= 6 and made["ray"].content_hash == made["processes"].content_hash
    assert made["ray"].funnel == made["processes"].funnel
    ours, theirs = (sorted((tmp_path / f"{name}-work").glob("*.arrow")) for name in ("ray", "processes"))
    assert [one.name for one in ours] == [one.name for one in theirs] and len(ours) == 3
    assert [one.read_bytes() for one in ours] == [one.read_bytes() for one in theirs]


def done_by(crew: Crew, number: int, folder: Path) -> dict[str, Any]:
    """A piece as Ray hands it over, and the answer as Ray takes it."""
    task = pickle.dumps((partial(work, folder), Piece(number, ())))
    return {k: v[0] for k, v in crew({"number": np.array([number]), "task": np.array([task], object)}).items()}


def test_a_piece_that_kills_its_worker_is_done_with_care_and_a_mistake_is_told(tmp_path):
    """What happens within an actor, without Ray."""
    crew = Crew()
    rows = [done_by(crew, number, tmp_path) for number in (2, 3, 4, 9, 5)]
    assert [row["number"] for row in rows] == [2, 3, 4, 9, 5]
    assert [bool(row["error"]) for row in rows] == [False, False, False, True, False]
    with pytest.raises(OSError, match="piece 9: no room left"):
        for row in rows:
            raise_error(row)
    done = {int(path.name): path.read_text() for path in tmp_path.iterdir()}
    assert done == {number: str(number == 3) for number in (2, 3, 4, 5)}


def test_a_piece_that_dies_in_spite_of_care_ends_the_work(tmp_path):
    row = done_by(Crew(), 13, tmp_path)
    with pytest.raises(RuntimeError, match="piece 13 was ended from outside"):
        raise_error(row)


def test_without_a_cluster_the_error_says_how_to_have_one(monkeypatch, tmp_path):
    ray = pytest.importorskip("ray")
    ray.shutdown()
    monkeypatch.setattr(ray, "init", lambda *given, **settings: (_ for _ in ()).throw(ConnectionError("none")))
    with pytest.raises(ConnectionError, match="`ray start --head` begins one here"):
        on_ray([Piece(0, ())], partial(work, tmp_path), 1, lambda piece: None)


def test_without_ray_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install vultus\[ray\]"):
        on_ray([Piece(0, ())], partial(work, tmp_path), 1, lambda piece: None)
