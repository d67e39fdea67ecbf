"""The process that stands by a pre-training: it notes what that took, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from vultus.benchmark import watcher


@pytest.mark.parametrize("ended", ["told", "orphaned"])
def test_the_watcher_takes_its_command_with_it(tmp_path, ended):
    """Whether it is told to end, or whoever started it is gone."""
    mark = tmp_path / "mark"
    waits = f"import signal, sys, time, pathlib; m = pathlib.Path({str(mark)!r});\n"
    waits += "signal.signal(signal.SIGTERM, lambda *_: (m.write_text('saved'), sys.exit(143)))\n"
    waits += "m.write_text('begun'); time.sleep(60)"
    command = [sys.executable, watcher.__file__, str(tmp_path / "note"), sys.executable, "-c", waits]
    if ended == "told":
        process = subprocess.Popen(command)
        _wait(lambda: mark.exists())
        process.terminate()
        assert process.wait(20) == 143
    else:
        starts = f"import subprocess, time; subprocess.Popen({command!r}); time.sleep(60)"
        parent = subprocess.Popen([sys.executable, "-c", starts])
        _wait(lambda: mark.exists())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    _wait(lambda: mark.read_text() == "saved")
    _wait(lambda: (tmp_path / "note").exists() and json.loads((tmp_path / "note").read_text())["wall"] > 0)


def _wait(until):
    for _ in range(400):
        if until():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")
