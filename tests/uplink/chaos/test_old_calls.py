"""Yesterday's help calls wait on the unit when somebody presses now: who calls now is heard first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.control_room.happenings import What
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.paths import PRIMARY
from tests.uplink.chaos.drain import DAY_S, DOWN
from tests.uplink.chaos.rough_network import Fault, RoughNetwork
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from pathlib import Path

    from agent.control_room.happenings import Happening
    from tests.uplink.conftest import Street

OLD_CALLS = 60
AMONG_THE_FIRST = 5
MOST_BEFORE = 2
"""Calls of yesterday that may come between the press and its call on the desk."""
GENEROUS_S = 60.0


@dataclass
class Line:
    """What lies between unit and broker."""

    name: str
    fault: Fault


LINES = [
    Line("calm", Fault()),
    Line("150 ms each way", Fault(delay_s=0.15)),
    Line("12.8 kB/s", Fault(piece=128, pause_s=0.01)),
]


@pytest.mark.parametrize("state", ["closed", "ended"])
@pytest.mark.parametrize("after", [0, AMONG_THE_FIRST], ids=["pressed-before-the-reconnection", "among-the-first"])
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
async def test_a_call_of_now_comes_before_yesterdays(
    street: Street, tmp_path: Path, line: Line, after: int, state: str
) -> None:
    port = street.broker.plain_port or 0
    came: list[str] = []
    # Names of its own: a broker keeps for a console what came after it left, and shows it how earlier calls stood.
    case = f"{LINES.index(line)}-{state}-{after}"
    call = f"now-{case}"

    def note(happening: Happening) -> None:
        alert_id = happening.alert_id or ""
        if happening.what is What.ALERT_RAISED and alert_id.endswith(case):
            came.append(alert_id)

    direct = Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)
    async with (
        RoughNetwork(port, reads_mqtt=True) as network,
        ControlRoom(direct, f"desk-{case}", SystemClock(), org="street") as room,
    ):
        room.listen(note)
        await room.wait_for(lambda room: room.connected, GENEROUS_S)
        network.always, clock = DOWN, LabClock()
        through = Endpoint.build(f"mqtt://127.0.0.1:{network.port}", insecure_lab=True)
        async with small_unit(tmp_path, {PRIMARY: through}, clock, puback_within_s=60.0) as unit:
            for number in range(OLD_CALLS):
                clock.pass_s(DAY_S / OLD_CALLS)
                unit.raise_alert(f"old-{number:03d}-{case}", 1, Category.HELP, state=state)
            await unit.outbox.flushed()
            if not after:
                unit.raise_alert(call, 1, Category.HELP)
            network.always = line.fault
            unit.courier.hurry()
            await unit.paths.up()
            if after:
                await room.wait_for(lambda _: len(came) >= after, GENEROUS_S)
                unit.raise_alert(call, 1, Category.HELP)
            before = len(came) if after else 0
            await room.wait_for(lambda _: call in came, GENEROUS_S)
            assert came.index(call) - before <= MOST_BEFORE
            if not after:
                assert came[0] == call
