"""The board is, or was, too hot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight
from agent.doctor.kinds.power import LOW_BEFORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

SLOWED_BEFORE = 1 << 18 | 1 << 19
"""Bits of the firmware's get_throttled: it slowed down since it was switched on, or was close to it."""
FIX = "Clear the vents of the housing, see that the heat sink sits and the fan turns, and keep the sun off the column"


def find(facts: Facts) -> Iterator[Finding]:
    """Hot now, or since the board was switched on."""
    reading = (facts.health or {}).get("thermal")
    bits = None if facts.machine is None else facts.machine.throttled
    if reading is not None and "hot" in reading.faults:
        yield Finding(Weight.SOON, reading.faults["hot"], f"{FIX}.")
    elif (bits or 0) & SLOWED_BEFORE and not (bits or 0) & LOW_BEFORE:  # a weak supply slows it down too
        yield Finding(Weight.UNSURE, "The board was slowed down by heat since it was switched on.", f"{FIX}.")
