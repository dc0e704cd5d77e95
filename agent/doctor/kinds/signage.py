"""The sign beside the unit cannot be made from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight
from agent.sign.wording import unsaid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """Whoever is filmed or heard must be able to read who does it."""
    if facts.config is not None and (missing := unsaid(facts.config)):
        yield Finding(
            Weight.UNSURE,
            f"No sign can be made: {' and '.join(missing)} must say who films or listens and whom to ask.",
            "Add it to the configuration, then print the sign: safepoint sign CONFIG --out sign.html",
        )
