"""What is written down: over a restart, for good, or for the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.signals.alerts import Category, Outcome


@dataclass(frozen=True)
class Remember:
    """Keep this state of an incident over a restart; None forgets it."""

    alert_id: str
    state: Mapping[str, Any] | None


@dataclass(frozen=True)
class NoteOutcome:
    """Write down for good how an incident ended: the incident ledger."""

    alert_id: str
    category: Category
    outcome: Outcome | None
    """None: nobody gave it one, and it is forgotten."""
    cause: str | None
    """Why it was false or what the test was."""
    by: str | None
    """Who gave it its outcome: an operator, or `unit`."""


@dataclass(frozen=True)
class Log:
    """One line for the journal."""

    event: str
    alert_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
