"""A console that is switched on later sees what is still open, and nothing that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Category, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

LIMIT_S = 60.0


async def test_a_console_that_comes_later_sees_the_open_calls_only(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.press("panic-1")
        over = await town.alert(Category.HELP)
        await town.control_room.close_alert(over.alert_id, Outcome.TEST, "over", "op-1")
        await town.control_room.wait_for(lambda _: over.latest.data["state"] == "closed", LIMIT_S)
        await town.street.press("panic-1")
        still_open = await town.alert(Category.HELP, after=frozenset({over.alert_id}))
        async with town.console("night-shift") as late:
            await late.wait_for(lambda room: still_open.alert_id in room.alerts, LIMIT_S)
            await late.wait_for(lambda room: room.desk.units, LIMIT_S)
            assert over.alert_id not in late.alerts
            await late.acknowledge(still_open.alert_id, "op-2")
            await town.control_room.wait_for(lambda _: "op-2" in still_open.operators(), LIMIT_S)
