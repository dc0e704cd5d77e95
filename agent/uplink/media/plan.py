"""What a data plan still allows. Pure: months and bytes go in, the answer comes out.

The plan steps down before it is used up: first films stay, then stills. What belongs to a help call is counted and
never held back, and neither are alerts and heartbeats, so a month can end above its plan; the figures say so.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from agent.config.sending import DataPlanSettings

KILOBYTE: Final = 1_000
FORECAST_AFTER: Final = timedelta(days=1)
"""A forecast of less would multiply one clip of the first hour by seven hundred."""
AHEAD_PERCENT: Final = 50.0
"""Above half of the plan, a forecast that goes beyond it steps down already: what is left is worth more in stills."""


class Allowance(StrEnum):
    """What may leave the unit beside calls and heartbeats."""

    ALL = "all"
    STILLS = "stills"
    NOTHING = "nothing"


class Cargo(StrEnum):
    """What is to be sent."""

    STILL = "still"
    FILM = "film"


@dataclass(frozen=True)
class Month:
    """A month of the plan, UTC: a SIM card's bill knows no summer time either."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> Self:
        """The month of an instant."""
        utc = at.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return timedelta(days=monthrange(self.year, self.month)[1])

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True)
class Used:
    """What was used in a month, in bytes."""

    total: int = 0
    """All that the unit's connections carried, both ways."""
    media: int = 0
    """What of it was handed over as stills and films, those of help calls too."""
    help_media: int = 0
    """Of these, what belonged to help calls: free, as far as the plan's steps are concerned."""

    @property
    def charged(self) -> int:
        """What the steps are judged by."""
        return max(0, self.total - self.help_media)  # what was handed over may not have left yet


def forecast_bytes(used: Used, month: Month, now: datetime) -> int | None:
    """What the month will have taken at its end if it goes on like this; None: it is too early to say."""
    passed = now - month.begins
    if passed < FORECAST_AFTER:
        return None
    return round(used.total * max(1.0, month.length / passed))


def allowance(plan: DataPlanSettings, used: Used, forecast: int | None) -> Allowance:
    """What the plan allows now."""
    if plan.kb_per_month is None:
        return Allowance.ALL
    whole = plan.kb_per_month * KILOBYTE
    percent = 100 * used.charged / whole
    if percent >= 100:  # noqa: PLR2004 - all of it
        return Allowance.NOTHING
    ahead = percent >= AHEAD_PERCENT and forecast is not None and forecast - used.help_media > whole
    return Allowance.STILLS if ahead or percent >= plan.stills_only_at_percent else Allowance.ALL


def allows(allowed: Allowance, cargo: Cargo, *, for_help: bool) -> bool:
    """Whether this may be sent."""
    return for_help or allowed is Allowance.ALL or (allowed is Allowance.STILLS and cargo is Cargo.STILL)
