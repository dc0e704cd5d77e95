"""The software gets no security updates any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agent.doctor.finding import Finding, Weight
from agent.support import SUPPORTED_UNTIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

WARNED: Final = timedelta(days=180)
"""Before its end: councils buy slowly."""


def find(facts: Facts) -> Iterator[Finding]:
    """By the machine's clock."""
    if facts.machine is None:
        return
    today = facts.machine.wall.date()
    if today > SUPPORTED_UNTIL:
        what = f"This software has had no security updates since {SUPPORTED_UNTIL}."
        yield Finding(Weight.EXPOSED, what, "Install a version that is supported (SECURITY.md says which are).")
    elif today > SUPPORTED_UNTIL - WARNED:
        what = f"Security updates of this software end on {SUPPORTED_UNTIL}."
        yield Finding(Weight.SOON, what, "Plan for a version that is supported longer (SECURITY.md says which are).")
