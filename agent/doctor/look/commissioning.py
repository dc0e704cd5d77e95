"""What of the unit's commissioning holds, as the daemon itself judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.commission.standing import read_standing
from agent.doctor.facts import Commissioning

if TYPE_CHECKING:
    from agent.doctor.look.case import Case


def look(case: Case) -> Commissioning | None:
    """Read it from the state folder."""
    if case.config is None:
        return None
    standing = read_standing(case.config)
    return Commissioning(standing.state.value, standing.text, standing.nothing, standing.facts().get("papers", {}))
