"""The run's log: JSON lines for programs, TensorBoard for eyes."""

import json
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter


class Journal:
    """Appends events `{"step": …, "kind": "train" | "probe" | "warning", …}` to `log.jsonl` and to `tensorboard/`.

    A resumed run cuts off what lies beyond its checkpoint, so that no step stands twice.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "log.jsonl"
        kept = [line for line in read_lines(self.path) if line["step"] <= step]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.file = self.path.open("a", buffering=1)
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, kind: str, step: int, **values: float) -> None:
        """One event."""
        self.file.write(json.dumps({"step": step, "kind": kind} | values) + "\n")
        for name, value in values.items():
            self.board.add_scalar(f"{kind}/{name}", value, step)

    def warn(self, step: int, text: str) -> None:
        """A warning, in words."""
        self.file.write(json.dumps({"step": step, "kind": "warning", "text": text}) + "\n")
        self.board.add_text("warning", text, step)

    def close(self) -> None:
        """Flush and close both."""
        self.file.close()
        self.board.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The events of a log; a last line torn by a kill is left out."""
    events = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return events
