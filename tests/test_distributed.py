"""Two gloo processes compute what one process computes with twice the batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import tiny_records
from vultus.faces.faceset import FaceSet, write
from vultus.faces.mixture import Mixture
from vultus.methods.byol import BYOLConfig
from vultus.methods.catalogue import METHODS
from vultus.methods.contrawarping import ContraWarpingConfig
from vultus.methods.deformae import DeformAEConfig
from vultus.methods.dino import DINOConfig
from vultus.methods.fabnet import FAbNetConfig
from vultus.methods.facecycle import FaceCycleConfig
from vultus.methods.moco import MoCoConfig
from vultus.methods.model import load
from vultus.methods.pcl import PCLConfig
from vultus.methods.pros import ProSConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.methods.splitbrain import SplitBrainConfig
from vultus.methods.supervised import SupervisedConfig
from vultus.methods.tcae import TCAEConfig
from vultus.methods.vultus import VultusConfig
from vultus.nets.collective import rank, world_size
from vultus.training.config import RunConfig
from vultus.training.distributed import join
from vultus.training.loop import Learner, learn
from vultus.training.supply import Batch, supply

# mixing, noise and patch dropping draw from a process's own generator: switched off here
SMALL = {"encoder": "small", "hidden": 16, "projection": 8}
KNOWN = {"encoder": "small", "embedding": 8, "outputs": ("a", "b", "c")}
PATCHES = SMALL | {"encoder": "patches"}
SETTINGS = {
    "simclr": SimCLRConfig(**PATCHES),
    "pcl": PCLConfig(**PATCHES, mix=0.0, noise=0.0, whole_part=1.0, pose_part=1.0),
    "pcl-dot": PCLConfig(**PATCHES, mix=0.0, noise=0.0, whole_part=1.0, pose_part=1.0, orthogonal="dot"),
    "vultus": VultusConfig(**SMALL, face_part=1.0),
    "byol": BYOLConfig(**SMALL),
    "contrawarping": ContraWarpingConfig(**SMALL),
    "moco": MoCoConfig(**SMALL, queue=24),
    "moco-v3": MoCoConfig(**SMALL, version="v3"),
    "dino": DINOConfig(encoder="small", hidden=16, bottleneck=8, outputs=16, small_views=1),
    "pros": ProSConfig(**SMALL, prototypes=16, small_views=1),
    "fabnet": FAbNetConfig(encoder="small"),
    "tcae": TCAEConfig(encoder="small"),
    "facecycle": FaceCycleConfig(encoder="small"),
    "splitbrain": SplitBrainConfig(encoder="small"),
    "deformae": DeformAEConfig(encoder="small"),
    "supervised": SupervisedConfig(encoder="small", embedding=8, outputs=("a", "b", "c"), loss="arcface"),
    "supervised-classes": SupervisedConfig(**KNOWN, loss="cross-entropy"),
    "supervised-units": SupervisedConfig(**KNOWN, loss="multi-label"),
    "supervised-numbers": SupervisedConfig(**KNOWN, loss="regression", centre=(0.0,) * 3, spread=(1.0,) * 3),
    "simclr-activated": SimCLRConfig(**SMALL | {"encoder": "lcnet_035"}),  # its norms activate as well
}
SOME = torch.tensor([0, -1, -1, -1, 1, 2, 0, 1])  # of four and four faces one and all are known
PARTS = torch.rand(8, 3, generator=torch.Generator().manual_seed(1)).masked_fill(SOME[:, None] < 0, float("nan"))
LABELS = {
    "supervised": torch.arange(8) % 3,
    "supervised-classes": SOME,
    "supervised-units": PARTS,
    "supervised-numbers": PARTS,
}
STEPS = 2


def steps(name, out):
    join("cpu")
    # absolute values near 0, as of TCAE's flows, make of a rounding another sign: smaller steps keep the two together
    rate = 0.005 if name == "tcae" else 0.05
    config = RunConfig(method=SETTINGS[name], size=32, batch=8, precision="fp32", optimiser="sgd", lr=rate, clip=1.0)
    learner = Learner(config, 10, 1, "cpu")  # an epoch a step: after two, losses are balanced by how they fell
    images = torch.randint(0, 256, (STEPS, 8, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    local = 8 // world_size()
    mine = slice(rank() * local, (rank() + 1) * local)
    labels = LABELS[name][mine] if name in LABELS else None
    losses = [learner.step(Batch(batch[mine], targets=labels)) for batch in images]
    values = {f"loss.{i}.{k}.{rank()}": torch.tensor(v) for i, step in enumerate(losses) for k, v in step.items()}
    state = {k: v.contiguous() for k, v in learner.method.state_dict().items()}
    balance = {f"balance.{k}": torch.tensor(v) for k, v in learner.average.weights().items()}
    save_file(values | state | balance, f"{out}.{rank()}")


def mixed_steps(sets, out):
    """Steps on a mixture of the two sets; what this process saw and learned goes to a file."""
    join("cpu")
    config = RunConfig(method=SETTINGS["simclr"], size=32, batch=16, precision="fp32", optimiser="sgd", lr=0.05)
    learner = Learner(config, 10, 5, "cpu")
    supplied = supply(config, Mixture([FaceSet.open(path) for path in sets], (0.7, 0.3)), 32, learner.method.views())
    learn(learner, supplied, STEPS, lambda losses: False)
    seen = torch.stack([batch.images for batch in supplied.batches(config, 0, STEPS)])
    state = {k: v.contiguous() for k, v in learner.method.state_dict().items()}
    save_file(state | {"seen": seen}, f"{out}.{rank()}")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_torchrun_makes_one_model_with_two_processes(tiny_faces, tmp_path):
    out = tmp_path / "run"
    flags = ["--size", "32", "--batch", "8", "--epochs", "1", "--precision", "fp32"]
    flags += ["--hidden", "8", "--projection", "8", "--save-every", "3"]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={free_port()}"]
    command += ["-m", "vultus", "pretrain", "pcl", str(tiny_faces), "--out", str(out), *flags]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the model lies in") == 1
    assert load(out).feature_names == ("shared", "face", "pose", "face+pose")


def test_every_method_has_its_settings_here():
    assert set(METHODS) <= set(SETTINGS)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """The folders of two sets to mix."""
    out = tmp_path_factory.mktemp("sets")
    for seed in (1, 2):
        write(tiny_records(40, seed=seed), out / str(seed), source="made by the tests", licence="CC0")
    return [str(out / "1"), str(out / "2")]


@pytest.fixture(scope="module")
def both(sets, tmp_path_factory):
    """Every setting's steps by two processes, which are started once, since starting costs more than the steps."""
    out = tmp_path_factory.mktemp("two")
    code = (
        "from test_distributed import *; "
        f"[steps(n, {str(out)!r} + '/' + n) for n in SETTINGS]; mixed_steps({sets!r}, {str(out / 'mixed')!r})"
    )
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": "2",
    }
    crew = [subprocess.Popen([sys.executable, "-c", code], env=env | {"RANK": str(r)}) for r in (0, 1)]
    assert [p.wait(timeout=300) for p in crew] == [0, 0]
    return out


@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_are_one_with_twice_the_batch(name, both, tmp_path):
    steps(name, tmp_path / "one")
    one = load_file(f"{tmp_path / 'one'}.0")
    two = [load_file(f"{both / name}.{r}") for r in (0, 1)]
    for key, value in one.items():
        if key.startswith("loss."):
            loss = key.removesuffix(".0")
            mean = (two[0][f"{loss}.0"] + two[1][f"{loss}.1"]) / 2
            torch.testing.assert_close(mean, value, atol=2e-4, rtol=2e-3)
        elif value.is_floating_point():
            assert torch.equal(two[0][key], two[1][key]), key  # the processes stay the same
            torch.testing.assert_close(two[0][key], value, atol=2e-4, rtol=2e-3)


def test_two_processes_share_the_batches_of_a_mixture(sets, both, tmp_path):
    mixed_steps(sets, tmp_path / "one")
    one, two = load_file(tmp_path / "one.0"), [load_file(both / f"mixed.{r}") for r in (0, 1)]
    assert torch.equal(torch.cat([part.pop("seen") for part in two], dim=1), one.pop("seen"))
    for key, value in one.items():
        if value.is_floating_point():
            assert torch.equal(two[0][key], two[1][key]), key
            torch.testing.assert_close(two[0][key], value, atol=2e-4, rtol=2e-3)
