"""The unit is not commissioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """Until it is, its alerts are marked as tests, and nobody comes for those."""
    if facts.config is not None and facts.config.unit.test:
        yield Finding(
            Weight.NO_CALL,
            "The unit is not commissioned (unit.test is true): every alert is marked as a test, and nobody comes.",
            "Do the walk test with the control room, then set unit.test to false and run: sudo systemctl reload"
            " safepoint-agent",
        )
