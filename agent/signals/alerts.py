"""What is told to the control room, and what it says to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.clock import Moment


class Category(StrEnum):
    """What an alert is about; the last level of its topic."""

    HELP = "help"
    INTRUDER = "intruder"
    TAMPER = "tamper"
    FAULT = "fault"
    NOISE = "noise"
    TEST = "test"


class AckLevel(StrEnum):
    """What the control room says about an alert."""

    RECEIVER = "receiver"
    """A machine there has it and keeps it: it may leave the outbox."""
    OPERATOR = "operator"
    """A person there has seen it."""
    CLOSED = "closed"
    """A person there has given it an outcome."""


class Outcome(StrEnum):
    """How an incident ended."""

    GENUINE = "genuine"
    FALSE = "false"
    TEST = "test"
    RESTORED = "restored"
    """The unit itself closed it: a fault or tamper went away."""


@dataclass(frozen=True)
class Acknowledged:
    """The control room answered an alert."""

    alert_id: str
    revision: int
    level: AckLevel
    at: Moment
    operator_ref: str | None = None
    outcome: Outcome | None = None
    cause: str | None = None
    """Why it was false or what the test was, in the operator's words."""


@dataclass(frozen=True)
class Tell:
    """Send this revision of an alert to the control room, and keep it until the control room's receiver has it."""

    alert_id: str
    revision: int
    category: Category
    at: Moment
    """When what it tells happened."""
    data: Mapping[str, Any]
    """The `data` member of the alert message (schema `alert`), as far as the incident knows it."""
    urgent: bool = False
    """A help call: send it in parallel with storing it; the disk never delays it."""
