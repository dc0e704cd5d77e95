"""What the control room tells the people in it, one sentence at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, order=True)
class UnitKey:
    """A unit's place in the topic tree."""

    org: str
    unit: str

    def __str__(self) -> str:
        return f"{self.org}/{self.unit}"


class What(StrEnum):
    """Kinds of things that happen at the desk."""

    UNIT_ONLINE = "unit-online"
    UNIT_RESTARTED = "unit-restarted"
    UNIT_REPLACED = "unit-replaced"
    """Another machine has its name, or two have it at the same time."""
    UNIT_LOST = "unit-lost"
    UNIT_QUIET = "unit-quiet"
    UNIT_STOPPED = "unit-stopped"
    FAULTS_CHANGED = "faults-changed"
    UPDATE_TOLD = "update-told"
    """A new version waits on the unit, was taken, or was not."""
    NUMBERS_MISSING = "numbers-missing"
    NUMBERS_COMPLETE = "numbers-complete"
    ALERT_RAISED = "alert-raised"
    ALERT_REVISED = "alert-revised"
    OLDER_REVISION = "older-revision"
    DUPLICATE = "duplicate"
    ACKNOWLEDGED = "acknowledged"
    UNIT_NOT_TOLD = "unit-not-told"
    """A unit does not show to know what an operator said: it is said again, or was given up."""
    UNIT_TOLD = "unit-told"
    """It knows after all."""
    REFUSED = "refused"
    """Something came that cannot be believed; it is counted and shown, and changes nothing else."""
    PICTURE_CAME = "picture-came"
    PICTURE_LOST = "picture-lost"
    BROKER_LOST = "broker-lost"
    BROKER_BACK = "broker-back"
    JOURNAL_LOST = "journal-lost"
    JOURNAL_BACK = "journal-back"


@dataclass(frozen=True)
class Happening:
    """One thing that happened, with the sentence that says it."""

    what: What
    text: str
    """Plain characters only: safe to print on any terminal."""
    unit: UnitKey | None = None
    alert_id: str | None = None
    revision: int | None = None
