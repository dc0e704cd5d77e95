"""What the kernel says about a process (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12
"""Places in `stat` after the command's name; each counts threads that have ended too."""


def cpu_s(pid: int) -> float:
    """CPU time of all its threads so far, user and system, in steps of 10 ms."""
    facts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(") ", 1)[1].split()
    return (int(facts[UTIME]) + int(facts[STIME])) / TICKS_A_SECOND


def pss_mb(pid: int) -> float:
    """Memory of a process, with its share of what it shares."""
    return _of(pid, "smaps_rollup", "Pss:")


def rss_mb(pid: int) -> float:
    """Memory of a process, all of what it shares counted as its own."""
    return _of(pid, "status", "VmRSS:")


def _of(pid: int, file: str, word: str) -> float:
    for line in Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").splitlines():
        if line.startswith(word):
            return int(line.split()[1]) / 1024
    msg = f"process {pid} tells nothing of its memory"
    raise RuntimeError(msg)
