"""Does the supply hold its voltage? Undervoltage explains lost frames in court (peers.md A.4, 24)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config


def check(_config: Config) -> Reading:
    """The Raspberry Pi's `rpi_volt` sensor: 1 while the supply is below 4.63 V; absent on other machines."""
    for name in sorted(Path("/sys/class/hwmon").glob("hwmon*/name")):
        if name.read_text(encoding="ascii").strip() == "rpi_volt":
            low = (name.parent / "in0_lcrit_alarm").read_text(encoding="ascii").strip() == "1"
            text = {"undervoltage": "The supply is below 4.63 V: lamp, camera or card may fail."} if low else {}
            return Reading({"undervoltage": low}, text)
    return Reading({"undervoltage": None})
