"""Runs a command and notes what it took: `python watcher.py NOTE COMMAND…`.

A script that imports nothing heavy, since a child's peak memory begins with its parent's size. NOTE becomes
{"memory": GB resident at most, "wall": seconds, over all calls}. The command ends with the process that asked for it.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

POLL = 0.2  # seconds


def main() -> int:
    """The command's own exit code."""
    note, command = Path(sys.argv[1]), sys.argv[2:]
    before = {"memory": 0.0, "wall": 0.0} | (json.loads(note.read_text()) if note.exists() else {})
    start, asking = time.monotonic(), os.getppid()
    child = subprocess.Popen(command)

    def end(number: int, frame: FrameType | None) -> None:
        child.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at a terminal the child hears Ctrl-C itself, saves, and ends
    while child.poll() is None:
        if os.getppid() != asking:
            child.terminate()
            child.wait()
        time.sleep(POLL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    wall = before["wall"] + time.monotonic() - start
    note.write_text(json.dumps({"memory": max(before["memory"], used), "wall": wall}))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())
