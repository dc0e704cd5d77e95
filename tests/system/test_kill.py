"""kill -9 right after a panic press loses no call and shows the control room no second one."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from agent.signals import Category, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.alerts import Alert
    from agent.control_room.room import ControlRoom
    from fakes.town import Town

LIMIT_S = 60.0
MOMENTS = 20
LATEST_S = 0.08
"""Press to alert delivered takes about 15 ms here: most moments fall into the middle of it."""


@pytest.mark.timeout(900)  # twenty starts, each of which waits for its conditions
async def test_a_call_survives_a_kill_at_any_moment_after_the_press(town_with: Callable[..., Town]) -> None:
    moments = random.Random(20_261_122)
    async with town_with() as town:
        await town.start_unit()
        for _ in range(MOMENTS):
            before = town.known()
            # A person keeps pressing until something happens; what happens here is that the unit dies.
            await town.street.hold("panic-1")
            await asyncio.sleep(moments.uniform(0, LATEST_S))
            town.unit.kill()
            await town.unit.ended()
            await town.unit.start()
            await town.unit.ready()
            call = await town.control_room.wait_for(waiting_call, LIMIT_S)
            await town.street.let_go("panic-1")
            await closed_by_the_unit(town, call)
            new = {town.control_room.alerts[each].alert_id for each in town.known() - before}
            assert {each for each in new if town.control_room.alerts[each].category is Category.HELP} <= {call.alert_id}


def waiting_call(room: ControlRoom) -> Alert | None:
    """The call that waits for an operator: a new one, or the one before.

    That one where the unit was killed before its disk had taken the closing that the room was told: it tells the press
    as one more of the same, and the room shows it as open again.
    """
    return next((each for each in room.alerts.values() if each.category is Category.HELP and each.waiting), None)


async def closed_by_the_unit(town: Town, call: Alert) -> None:
    """An operator closes it, and once more when the unit tells that he did not know of all that it is about.

    Who still holds the button after a restart of a few seconds is the same caller. On a busy machine a restart takes
    longer than `SOMEBODY_ELSE_S`, and then it may be another one, whom no closing of what was known before sends away.
    """
    while not is_closed(call):
        seen = call.latest.revision
        await town.control_room.close_alert(call.alert_id, Outcome.TEST, "kill test", "op-1", seen)
        await town.control_room.wait_for(newer_than(seen, call), LIMIT_S)


def newer_than(revision: int, call: Alert) -> Callable[[ControlRoom], bool]:
    return lambda _: call.latest.revision > revision


def is_closed(call: Alert) -> bool:
    return bool(call.latest.data["state"] == "closed")
