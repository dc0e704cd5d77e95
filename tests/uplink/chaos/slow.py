"""Help over networks that carry next to nothing, while a backlog is under way."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.clock import SystemClock
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.paths import PRIMARY
from tests.uplink.chaos.rough_network import RoughNetwork
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.uplink.chaos.rough_network import Fault

BACKLOG: Final = 24
MAY_PRECEDE: Final = 2
"""Revisions of the backlog that may come between a press and its call: what a connection that has shown nothing yet is
trusted with (`FIRST_PACE` of `agent.uplink.lanes`)."""
WITHIN_S: Final = 100.0
SAYS: Final = "help"


@dataclass
class Slow:
    """What came of it."""

    call_s: float
    """From the press to the desk."""
    before_call: int
    """Revisions of the backlog that came in between."""
    connections: int
    """Of the unit, until then."""

    @property
    def held(self) -> bool:
        """Whether nearly nothing came before the call."""
        return self.before_call <= MAY_PRECEDE


async def help_over(folder: Path, broker_port: int, fault: Fault) -> Slow:
    """Let a backlog begin to move over such a network, and call for help in the middle of it.

    Raises:
        TimeoutError: the call did not come.
    """

    def at(port: int) -> Endpoint:
        return Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)

    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(RoughNetwork(broker_port, reads_mqtt=True))
        room = ControlRoom(at(broker_port), f"desk-{folder.name}", SystemClock(), org="street")
        await stack.enter_async_context(room)
        await room.wait_for(lambda room: room.connected, WITHIN_S)
        network.always = fault
        unit = await stack.enter_async_context(small_unit(folder, {PRIMARY: at(network.port)}))
        for number in range(BACKLOG):
            unit.raise_alert(f"{folder.name}-{number}", 1, Category.NOISE)
        await until(lambda: unit.courier.sent, "the backlog begins to move")
        pressed_s, call_id = time.monotonic(), f"{folder.name}-{SAYS}"
        unit.raise_alert(call_id, 1, Category.HELP)
        await room.wait_for(lambda room: call_id in room.alerts, WITHIN_S)
        call_s = room.alerts[call_id].first.received.monotonic_s
        others = [alert for alert in room.alerts.values() if alert.alert_id != call_id]
        before = sum(pressed_s < each.received.monotonic_s < call_s for alert in others for each in alert.arrivals)
        return Slow(call_s - pressed_s, before, unit.paths.session)
