"""The table on real faces: PCL, its ablation and SimCLR learn from FER2013, read on FER2013 and LFW.

    VULTUS_DATA=folder-with-fer2013-and-lfw python -m benchmarks.real OUT [--only NAME …] [--seeds 0 1 2]

Every run resumes, every feature is cached: call it again to go on, or to print the table again.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from vultus.evaluation.baselines import BASELINES, beside, fitted_dictionary
from vultus.evaluation.evaluate import evaluate
from vultus.evaluation.figure import Figure
from vultus.evaluation.kept import add_figures, read_figures
from vultus.evaluation.measure import measure
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.table import markdown
from vultus.faces.faceset import FaceSet
from vultus.faces.pack import pack
from vultus.methods.model import load
from vultus.methods.pcl import PCLConfig
from vultus.recipes import recipe
from vultus.training.config import RunConfig
from vultus.training.run import pretrain

SIZE = 48
READINGS = (
    ("fer2013", "expression", Protocol()),
    ("lfw", "identity", Protocol()),
    ("lfw", "identity", Protocol(pca=256)),  # whitened
)
NO_POSE = {"pose": "off", "balance": False}
# name → method, epochs, PCL's switches; simclr-8 takes about as long as pcl-4
RUNS: dict[str, tuple[str, float, dict[str, object]]] = {
    "pcl-4": ("pcl", 4, {}),
    "simclr-4": ("simclr", 4, {}),
    "simclr-8": ("simclr", 8, {}),
    "pcl-4 L_face alone": ("pcl", 4, {"reconstruct": False, "orthogonal": "off", **NO_POSE}),
    "pcl-4 + L_dis": ("pcl", 4, {"orthogonal": "off", **NO_POSE}),
    "pcl-4 + L_dis + L_orth": ("pcl", 4, NO_POSE),
    "pcl-4 + L_dis + L_orth + L_pose": ("pcl", 4, {"balance": False}),
}


def real_sets(out: Path, names: Sequence[str] = ("fer2013", "lfw")) -> dict[str, Path]:
    """The face sets `names` in `out`, packed from VULTUS_DATA where they are not there yet."""
    sets = {name: out / "sets" / name for name in names}
    for name, path in sets.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            pack(Path(os.environ["VULTUS_DATA"]) / name, path, reader=name)
    return sets


def settings(name: str, seed: int, probe: Path) -> RunConfig:
    """The run's Config."""
    method, epochs, switches = RUNS[name]
    config = replace(recipe(f"{method}-cpu"), size=SIZE, epochs=epochs, seed=seed, probe=str(probe))
    if isinstance(config.method, PCLConfig):
        config = replace(config, method=replace(config.method, **switches))  # type: ignore[arg-type]
    return config


def baselines(out: Path, run: Path, fer: FaceSet, lfw: FaceSet) -> list[Figure]:
    """Random and untrained encoder, pixels, LBP, HoG, dictionaries of 72 and 400 atoms; kept, for they never change."""
    folder = out / "baselines"
    folder.mkdir(exist_ok=True)
    dictionaries = ((f"dictionary {atoms}", fitted_dictionary(fer, atoms, SIZE)) for atoms in (72, 400))
    plain = ((m.name, m) for m in beside(load(run), fer, BASELINES[:-1], 0))
    for name, model in chain(plain, dictionaries):
        for data, task, protocol in READINGS:
            kept = {(f.method, f.task, f.detail.get("whitened", False)) for f in read_figures(folder)}
            if (name, task, protocol.pca is not None) not in kept:
                faces, options = (fer if data == "fer2013" else lfw), {"cache": folder / "features"}
                found = evaluate(model, faces, task, protocol, feature=model.default_feature, **options)
                add_figures(folder, [replace(f, method=name) for f in found])
    return list(read_figures(folder))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    asked = parser.parse_args(arguments)
    sets = real_sets(asked.out)
    figures, costs = [], []
    for seed in asked.seeds:
        for name in asked.only:
            run = asked.out / f"{name.replace(' ', '')}-s{seed}"
            result = pretrain(settings(name, seed, sets["fer2013"]), sets["fer2013"], run)
            feature = "shared" if RUNS[name][2] else None  # the ablation compares F_s alone
            found = chain.from_iterable(
                measure(run, sets[data], task, feature=feature, protocol=protocol) for data, task, protocol in READINGS
            )
            figures += [replace(f, method=name, seed=seed) for f in found]
            rank = json.loads((run / "log.jsonl").read_text().splitlines()[-1])["effective_rank"]
            rate = result.faces_seen / max(result.seconds, 1e-9)
            costs.append(
                f"| {name} | {seed} | {result.faces_seen:,} | {result.seconds / 60:.1f} | {rate:.0f} | {rank:.0f} |"
            )
    first = asked.out / f"{asked.only[0].replace(' ', '')}-s{asked.seeds[0]}"
    fer, lfw = (FaceSet.open(path) for path in sets.values())
    print(markdown([*baselines(asked.out, first, fer, lfw), *figures]))
    print("| run | seed | faces seen | minutes | faces/s | effective rank |\n|---|---|---|---|---|---|")
    print("\n".join(costs))


if __name__ == "__main__":
    main()
