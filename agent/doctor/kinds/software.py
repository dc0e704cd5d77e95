"""The agent's own software is not what was installed, or nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight
from agent.health.software import CHANGED, PART

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

AGAIN = "sudo provisioning/provision.sh"


def find(facts: Facts) -> Iterator[Finding]:
    """By what the look at it found (`agent.software`)."""
    reading = (facts.health or {}).get(PART)
    for code, text in ({} if reading is None else reading.faults).items():
        if code == CHANGED:
            fix = (
                "Ask who has worked on this unit. If none of yours did, take it as broken into: revoke its certificate "
                f"and install it on a new card. Else bring the next version, or run from a release: {AGAIN}"
            )
            yield Finding(Weight.EXPOSED, text, fix)
        elif code == "unreadable":
            yield Finding(Weight.SOON, text, "The card may be failing: look at  sudo dmesg  and replace it.")
        else:
            fix = "Run: sudo systemctl start safepoint-software.service , then again  safepoint doctor"
            yield Finding(Weight.UNSURE, text, f"{fix} ; if it stays, run from a release: {AGAIN}")
