"""What somebody wants of the unit: by a command, by a key switch, or standing before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment


@dataclass(frozen=True)
class SetRequested:
    """Somebody sets (arms) or unsets the detectors by hand; it holds until the schedule's next change."""

    armed: bool
    by: str
    """Who: an operator reference, a key switch's name."""
    at: Moment
    command: str | None = None
    """The command that wants an answer (`Command.ref`); here and below None: nobody does."""


@dataclass(frozen=True)
class TestRequested:
    """Somebody wants a test alert through the whole chain."""

    by: str
    at: Moment
    command: str | None = None
    about: str | None = None
    """What it is for: an alert of its own, beside any other test alert. None: it is one with those."""


@dataclass(frozen=True)
class LightRequested:
    """Somebody wants light at the scene for this long; 0 puts out what was asked for before."""

    for_s: float
    by: str
    at: Moment
    command: str | None = None


@dataclass(frozen=True)
class AnnouncementRequested:
    """Somebody wants a stored message spoken."""

    message: str
    """Its configured name."""
    lasts_s: float
    by: str
    at: Moment
    command: str | None = None


@dataclass(frozen=True)
class QuietRequested:
    """Somebody wants no more alerts of one cause for a while; 0 s: they shall be told again."""

    cause: str
    """A detector's configured name, or a fault as `part:code`."""
    for_s: float
    by: str
    at: Moment
    command: str | None = None


Requested = SetRequested | TestRequested | LightRequested | AnnouncementRequested | QuietRequested
"""What somebody wants of the unit."""
