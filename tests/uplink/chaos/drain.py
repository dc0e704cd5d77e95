"""The broker is away for a day: what happened meanwhile comes by its importance, and a new call before it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.clock import SystemClock
from agent.control_room.happenings import What
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.entry import PRIORITY
from agent.uplink.paths import PRIMARY
from tests.uplink.chaos.rough_network import End, Fault, RoughNetwork
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from pathlib import Path

    from agent.control_room.alerts import Alert
    from agent.control_room.happenings import Happening

DAY_S: Final = 86_400.0
SHARES: Final = {Category.HELP: 1, Category.INTRUDER: 10, Category.TAMPER: 4, Category.FAULT: 25, Category.NOISE: 60}
"""Of a hundred events of a bad day."""
ACTIVE_EACH: Final = 20
"""One in so many is still open when the broker is back: in 10,000 that is 500, more than any unit has."""
DOWN: Final = Fault(end=End.RESET, end_after=0)
LIMIT_S: Final = 3600.0
"""Half a minute on two free cores; a machine at work on other things may take long."""
NEW_CALL: Final = "new-call"
"""Pressed in the middle of the drain."""
FIRST_CALL: Final = "first-call"
"""Pressed just before the connection is back."""


@dataclass
class Drain:
    """What came of it."""

    stored: int
    events: list[Alert]
    """In the order in which they first came, without the new call."""
    wanted: list[str]
    """The order in which they should."""
    took_s: float
    """From the connection until the unit held nothing any more."""
    call_s: float
    """From the new call, pressed in the middle of the drain, until it was on the desk."""
    before_call: int
    """Events that came after the call was pressed, and before it."""
    first_call_s: float
    """From the connection until the call was on the desk that was pressed just before."""
    before_first_call: int
    """Events that came before that one."""
    gave_way: list[str]
    """Events that the unit dropped for that call, being full."""


async def day_without_broker(folder: Path, broker_port: int, events: int) -> Drain:
    """Let so many events happen over a day in which the network is down, then let it come back."""
    clock, rng = LabClock(), random.Random(24)
    direct = Endpoint.build(f"mqtt://127.0.0.1:{broker_port}", insecure_lab=True)
    categories = rng.choices([*SHARES], weights=[*SHARES.values()], k=events)
    async with (
        asyncio.timeout(LIMIT_S),
        RoughNetwork(broker_port, reads_mqtt=True) as network,
        ControlRoom(direct, "drain-desk", SystemClock(), org="street") as room,
    ):
        came: dict[str, Alert] = {}
        """As they first came: the desk itself keeps no more of one unit than an operator can look through."""

        def note(happening: Happening) -> None:
            if happening.what is What.ALERT_RAISED and happening.alert_id is not None:
                came[happening.alert_id] = room.alerts[happening.alert_id]

        room.listen(note)
        network.always = DOWN
        through = Endpoint.build(f"mqtt://127.0.0.1:{network.port}", insecure_lab=True)
        await room.wait_for(lambda room: room.connected, LIMIT_S)
        async with small_unit(folder, {PRIMARY: through}, clock, puback_within_s=60.0) as unit:
            for number, category in enumerate(categories):
                clock.pass_s(DAY_S / events)
                # Most are over again long before anybody heard of them. Of those that are not, the broker keeps a
                # retained copy for late consoles, and mosquitto writes all that it keeps with each change.
                state = "active" if number % ACTIVE_EACH == 0 else "closed"
                unit.raise_alert(f"day-{number:05d}", 1, category, state=state)
                await asyncio.sleep(0)
            await unit.outbox.flushed()
            stored = len(unit.outbox)
            unit.raise_alert(FIRST_CALL, 1, Category.HELP)
            held = {entry.tell.alert_id for entry in unit.outbox.pending()}
            network.always = Fault()
            unit.courier.hurry()
            await unit.paths.up()
            loop = asyncio.get_running_loop()
            up_s = loop.time()
            await room.wait_for(lambda _: FIRST_CALL in came, LIMIT_S)
            first_call_s = loop.time() - up_s
            before_first_call = [*came].index(FIRST_CALL)
            await room.wait_for(lambda _: len(came) >= events // 2, LIMIT_S)
            pressed_s, before = loop.time(), len(came)
            unit.raise_alert(NEW_CALL, 1, Category.HELP)
            await room.wait_for(lambda _: NEW_CALL in came, LIMIT_S)
            call_s = loop.time() - pressed_s
            came_before = [*came].index(NEW_CALL) - before
            while unit.courier.pending:  # noqa: ASYNC110 - until the receiver has all of it
                await asyncio.sleep(0.02)
            took_s = loop.time() - up_s
    drained = [alert for alert in came.values() if alert.alert_id not in {NEW_CALL, FIRST_CALL}]
    in_turn = [f"day-{number:05d}" for number in sorted(range(events), key=lambda number: _turn(number, categories))]
    wanted = [name for name in in_turn if name in held]
    gave_way = [name for name in in_turn if name not in held]
    return Drain(stored, drained, wanted, took_s, call_s, came_before, first_call_s, before_first_call, gave_way)


def _turn(number: int, categories: list[Category]) -> tuple[int, bool, int]:
    """By importance, and the older first; but of the help calls those that go on, and of these the newer first."""
    goes_on = number % ACTIVE_EACH == 0 and categories[number] is Category.HELP
    return PRIORITY[categories[number]], not goes_on, -number if goes_on else number
