"""What differs between the categories of incidents, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.signals import Category

if TYPE_CHECKING:
    from agent.config.settings import IncidentSettings


@dataclass(frozen=True)
class Nature:
    """What holds for all incidents of one category. Severity, urgency and certainty are words of CAP 1.2."""

    severity: str
    urgency: str
    certainty: str
    requested_action: str
    """What the operator is asked to do (standards.md 1.6, item 10)."""
    filmed: bool = False
    """A still and a clip belong to it."""
    escalates: bool = False
    confirmable: bool = False
    """Detectors of different kinds can confirm it."""


NATURES = {
    # A person at the scene says so: threat to life until somebody has looked (standards.md 1.4).
    Category.HELP: Nature("Extreme", "Immediate", "Observed", "VIEW_AND_ASSESS", filmed=True, escalates=True),
    # One street detector alone proves little; confirmation raises these (`telling`).
    Category.INTRUDER: Nature(
        "Moderate", "Expected", "Possible", "VIEW_AND_ASSESS", filmed=True, escalates=True, confirmable=True
    ),
    Category.TAMPER: Nature(
        "Moderate", "Expected", "Likely", "VIEW_AND_ASSESS", filmed=True, escalates=True, confirmable=True
    ),
    Category.FAULT: Nature("Minor", "Expected", "Observed", "ARRANGE_REPAIR"),
    Category.NOISE: Nature("Minor", "Expected", "Possible", "NOTE"),
    # Filmed, because a test is there to prove the whole chain.
    Category.TEST: Nature("Minor", "Expected", "Observed", "CONFIRM_TEST", filmed=True),
}


def operator_late_s(category: Category, settings: IncidentSettings) -> float:
    """How long an operator may take to see an incident."""
    return settings.operator_late_help_s if category is Category.HELP else settings.operator_late_other_s


def escalate_s(category: Category, settings: IncidentSettings) -> float:
    """How long until an unseen incident is escalated."""
    return settings.escalate_help_s if category is Category.HELP else settings.escalate_other_s
