"""Does anybody read what the daemon logs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent import journal
from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config

STUCK_S = 10.0
"""journald restarts within seconds; its reader is a disk that may take some more."""


def check(_config: Config) -> Reading:
    """How many lines wait and how many are lost, since the daemon began. Alerts never wait for either."""
    log = journal.standing()
    faults = {}
    if log.stuck_s > STUCK_S:
        faults["stuck"] = f"Nobody has read the log for {log.stuck_s:.0f} s. Lines wait, then they are lost, counted."
    if log.broken is not None:
        faults["broken"] = f"The log cannot be written: {log.broken}. Its lines are lost, counted."
    return Reading({"waiting": log.waiting, "lost": log.lost}, faults)
