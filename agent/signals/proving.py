"""Which sensors are proved where they stand: what the others raise is a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment


@dataclass(frozen=True)
class WalkTest:
    """Somebody triggers these sensors on purpose now: what they raise is a test, and nothing else is."""

    sensors: frozenset[str]
    """By their configured names; none: the walk test is over."""
    for_s: float
    """It is over by itself after this time: nobody's forgetting may turn a call into a test."""
    at: Moment


@dataclass(frozen=True)
class Proved:
    """Which sensors were proved where they are now (`agent.commission.standing`): what the others raise is a test."""

    nothing: bool
    """None was, or the unit stands elsewhere now."""
    besides: frozenset[str]
    """All but these were."""
    at: Moment
