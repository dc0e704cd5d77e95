"""Two paths of different speed, both in order: no revision of an alert overtakes a lower one of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.control_room.happenings import What
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.lanes import FIRST_PACE
from agent.uplink.paths import ALTERNATE, PRIMARY
from fakes.broker import CONTROL_ROOM
from tests.uplink.chaos.rough_network import End, Fault, RoughNetwork
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.control_room.happenings import Happening
    from tests.uplink.chaos.small_unit import SmallUnit
    from tests.uplink.conftest import Street

REVISIONS = 8
OTHERS = 4
GENEROUS_S = 60.0
NEVER_S = 10_000.0
RAISED = {What.ALERT_RAISED, What.ALERT_REVISED}


@pytest.mark.parametrize("slow", [PRIMARY, ALTERNATE])
@pytest.mark.parametrize("category", [Category.HELP, Category.INTRUDER, Category.FAULT])
async def test_no_revision_overtakes_a_lower_one_over_the_quicker_path(
    street: Street, tmp_path: Path, category: Category, slow: str
) -> None:
    port = street.broker.plain_port or 0
    told: list[Happening] = []
    direct = Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)
    async with (
        RoughNetwork(port, reads_mqtt=True) as network,
        ControlRoom(direct, f"desk-{category}-{slow}", SystemClock(), org="street") as room,
    ):
        room.listen(told.append)
        await room.wait_for(lambda room: room.connected, GENEROUS_S)
        network.always = Fault(delay_s=0.05)
        through = Endpoint.build(f"mqtt://127.0.0.1:{network.port}", insecure_lab=True)
        ways = {PRIMARY: direct, ALTERNATE: direct} | {slow: through}
        async with small_unit(tmp_path, ways) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            for revision in range(1, REVISIONS + 1):
                unit.raise_alert(f"{slow}-{category}", revision, category)
                await asyncio.sleep(0.02)  # the pace of what happens, quicker than the slow path's answers
            for number in range(OTHERS):
                unit.raise_alert(f"{slow}-{category}-{number}", 1, category)
            await until(lambda: unit.courier.pending == 0, "all of it is received")
    assert not [each for each in told if each.what is What.OLDER_REVISION]
    came = [each.revision for each in told if each.alert_id == f"{slow}-{category}" and each.what in RAISED]
    assert came == list(range(1, REVISIONS + 1))


@asynccontextmanager
async def first_path_silent(street: Street, folder: Path, desk: str) -> AsyncIterator[tuple[SmallUnit, ControlRoom]]:
    """Both paths are up, and the first one has just become half-open, which nothing but a call will find out."""
    port = street.broker.plain_port or 0
    direct = Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)
    async with (
        RoughNetwork(port, reads_mqtt=True) as network,
        ControlRoom(direct, desk, SystemClock(), org="street") as room,
    ):
        await room.wait_for(lambda room: room.connected, GENEROUS_S)
        through = Endpoint.build(f"mqtt://127.0.0.1:{network.port}", insecure_lab=True)
        ways = {PRIMARY: through, ALTERNATE: direct}
        async with small_unit(folder, ways, puback_within_s=NEVER_S, keepalive_s=NEVER_S) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            network.strike(End.HALF_OPEN)
            yield unit, room


async def test_what_a_broker_took_for_nobody_goes_once_more_before_what_follows_though_another_path_has_it(
    own_street: Street, tmp_path: Path
) -> None:
    """The console is away while the call goes beside its silent path, and there again when its next revision comes."""
    await own_street.broker.start()  # one that has never seen a console: it keeps nothing for any
    direct = own_street.endpoint("unit-a")
    told: list[Happening] = []
    seldom = {"resend_s": (NEVER_S,)}
    async with RoughNetwork(own_street.broker.port, reads_mqtt=False) as network:
        ways = {PRIMARY: replace(direct, port=network.port), ALTERNATE: direct}
        async with small_unit(tmp_path, ways, uplink=seldom, puback_within_s=NEVER_S, keepalive_s=NEVER_S) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            network.strike(End.HALF_OPEN)
            unit.raise_alert("unheard", 1, Category.HELP)
            await until(lambda: unit.courier.silent_paths, "a broker has it, and nobody listens there")
            desk = own_street.endpoint(CONTROL_ROOM)
            async with ControlRoom(desk, CONTROL_ROOM, SystemClock(), org="street") as room:
                room.listen(told.append)
                await room.wait_for(lambda room: room.connected, GENEROUS_S)
                unit.raise_alert("unheard", 2, Category.HELP)
                await until(lambda: unit.courier.pending == 0, "both are received")
    came = [each.revision for each in told if each.alert_id == "unheard" and each.what in RAISED]
    assert came == [1, 2]


async def test_what_waits_for_its_own_alert_keeps_nothing_else_waiting(street: Street, tmp_path: Path) -> None:
    async with first_path_silent(street, tmp_path, "desk-waiting") as (unit, room):
        for revision in range(1, REVISIONS + 1):
            unit.raise_alert("stuck", revision, Category.INTRUDER)
        for number in range(1 + FIRST_PACE):  # what the first path still takes is as stuck, until that is found out
            unit.raise_alert(f"other-{number}", 1, Category.INTRUDER)
        await room.wait_for(lambda room: f"other-{FIRST_PACE}" in room.alerts, GENEROUS_S)
        assert "stuck" not in room.alerts, "its first revision is on the path that says nothing"


async def test_a_path_that_a_call_found_silent_keeps_no_alert_and_no_picture(street: Street, tmp_path: Path) -> None:
    """The break-in lies on it already; nobody looks after that one before its acknowledgement is seconds late."""
    async with first_path_silent(street, tmp_path, "desk-stranded") as (unit, room):
        unit.raise_alert("break-in", 1, Category.INTRUDER)
        unit.raise_alert("call", 1, Category.HELP)
        await room.wait_for(lambda room: {"break-in", "call"} <= room.alerts.keys(), GENEROUS_S)
        await until(lambda: not unit.courier.under_way, "the road is free for the call's picture")
