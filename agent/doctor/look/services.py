"""What systemd says of the units that belong to the agent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import Service
from agent.doctor.look.asking import properties
from agent.doctor.own_units import OWN_UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.doctor.look.case import Case

ASKED: Final = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,ActiveEnterTimestampMonotonic,StatusText,User,"
    "SupplementaryGroups,NeedDaemonReload"
)


def look(_case: Case) -> dict[str, Service]:
    """Ask systemd about all of them at once."""
    told = properties("systemctl", "show", f"--property={ASKED}", *OWN_UNITS)
    return {each.get("Id", ""): _service(each) for each in told}


def _service(told: Mapping[str, str]) -> Service:
    since_us = int(told.get("ActiveEnterTimestampMonotonic") or 0)
    active = told.get("ActiveState", "")
    return Service(
        load=told.get("LoadState", "not-found"),
        active=active,
        sub=told.get("SubState", ""),
        enabled=told.get("UnitFileState", ""),
        restarts=int(told.get("NRestarts") or 0),
        result=told.get("Result", "success"),
        up_s=time.monotonic() - since_us / 1e6 if since_us and active == "active" else None,
        status=told.get("StatusText", ""),
        user=told.get("User", ""),
        groups=tuple(told.get("SupplementaryGroups", "").split()),
        needs_reload=told.get("NeedDaemonReload") == "yes",
    )
