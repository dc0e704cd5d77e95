"""The state that outlives a restart, to and from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads the types
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from agent.clock import Moment  # noqa: TC001 - likewise
from agent.incidents.incident import Incident  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Mapping

ARMING_KEY = "arming"
"""The `alert_id` under which the set or unset by hand is remembered; no alert has an id this short."""
QUIET_KEY = "quiet"
"""Likewise for the causes that are quiet."""


@dataclass(frozen=True)
class SavedIncident:
    """One incident as it stood."""

    saved: Moment
    incident: Incident
    what: Literal["incident"] = "incident"
    version: Literal[1] = 1
    """Raised when an older program could misread the state."""


@dataclass(frozen=True)
class SavedArming:
    """What somebody set or unset by hand."""

    armed: bool
    by: str
    mode: str
    """The arming mode it was done in: with another one it means nothing."""
    until: datetime | None
    """Wall time of the schedule's change that ends it; None: nothing does."""
    what: Literal["arming"] = "arming"
    version: Literal[1] = 1


@dataclass(frozen=True)
class QuietCause:
    """One cause whose alerts are not told for a while."""

    cause: str
    until: Moment
    by: str


@dataclass(frozen=True)
class SavedQuiet:
    """The causes that an operator quieted."""

    saved: Moment
    causes: tuple[QuietCause, ...]
    what: Literal["quiet"] = "quiet"
    version: Literal[1] = 1


Saved = SavedIncident | SavedArming | SavedQuiet

_SAVED: TypeAdapter[Saved] = TypeAdapter(Annotated[Saved, Field(discriminator="what")])


def state_of(saved: Saved) -> Mapping[str, Any]:
    """What to keep, as JSON values."""
    state: Mapping[str, Any] = _SAVED.dump_python(saved, mode="json")
    return state


def saved_in(state: Mapping[str, Any]) -> Saved:
    """What was kept.

    Raises:
        ValueError: this program cannot read it.
    """
    return _SAVED.validate_python(state)
