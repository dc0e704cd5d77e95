"""Is wall time to be believed? A unit that was never synchronised says so; it goes on all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import kernel_clock_synced
from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config


def check(_config: Config) -> Reading:
    """The kernel's own word. Not a fault: every record carries it, and a lab bench has no time source."""
    return Reading({"synced": kernel_clock_synced()})
