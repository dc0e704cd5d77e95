"""Who in the control room may tell a unit what. Roles name commands; members say who has a role.

Roles are held against certificates as far as consoles go: the broker lets a certificate command under its own common
name only, and the unit refuses a command that names another console than its topic. That much is proven by the broker;
a unit sees no console's certificate itself, so whoever rules the broker, or another broker that is joined to it, can be
any console. Which operator sits there is the console's word: it is believed, and goes into the audit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.config.base import Name, Settings
from agent.config.suggest import did_you_mean
from agent.signals import CommandName

if TYPE_CHECKING:
    from collections.abc import Iterator

Pattern = Annotated[
    str,
    Field(
        pattern=r"^[^\s*]*\*?$|^\*$",
        min_length=1,
        max_length=64,
        json_schema_extra={"needs": "a reference without spaces, or its beginning and an asterisk (op-*)"},
    ),
]
"""One reference, or all that begin alike."""

EVERYDAY = (
    CommandName.STILL,
    CommandName.CLIP,
    CommandName.FOOTAGE_HOLD,
    CommandName.LIGHT,
    CommandName.ANNOUNCE,
    CommandName.SET,
    CommandName.UNSET,
    CommandName.QUIET_CAUSE,
    CommandName.TEST_ALERT,
    CommandName.SELF_TEST,
    CommandName.UPLOAD,
    CommandName.CONFIG_REPORT,
)
"""What an operator needs on a shift. Nothing of it destroys anything."""
ENGINEERING = (
    CommandName.STILL,
    CommandName.SET,
    CommandName.UNSET,
    CommandName.QUIET_CAUSE,
    CommandName.TEST_ALERT,
    CommandName.SELF_TEST,
    CommandName.CONFIG_REPORT,
    CommandName.RESTART_PART,
)
"""What an engineer needs at a unit; no footage of people but one picture to aim the camera by."""


class MemberSettings(Settings):
    """Somebody who has a role."""

    operator: Pattern = "*"
    """The operator's reference, as commands carry it: the console's own word. Whoever has a console's certificate can
    give any reference, so a role of an operator alone is a role of everybody who commands."""
    console: Pattern = "*"
    """The console's name: the common name of the certificate with which it is on the broker (`provisioning/broker`)."""

    def matches(self, operator: str, console: str) -> bool:
        """Whether this is about them."""
        return _fits(self.operator, operator) and _fits(self.console, console)


def _everybody_operates() -> dict[str, tuple[MemberSettings, ...]]:
    return {"operator": (MemberSettings(),)}


class CommandSettings(Settings):
    """The commands that this unit takes, and of whom."""

    roles: dict[Name, tuple[CommandName, ...]] = Field(
        default_factory=lambda: {"operator": EVERYDAY, "engineer": ENGINEERING, "supervisor": tuple(CommandName)}
    )
    """What each role may do. A role that is named here takes the place of the usual one of its name; the usual ones
    are operator, engineer and supervisor."""
    members: dict[Name, tuple[MemberSettings, ...]] = Field(default_factory=_everybody_operates)
    """Who has each role. Unless it is said here, everybody in the control room is an operator, and nobody an engineer
    or a supervisor: to release held footage and to restart parts somebody must be named.

    The console is held against its certificate by the broker. The operator is not: that keeps honest people to their
    tasks, and is no proof against a console that lies. So name the console of a role that matters, with or without an
    operator: `supervisor: [{console: supervisor-desk}]`."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """A member needs a role that there is."""
        for role in self.members:
            if role not in self.roles:
                yield "members", f"names the role {role}, which roles does not have; {did_you_mean(role, self.roles)}"

    def may(self, name: CommandName, operator: str, console: str) -> bool:
        """Whether this operator may give this command from this console."""
        return any(
            name in self.roles[role] and any(member.matches(operator, console) for member in members)
            for role, members in self.members.items()
        )


def _fits(pattern: str, text: str) -> bool:
    wanted = re.escape(pattern.removesuffix("*")) + (".*" if pattern.endswith("*") else "")
    return re.fullmatch(wanted, text, re.DOTALL) is not None
