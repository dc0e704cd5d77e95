"""The outbox's disk cannot be written, or is almost full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

READ_ONLY = (
    "A card that fails makes itself read-only: replace it, and provision the new one. First see whether a restart"
    " brings it back: sudo reboot"
)


def find(facts: Facts) -> Iterator[Finding]:
    """As the health check of the daemon finds it."""
    reading = (facts.health or {}).get("storage")
    faults = {} if reading is None else reading.faults
    if "read-only" in faults:
        yield Finding(Weight.NO_CALL, faults["read-only"], f"{READ_ONLY}.")
    if "low" in faults:
        yield Finding(
            Weight.SOON,
            faults["low"],
            "See what fills the disk: sudo du -xh --max-depth=2 /var | sort -h | tail. Footage belongs on a volume of"
            " its own (footage.mount).",
        )
    if "unreadable" in faults:
        what = f"{faults['unreadable']} Alerts cannot be stored."
        yield Finding(Weight.NO_CALL, what, "See that state_folder is there and that its disk is mounted (findmnt).")
