"""`make bench`: every speed with its goal, as a Markdown table. Nothing else may run on the machine meanwhile."""

import json
import subprocess
import sys
from datetime import date

# benchmark → figure → goal, where one is set
PARTS = {
    "bench_views": {"views against torchvision": "≥ 8"},
    "bench_faces": {"face set, faces/s": "≥ 10,000"},
    "bench_training": {
        "SimCLR step against bare": "≥ 0.9",
        "PCL with batch negatives against the reference": "≥ 10, stretch 25",
        "ContraWarping step against BYOL's": "≤ 1.4",
    },
    "bench_embedding": {"embedding against bare": "≤ 1.2"},
    "bench_memory": dict.fromkeys(("peak memory of pcl-cpu, GB", "peak memory of simclr-cpu, GB"), "< 4"),
    "bench_synthetic": {"synthetic faces at 64 px, faces/s": "≥ 200"},
    "bench_probe": {"whole choice of C, s": "< 60"},
}


def run(part: str) -> dict[str, float]:
    """The figures of one benchmark, in a process of its own: its allocator and threads are its own affair."""
    code = f"import json; from benchmarks.{part} import measure; print(json.dumps(measure()))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    print(f"measured on {date.today()} by `make bench`\n\n| figure | value | goal |\n|---|---|---|")
    for part, goals in PARTS.items():
        for name, value in run(part).items():
            print(f"| {name} | {value:,.3g} | {goals.get(name, '')} |", flush=True)


if __name__ == "__main__":
    main()
