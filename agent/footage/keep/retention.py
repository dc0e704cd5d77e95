"""Which footage goes when: the three storage classes, their budgets, and the order in which room is made. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from agent.config.filming import FootageSettings

MEGABYTE = 1_000_000
DAY_S = 86_400.0


class StorageClass(IntEnum):
    """What a piece of footage is kept for; the higher one counts where two apply."""

    ROLLING = 0
    """Until its room or its age is up."""
    INCIDENT = 1
    """An incident shows in it: goes only when no rolling footage is left, or at its own age."""
    HELD = 2
    """Somebody asked for it: no rule removes it, only a release."""


@dataclass(frozen=True)
class Retention:
    """What the unit was told to keep."""

    rolling_max_bytes: int
    incident_max_bytes: int
    reserve_bytes: int
    """What footage never touches of its disk."""
    keep_s: float
    incident_keep_s: float
    export_keep_s: float = 7 * DAY_S
    """The ages at which footage goes."""

    @classmethod
    def of(cls, settings: FootageSettings) -> Self:
        """As configured."""
        return cls(
            settings.rolling_max_mb * MEGABYTE,
            settings.incident_max_mb * MEGABYTE,
            settings.reserve_mb * MEGABYTE,
            settings.keep_days * DAY_S,
            settings.incident_keep_days * DAY_S,
            settings.export_keep_days * DAY_S,
        )

    def age_limit_s(self, kept_for: StorageClass) -> float | None:
        """The age at which footage of this class goes; None: at none."""
        match kept_for:
            case StorageClass.ROLLING:
                return self.keep_s
            case StorageClass.INCIDENT:
                return self.incident_keep_s
            case StorageClass.HELD:
                return None


@dataclass(frozen=True)
class Stands:
    """What there is, in bytes."""

    rolling: int
    incident: int
    held: int
    free: int
    """On the disk."""
    spare_exports: int = 0
    fresh_exports: int = 0
    """Copies that may go, and those made within the last hour."""
    wanted_exports: int = 0
    """Those that stay: being written, or waited for by an upload."""


class Step(Enum):
    """The one thing to do next for a piece of footage to fit."""

    NOTHING = auto()
    """It fits."""
    EASE_INCIDENT = auto()
    """The oldest incident footage becomes rolling."""
    REMOVE_ROLLING = auto()
    REMOVE_EXPORT = auto()
    REMOVE_INCIDENT = auto()
    """The oldest of it goes."""
    STOP_HELD_ONLY = auto()
    """All that is left is held, or on its way: it does not fit until some is released."""
    STOP_FULL = auto()
    """No footage is left to remove: something else fills the disk."""


def next_step(stands: Stands, retention: Retention, needed_bytes: int) -> Step:
    """What to do next so that `needed_bytes` more of rolling footage fit; asked again after each step.

    The budget of rolling footage bounds what is removed for it, not what is written: where nothing rolling is left,
    only the disk can refuse. An export is a copy that somebody asked for: it goes before the only picture of an
    incident does, but for the first hour, in which it is about to be fetched.
    """
    if stands.incident > retention.incident_max_bytes:
        return Step.EASE_INCIDENT
    lacking = stands.free < retention.reserve_bytes + needed_bytes
    if stands.rolling and (lacking or stands.rolling + needed_bytes > retention.rolling_max_bytes):
        return Step.REMOVE_ROLLING
    if not lacking:
        return Step.NOTHING
    if stands.incident and not stands.spare_exports:
        return Step.REMOVE_INCIDENT
    if stands.spare_exports or stands.fresh_exports:
        return Step.REMOVE_EXPORT
    return Step.STOP_HELD_ONLY if stands.held or stands.wanted_exports else Step.STOP_FULL
