"""Is there memory left for the next help call?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config

LOW_MB = 64
"""Below this a Pi starts to kill processes; the daemon itself needs less than that to restart."""


def check(_config: Config) -> Reading:
    """What the kernel could give without swapping (`MemAvailable`)."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    available_mb = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) // 1024
    low = {"low": f"Only {available_mb} MB of memory are left."} if available_mb < LOW_MB else {}
    return Reading({"availableMb": available_mb}, low)
