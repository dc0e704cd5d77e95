"""Is there room for what must be stored, and can it be written at all?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config

LOW_MB = 100
"""Ten thousand alerts of the outbox take about 40 MB with their write-ahead log."""


def check(config: Config) -> Reading:
    """Free space and write access where the outbox lies."""
    space = os.statvfs(config.state_folder)
    free_mb = space.f_bavail * space.f_frsize // 2**20
    faults = {}
    if space.f_flag & os.ST_RDONLY:
        faults["read-only"] = "The state folder is read-only: alerts are kept in memory and are lost with the power."
    elif free_mb < LOW_MB:
        faults["low"] = f"Only {free_mb} MB are left for the outbox."
    return Reading({"freeMb": free_mb, "freePct": round(100 * space.f_bavail / max(1, space.f_blocks), 1)}, faults)
