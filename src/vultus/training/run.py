"""`pretrain`: one run in one folder, begun, resumed, interrupted or found finished.

run.json            settings, the faces' hash, the number of steps
log.jsonl           losses, rates, probe and collapse indicators; tensorboard/ shows the same
checkpoint.json     names the last checkpoint
best/               the model with the best online probe
model.safetensors, config.json    the finished model
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.methods.catalogue import build_method, method_name
from vultus.methods.model import save_model
from vultus.nets.collective import rank, world_size
from vultus.nets.patches import learn_patches, patch_stems
from vultus.training.adapting import adapted
from vultus.training.budget import count_steps, load_side
from vultus.training.config import RunConfig, completed, differences, to_json
from vultus.training.distributed import any_process, join
from vultus.training.journal import Journal, read_lines
from vultus.training.loop import Learner, learn
from vultus.training.machine import chosen_device, hardware, versions
from vultus.training.memory import tune_allocator
from vultus.training.observer import Observer
from vultus.training.place import ASKED, PLAN, require_place
from vultus.training.sources import Given, described, found_at, learned_from, shown
from vultus.training.supply import Supply, described_pairs, described_warps, supply
from vultus.training.terminal import steps_bar, stop_signal
from vultus.training.watch import Watch, build_watch

FIRST_LOOK = 5_000  # faces at most from which atoms are learned before the first step
# of run.json: a run may be resumed under others
CIRCUMSTANCES = ("steps", "faces_path", "parts_paths", "pairs_of", "warps_at", "made_with", "machine")


@dataclass(frozen=True)
class RunResult:
    """What came of a call of `pretrain`."""

    out: Path
    method: str
    status: Literal["finished", "interrupted", "already finished"]
    steps: int  # done
    faces_seen: int
    seconds: float  # of training, without probes
    losses: dict[str, float]  # of the last logged step
    probe: dict[str, float]  # the last reading: knn, feature_std, effective_rank
    pairs: str = ""  # what stood for two pictures of a person, for methods that learn from pairs
    warps: str = ""  # where local warps stood, for methods that ask for them at landmarks


def pretrain(config: RunConfig, faces: Given, out: str | Path, *, quiet: bool = False) -> RunResult:
    """Learn from the face set at `faces` into the folder `out`; repeat the call to resume.

    Several sets are mixed by weights: "a:0.7,b:0.3", or their folders in a mapping to weights.

    Raises ValueError when `out` holds a run of other settings or faces (naming the fields) or when the faces
    are fewer than a batch, FileExistsError when it holds something else, NonFiniteLossError when learning diverges.
    """
    tune_allocator()
    folder = Path(out)
    require_place(folder, PLAN, ASKED)
    device = join(chosen_device(config.device))
    chosen = learned_from(faces, config)
    config = replace(config, method=adapted(config.method, chosen))
    views = build_method(config.method, config.size).views()
    supplied = supply(config, chosen, load_side(chosen, config.size), views)
    told = {"pairs_of": described_pairs(supplied, views), "warps_at": described_warps(supplied, views)}
    plan = _plan(config, supplied, folder, device, told)
    if (folder / "config.json").exists():
        return _result(folder, config, "already finished", plan)
    probe = FaceSet.open(config.probe) if config.probe else None
    watch = build_watch(shown(chosen), probe, config.probe_label, config.size)
    learner = Learner(config, plan["steps"], len(chosen) // config.batch, device)
    _note(plan, folder)  # now that nothing refuses: a corrected command finds the folder free
    learner.restore(folder)
    if not learner.progress.step and patch_stems(learner.method):
        learn_patches(learner.method, torch.from_numpy(chosen.sample(FIRST_LOOK, config.size, config.seed)))
    ended = _run(learner, supplied, watch, folder, quiet)
    if not ended:
        return _result(folder, config, "interrupted", plan | {"steps": learner.progress.step})
    if rank() == 0:
        about = {"run": plan, "seconds": round(learner.progress.seconds, 1)}
        save_model(learner.method, config.method, config.size, folder, **about)
    return _result(folder, config, "finished", plan)


def _plan(config: RunConfig, supplied: Supply, folder: Path, device: str, told: dict[str, str]) -> dict[str, Any]:
    """The folder's run.json, or what it is to be; ValueError where it is another run's, and that has begun."""
    own, rest = divmod(config.batch, world_size() * config.accumulate)
    if rest or own < 2:
        raise ValueError(
            f"a batch of {config.batch} does not divide into {world_size()} processes × {config.accumulate} parts of "
            "two faces or more: choose a multiple"
        )
    faces = supplied.faces
    wanted = to_json(config) | described(faces)
    if _begun(folder):
        plan: dict[str, Any] = json.loads((folder / PLAN).read_text())
        _require_same({k: v for k, v in plan.items() if k not in CIRCUMSTANCES}, wanted, config, folder)
        return plan
    # the path is for the report's pictures alone: a set may move, its content may not change
    plan = wanted | {"steps": count_steps(config, supplied, device)} | found_at(faces)
    return plan | told | {"made_with": versions(), "machine": hardware()}


def _begun(folder: Path) -> bool:
    """Whether there is something to lose: a run whose first step failed, for want of memory say, leaves its plan."""
    kept = any((folder / name).exists() for name in ("checkpoint.json", "config.json"))
    return (folder / PLAN).exists() and (kept or bool(read_lines(folder / "log.jsonl")))


def _require_same(old: dict[str, Any], wanted: dict[str, Any], config: RunConfig, folder: Path) -> None:
    """Raise ValueError naming the fields in which a run begun is another than the one wanted, or its method."""
    method = old["method"]["name"]
    if method != method_name(config.method):
        raise ValueError(f"{folder} holds a run of {method}, not of {method_name(config.method)}: choose another --out")
    if lines := differences(completed(old, config), wanted):
        raise ValueError(
            f"{folder} holds a run of other settings; choose another --out, or repeat its own:\n  " + "\n  ".join(lines)
        )


def _note(plan: dict[str, Any], folder: Path) -> None:
    """Write run.json, unless the run has begun."""
    if rank() == 0 and not _begun(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / PLAN, json.dumps(plan, indent=1).encode())


def _run(learner: Learner, supplied: Supply, watch: Watch, folder: Path, quiet: bool) -> bool:
    """Learn to the end; False when a signal asked to stop, with everything saved."""
    config, steps = learner.config, learner.steps
    journal = Journal(folder, learner.progress.step) if rank() == 0 else None
    name = method_name(config.method)
    with stop_signal() as stop, steps_bar(name, steps, learner.progress.step, quiet or rank() > 0) as (bar, task):

        def tell(line: str) -> None:
            bar.console.print(f"[yellow]{line}[/]")

        observer = Observer(learner, watch, journal, folder, tell) if journal else None

        def after(losses: dict[str, float]) -> bool:
            step = learner.progress.step
            bar.update(task, completed=step, losses="  ".join(f"{k} {v:.2f}" for k, v in losses.items()))
            leaving = any_process(stop.is_set(), learner.device)
            if observer:
                observer.after(losses)
            if rank() == 0 and (leaving or step % config.save_every == 0 or step == steps):
                learner.save(folder)
            return leaving

        try:
            learn(learner, supplied, steps, after)
        finally:
            if journal:
                journal.close()
    return learner.progress.step == steps


def _result(
    folder: Path,
    config: RunConfig,
    status: Literal["finished", "interrupted", "already finished"],
    plan: dict[str, Any],
) -> RunResult:
    events = read_lines(folder / "log.jsonl")
    last = {e["kind"]: {k: v for k, v in e.items() if k not in ("kind", "step")} for e in events}
    return RunResult(
        out=folder,
        method=method_name(config.method),
        status=status,
        steps=plan["steps"],
        faces_seen=plan["steps"] * config.batch,
        seconds=last.get("probe", {}).get("seconds", 0.0),
        losses=last.get("train", {}),
        probe={k: v for k, v in last.get("probe", {}).items() if k != "seconds"},
        pairs=plan.get("pairs_of", ""),
        warps=plan.get("warps_at", ""),
    )
