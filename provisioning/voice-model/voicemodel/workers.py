"""Processes that share the work, a core each. They end with the build: the next one would find them at its files."""

from __future__ import annotations

import ctypes
import os
import signal
from concurrent.futures import ProcessPoolExecutor

PR_SET_PDEATHSIG = 1
"""prctl(2): the kernel kills a worker when the build dies, however it dies."""


def workers() -> ProcessPoolExecutor:
    """As many as there are cores."""
    return ProcessPoolExecutor(os.cpu_count(), initializer=_end_with, initargs=(os.getpid(),))


def _end_with(build: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != build:  # it died before that
        os._exit(1)
