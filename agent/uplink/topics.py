"""The topic tree, and how long the broker keeps what is published there (standards.md 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agent.signals import Category

ROOT: Final = "safepoint/v1"

HEARTBEAT_EXPIRY_S: Final = 120
"""A retained heartbeat that is older than four missed ones disappears by itself."""
ALERT_EXPIRY_S: Final = 86_400
"""A day: what a control room could still act on. Help calls never expire."""
INCIDENT_EXPIRY_S: Final = 604_800
"""A week: as long as a unit itself remembers an incident that nobody closes."""
ACK_EXPIRY_S: Final = 300
COMMAND_EXPIRY_S: Final = 30
"""A command that comes later than this would surprise whoever stands at the unit by then."""
RESPONSE_EXPIRY_S: Final = 60
AUDIT_EXPIRY_S: Final = 604_800
"""A week (standards.md 3.3): as long as a control room that keeps audits may be away."""

_LEVEL = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}")
"""One topic level that is neither a wildcard nor empty; what consoles and commands are called."""


def alert_expiry_s(category: Category) -> int | None:
    """Seconds a broker keeps an alert for a control room that is away; None: a help call waits as long as it takes."""
    return None if category is Category.HELP else ALERT_EXPIRY_S


@dataclass(frozen=True)
class UnitTopics:
    """The topics of one unit. With `+` for a name, the filter for the topics of all."""

    org: str
    unit: str

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        return f"{ROOT}/{self.org}/{self.unit}"

    @property
    def status(self) -> str:
        """Birth, good-bye and last will."""
        return f"{self.prefix}/status"

    @property
    def heartbeat(self) -> str:
        """Proof of life with the unit's health."""
        return f"{self.prefix}/heartbeat"

    def alert(self, category: Category) -> str:
        """Alerts of a category."""
        return f"{self.prefix}/alert/{category}"

    @property
    def alerts(self) -> str:
        """The filter for alerts of every category."""
        return f"{self.prefix}/alert/+"

    def incident(self, alert_id: str) -> str:
        """How an alert stands now, for consoles that come later."""
        return f"{self.prefix}/incident/{alert_id}"

    def still(self, alert_id: str, name: str) -> str:
        """A picture of an alert."""
        return f"{self.prefix}/still/{alert_id}/{name}"

    @property
    def ack(self) -> str:
        """The control room's acknowledgements."""
        return f"{self.prefix}/ack"

    def command(self, console: str, name: str) -> str:
        """A command of this console to the unit. The broker holds the console's level against its certificate."""
        return f"{self.prefix}/cmd/{console}/{name}"

    @property
    def commands(self) -> str:
        """The filter for every command of every console."""
        return self.command("+", "+")

    def response(self, console: str) -> str:
        """The unit's answers to one console, which nobody else may read."""
        return f"{self.prefix}/rsp/{console}"

    @property
    def audit(self) -> str:
        """The unit's record of what it was told and what it refused."""
        return f"{self.prefix}/audit"

    def commanded(self, topic: str) -> tuple[str, str] | None:
        """The console and the command that a topic of this unit names; None for any other topic."""
        below = f"{self.prefix}/cmd/"
        console, _, name = topic.removeprefix(below).partition("/")
        is_one = topic.startswith(below) and _LEVEL.fullmatch(console) and _LEVEL.fullmatch(name)
        return (console, name) if is_one else None
