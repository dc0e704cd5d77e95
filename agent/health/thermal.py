"""Is the board too hot?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config

HOT_C = 80.0
"""A Raspberry Pi slows its clock from here on (Raspberry Pi documentation, "frequency management")."""


def check(_config: Config) -> Reading:
    """The hottest thermal zone the kernel offers; none on machines without one."""
    zones = sorted(Path("/sys/class/thermal").glob("thermal_zone*/temp"))
    degrees = [int(zone.read_text(encoding="ascii")) / 1000 for zone in zones]
    if not degrees:
        return Reading({"socC": None})
    hot = {"hot": f"The board is at {max(degrees):.0f} degrees C and slows down."} if max(degrees) >= HOT_C else {}
    return Reading({"socC": max(degrees)}, hot)
