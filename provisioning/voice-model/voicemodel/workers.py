"""Processes that share the work, a core each. They end with the build: the next one would find them at its files."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor

from agent.parent_death import end_with_parent


def workers() -> ProcessPoolExecutor:
    """As many as there are cores."""
    return ProcessPoolExecutor(os.cpu_count(), initializer=_end_with, initargs=(os.getpid(),))


def _end_with(build: int) -> None:
    end_with_parent()
    if os.getppid() != build:  # it died before that
        os._exit(1)
