"""There is hardly any memory left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """As the health check of the daemon finds it."""
    reading = (facts.health or {}).get("memory")
    if reading is not None and "low" in reading.faults:
        yield Finding(
            Weight.SOON,
            reading.faults["low"],
            "See what takes it: ps -eo rss,comm --sort=-rss | head. A unit runs nothing beside the agent; each further"
            " language takes 300 MB with a large model.",
        )
