"""A part could not be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.config.problems import one_line
from agent.doctor.facts import HANGS
from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

_NAMES = {
    "access": "user and groups",
    "backlog": "the outbox",
    "broken_models": "the voice models",
    "certificate": "the unit's certificate",
    "configuration": "the configuration",
    "devices": "the hardware",
    "footage": "the footage",
    "health": "supply, heat, memory and disk",
    "journal": "the log",
    "logins": "who can log in",
    "machine": "clock and versions",
    "services": "systemd",
    "ways": "the ways to the control room",
}
ON_DISK = {"configuration", "backlog", "broken_models", "certificate", "footage", "health"}


def find(facts: Facts) -> Iterator[Finding]:
    """What hangs is a fault itself; what cannot be asked may be none."""
    hanging = [name for name, why in facts.unanswered.items() if why == HANGS]
    if hanging:
        disk = " A disk hangs." if ON_DISK & {*hanging} else ""
        yield Finding(
            Weight.PART_LOST,
            f"No answer in time about {_and(_NAMES.get(name, name) for name in hanging)}.{disk}",
            "See what the kernel says (dmesg | tail -50), restart the unit, and replace the disk that it names.",
        )
    for name, why in facts.unanswered.items():
        if why != HANGS:
            what = f"Could not look at {_NAMES.get(name, name)}: {one_line(why)}."
            yield Finding(Weight.UNSURE, what, "Run it on the unit itself, as root (sudo safepoint doctor).")


def _and(names: Iterator[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last
