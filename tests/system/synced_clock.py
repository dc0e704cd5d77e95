"""A daemon whose clock is right. Machines of tests seldom have a time server, and a unit without one is wary."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SAYS_SO = """
import agent.clock
agent.clock.kernel_clock_synced = lambda: True
"""


def synced_clock(folder: Path) -> dict[str, str]:
    """The environment of a process to which the kernel says that its clock is synchronised."""
    its_own = folder / "synced"
    its_own.mkdir(exist_ok=True)
    (its_own / "sitecustomize.py").write_text(_SAYS_SO, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(its_own), os.environ.get("PYTHONPATH")]))}
