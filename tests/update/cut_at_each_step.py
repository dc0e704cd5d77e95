"""Runs the update on a bench again and again, each time killed one file operation later, and judges what is left.

A program of its own, because it forks. For each kill it prints a line of JSON: what was in use afterwards, before and
after `settle-slot` had run, which is what the next boot sees. The last line is of the run that came to its end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.update.bench import Bench, Does

CHANGING = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree"}


def main(folder: Path, settle_slot: str, does: Does) -> None:
    """Kill it at every step."""
    for step in range(1, 10_000):
        bench = Bench(folder / str(step))
        (bench.slots.folder / "b").mkdir()  # a version of long ago
        (bench.slots.folder / "b/old").touch()
        bench.bring(does=does)
        pid = os.fork()
        if pid == 0:
            _die_at(step, bench.folder)
            bench.update()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        before = bench.slots.on_trial()
        subprocess.run([settle_slot, str(bench.slots.folder), str(bench.folder / "restart")], check=True)
        current = bench.slots.folder / "current"
        left = {
            "killed": killed,
            "in_use": (current / "version").read_text(),
            "whole": (current / "whole").exists(),
            "was_on_trial": before is not None,
            "on_trial": bench.slots.on_trial() is not None,
        }
        sys.stdout.write(json.dumps(left) + "\n")
        # Whatever was left: the next run of the update comes to its end.
        bench.daemon.start()
        bench.pass_time(10)
        bench.update()
        if not killed:
            return


def _die_at(step: int, folder: Path) -> None:
    """Let this process be killed just before its `step`th change of a file below the folder."""
    left = step

    def hear(event: str, details: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in CHANGING or writes) and str(details[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Does[sys.argv[3]])
