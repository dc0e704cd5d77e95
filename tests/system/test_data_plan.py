"""What a unit's alerts and heartbeats take of its data plan shows in its heartbeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.room import ControlRoom
    from fakes.town import Town

LIMIT_S = 60.0


async def test_what_is_said_is_counted_beside_pictures_and_grows_with_each_heartbeat(
    town_with: Callable[..., Town],
) -> None:
    town = town_with()
    town.rebuild(uplink={"heartbeat_s": 1.0})
    async with town:
        await town.start_unit()
        await town.street.press("panic-1")
        await town.alert(Category.HELP)
        await town.control_room.wait_for(lambda room: (_said_kb(room) or 0.0) > 0.0, LIMIT_S)
        before_kb = _said_kb(town.control_room) or 0.0
        await town.control_room.wait_for(lambda room: (_said_kb(room) or 0.0) >= before_kb + 5.0, LIMIT_S)


def _said_kb(room: ControlRoom) -> float | None:
    """What the only unit counted beside its media, as its last heartbeat said."""
    for unit in room.desk.units.values():
        if plan := unit.heartbeat.get("media", {}).get("dataPlan"):
            return float(plan["usedKb"] - plan["mediaKb"])
    return None
