"""What the daemon's own health checks find: supply, heat, memory and the outbox's disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.health import check_all

if TYPE_CHECKING:
    from agent.doctor.look.case import Case
    from agent.health.reading import Reading


def look(case: Case) -> dict[str, Reading] | None:
    """Run them all."""
    return None if case.config is None else check_all(case.config)
