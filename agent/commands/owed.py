"""Outcomes of incidents that are owed to the audit: they lie in the outbox until the audit has them on the disk.

The two files cannot be written in one transaction. So an outcome is kept in the one that ends its incident, as one more
thing to be remembered, and a life that a kill ends before the audit was written leaves it to the next one. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agent.signals import Category, NoteOutcome, Outcome, Remember

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.clock import Moment

WHAT: Final = "outcome"
"""Tells it from what incidents want remembered."""


def owed(ended: NoteOutcome, at: Moment) -> Remember:
    """Keep this until `settled`; written from the next life on, it says itself when it happened."""
    state = {
        "what": WHAT,
        "alertId": ended.alert_id,
        "category": ended.category.value,
        "outcome": None if ended.outcome is None else ended.outcome.value,
        "cause": ended.cause,
        "by": ended.by,
        "at": at.wall.isoformat(timespec="milliseconds"),
    }
    return Remember(_key(ended.alert_id), state)


def settled(alert_id: str) -> Remember:
    """The audit has it."""
    return Remember(_key(alert_id), None)


def apart(states: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """What is owed of all that was remembered, and the rest."""
    owed_states: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for state in states:
        (owed_states if state.get("what") == WHAT else others).append(state)
    return owed_states, others


def recalled(state: Mapping[str, Any]) -> tuple[NoteOutcome, str]:
    """The outcome of a state, and when it was given.

    Raises:
        KeyError, ValueError: it is none.
    """
    outcome = None if state["outcome"] is None else Outcome(state["outcome"])
    ended = NoteOutcome(state["alertId"], Category(state["category"]), outcome, state["cause"], state["by"])
    return ended, state["at"]


def _key(alert_id: str) -> str:
    return f"{WHAT}:{alert_id}"
