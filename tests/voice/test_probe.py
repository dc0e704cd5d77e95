"""A model that never loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from agent.voice.lexicon import BUNDLED_MODEL

LIMIT_S = 60.0
LISTENER = """
import subprocess, sys
print(subprocess.Popen([sys.executable, "-m", "agent.voice.probe", sys.argv[1]]).pid, flush=True)
sys.stdin.read()
"""


def works(pid: int) -> bool:
    """Whether that process is there; one that died and was not waited for has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_the_probe_of_a_model_that_never_loads_ends_with_its_listener(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(BUNDLED_MODEL, model)
    network = model / "am/final.mdl"
    network.unlink()
    os.mkfifo(network)
    command = [sys.executable, "-c", LISTENER, str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout
        probe = int(listener.stdout.readline())
        until_s = time.monotonic() + LIMIT_S
        # It waits for a writer that never writes.
        with network.open("wb"):
            listener.kill()
            listener.wait()
            while works(probe):
                assert time.monotonic() < until_s, "it outlives its listener"
                time.sleep(0.02)
