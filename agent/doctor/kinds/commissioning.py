"""Nobody has proved that the unit works where it stands, or what allows it to be there runs out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Commissioning, Facts

PASSED: Final = "passed"
PAPER_SOON: Final = timedelta(days=60)
"""To have an assessment or an order renewed takes a council weeks."""
WALK_TEST: Final = "Do the walk test with the control room: sudo safepoint commission"


def find(facts: Facts) -> Iterator[Finding]:
    """Until it is commissioned its alerts are marked as tests, and nobody comes for those."""
    if facts.config is not None and facts.config.unit.test:
        yield Finding(
            Weight.NO_CALL,
            "The configuration makes every alert a test (unit.test is true), and nobody comes for a test.",
            "Set unit.test to false and run: sudo systemctl reload safepoint-agent",
        )
    if (known := facts.commissioning) is None:
        return
    if known.state != PASSED:
        yield Finding(Weight.NO_CALL if known.all_tests else Weight.PART_LOST, known.text, WALK_TEST)
    if facts.machine is not None:
        yield from _papers(known, facts)


def _papers(known: Commissioning, facts: Facts) -> Iterator[Finding]:
    assert facts.machine is not None  # noqa: S101 - the caller has seen to it
    today = facts.machine.wall.date()
    for name, until in sorted(known.papers.items()):
        if until - today < PAPER_SOON:
            ends = f"ended on {until}" if until < today else f"ends on {until}"
            yield Finding(
                Weight.SOON,
                f"The paper {name}, which allows this unit, {ends}.",
                "Have it renewed, and enter it at the next walk test: sudo safepoint commission",
            )
