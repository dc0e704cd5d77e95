"""Parts of the unit that stop doing their work, and do it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment


@dataclass(frozen=True)
class Faulted:
    """A part of the unit does not do its work."""

    part: str
    """The part's name: "recorder", "listener", "outbox", "input panic-1" ..."""
    code: str
    """A short stable word for the control room's rules: "stuck", "dead", "silent", "disk-full" ..."""
    text: str
    """One sentence for a person: what is wrong and what still works."""
    at: Moment
    tampered: bool = False
    """Somebody's hand, not wear: it is told as tamper, and filmed as such."""


@dataclass(frozen=True)
class FaultCleared:
    """The part does its work again."""

    part: str
    code: str
    at: Moment
