"""The supply is too weak, or the mains failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

LOW_NOW = 1 << 0
LOW_BEFORE = 1 << 16
"""Bits of the firmware's get_throttled (Raspberry Pi documentation, "vcgencmd")."""
FIX = (
    "Use the board's own supply (5.1 V, 3 A; Pi 5: 5 A) on a short thick cable, and feed lamp, relay and disk from"
    " elsewhere"
)


def find(facts: Facts) -> Iterator[Finding]:
    """Undervoltage now, or since the board was switched on."""
    bits = None if facts.machine is None else facts.machine.throttled
    reading = (facts.health or {}).get("power")
    if (bits or 0) & LOW_NOW or (reading is not None and "undervoltage" in reading.faults):
        what = "The supply is below 4.63 V right now: lamp, camera or card may fail at any moment."
        yield Finding(Weight.PART_LOST, what, f"{FIX}.")
    elif (bits or 0) & LOW_BEFORE:
        yield Finding(Weight.SOON, "The supply was below 4.63 V since the board was switched on.", f"{FIX}.")
