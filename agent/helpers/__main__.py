"""A helper process: `python -m agent.helpers NAME FD`, started by `agent.helpers.owner` only."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import cast

from agent import journal
from agent.config.settings import Config
from agent.core_dumps import leave_no_core
from agent.helpers.channel import Channel, Job
from agent.helpers.messages import Settings, Trouble
from agent.hw.kit import HardwareHangs, HardwareLost
from agent.parent_death import end_with_parent

JOBS = {"listener": ("agent.voice.listener", "Listener"), "recorder": ("agent.footage.recorder", "Recorder")}
"""Imported by name, so that neither helper loads the other's native libraries."""

KILLED_FIRST = 500
"""Added to the kernel's reckoning of whom to kill when memory ends (proc(5), oom_score_adj): half of all memory, so
that a helper comes before the daemon, which the service file puts at -500, and before whoever else is no helper."""


def main(name: str, fd: int) -> int:
    """Work until the daemon closes the line."""
    Path("/proc/self/oom_score_adj").write_text(f"{KILLED_FIRST}\n", encoding="ascii")  # to raise it needs no right
    end_with_parent()
    leave_no_core()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)  # the daemon ends us, after the last still of an open incident
    try:
        with journal.apart():  # else a log that nobody reads would stop the frames
            return _work(name, Channel(socket.socket(fileno=fd)))
    except HardwareHangs:
        os._exit(1)  # Python's own end would close the device once more, and hang in it


def _work(name: str, channel: Channel) -> int:
    """Do the job; returns the exit code.

    Raises:
        HardwareHangs: its device does, and the daemon knows.
    """
    try:
        settings = channel.request()
        if not isinstance(settings, Settings):
            return 0  # the daemon ended before it began
        module, job_class = JOBS[name]
        job = cast("Job", getattr(importlib.import_module(module), job_class)())
        job.run(Config.model_validate_json(settings.config_json), channel)
    except HardwareHangs as hangs:
        channel.send(Trouble("device-hangs", str(hangs)))
        raise
    except HardwareLost as lost:
        channel.send(Trouble("device-lost", str(lost)))
        return 1
    finally:
        channel.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
