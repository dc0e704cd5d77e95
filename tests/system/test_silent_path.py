"""A way to the control room that falls silent, while nothing happens, is a fault although nobody hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.control_room.happenings import What
from agent.signals import Category
from tests.system.two_ways import both_up, two_ways_of
from tests.uplink.chaos.rough_network import End, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.alerts import Alert
    from agent.control_room.happenings import Happening
    from agent.control_room.room import ControlRoom
    from fakes.town import Town

LIMIT_S = 120.0


async def test_a_second_path_that_falls_silent_while_nothing_happens_is_told_as_a_fault(
    town_with: Callable[..., Town],
) -> None:
    town = town_with()
    happened: list[Happening] = []
    async with two_ways_of(town, heartbeat_s=2.0) as (_, second), town:
        town.control_room.listen(happened.append)
        await town.start_unit()
        await both_up(town, LIMIT_S)
        second.always = Fault(end=End.HALF_OPEN, end_after=0)
        second.strike(End.HALF_OPEN)
        fault = await town.control_room.wait_for(_fault, LIMIT_S)
        assert fault is not None
        assert "The alternate path to the control room does not work" in fault.headline
        assert fault.first.data["path"]["used"] == "primary"
        assert What.UNIT_LOST not in {each.what for each in happened}


def _fault(room: ControlRoom) -> Alert | None:
    """The first fault on the desk, if there is one."""
    return next((alert for alert in room.alerts.values() if alert.category is Category.FAULT), None)
