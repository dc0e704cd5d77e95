"""How loud the street is reaches the control room, from a unit that listens to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.town import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.room import ControlRoom
    from fakes.town import Town

OFFSET_DB = 120.0
METER = {"enabled": True, "calibration_offset_db": OFFSET_DB, "calibrated_on": "2026-11-02"}
STREET_DBFS = -40.0
"""Of the simulated street, unweighted."""


def microphone(room: ControlRoom) -> dict[str, Any]:
    """What the last heartbeat says of it; the control room has checked that against the schema."""
    return next((dict(mic) for unit in room.desk.units.values() for mic in unit.heartbeat.get("mics", ())), {})


async def test_a_unit_that_only_measures_tells_levels_in_its_heartbeat(town_with: Callable[..., Town]) -> None:
    voice = {"enabled": False, "phrases": [], "meter": METER}
    async with town_with(voice=voice, uplink={"heartbeat_s": 1.0}) as town:
        await town.start_unit()
        await town.control_room.wait_for(lambda room: "laeq60DbA" in microphone(room), LIMIT_S)
        told = microphone(town.control_room)

    assert (told["id"], told["indicative"], told["calibratedOn"]) == ("mic-1", True, "2026-11-02")
    assert 0 < told["measuredS"] < 60, "not a whole minute yet, and it says so"
    assert told["floorDbA"] <= told["laeq60DbA"] <= told["lafMax60DbA"]
    loudest_band_db = max(told["octaves60Db"].values())
    assert loudest_band_db < OFFSET_DB + STREET_DBFS + 3
    assert told["laeq60DbA"] > OFFSET_DB + STREET_DBFS - 20
