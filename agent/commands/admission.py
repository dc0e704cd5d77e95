"""Whether a command that makes sense is taken: it is new, in time, and from somebody who may give it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.signals import Why
from agent.uplink.inbox import Refusal

if TYPE_CHECKING:
    from agent.commands.ledger import Entry
    from agent.config.commanding import CommandSettings
    from agent.uplink.inbox import Commanded


WAITED_TOO_LONG: Final = "it had to wait here, and expired meanwhile"


def why_not(came: Commanded, known: Entry | None, rights: CommandSettings, now_s: float) -> Refusal | None:
    """Why a command is refused; None: it is not.

    Args:
        came: The command.
        known: What came before under its id, and said something else.
        rights: Who may say what.
        now_s: The present moment, on CLOCK_MONOTONIC.
    """
    command = came.command
    if known is not None:
        return refusal_of(came, Why.REPLAYED, "its id was used before, for another command")
    if came.late is not None:
        return refusal_of(came, came.late.why, came.late.text)
    if now_s > came.lapses_s:
        return refusal_of(came, Why.EXPIRED, WAITED_TOO_LONG)
    console = command.source.rpartition("/")[2]
    if not rights.may(command.name, command.by, console):
        return refusal_of(came, Why.FORBIDDEN, f"{command.by} at {console} has no right to {command.name} here")
    return None


def refusal_of(came: Commanded, why: Why, text: str) -> Refusal:
    """A command that is refused for this reason, with all that the audit wants to know of it."""
    command = came.command
    said = {
        "id": command.id,
        "source": command.source,
        "data": {"operatorRef": command.by, "reason": command.reason},
    }
    return Refusal(why, text, came.topic, command.name, came.reply, said, command.digest)
