"""The unit's whole uplink, as the daemon puts it together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.uplink.publication import Subscription
from agent.uplink.room import UplinkRoom
from agent.uplink.topics import UnitTopics
from tests.alongside import alongside
from tests.uplink.lab import Ear, linked, make_config, passing, until

if TYPE_CHECKING:
    from pathlib import Path

    from agent.rooms import Room
    from tests.uplink.conftest import Street

NEVER_S = 10_000.0


async def test_a_unit_that_comes_back_shows_how_it_is_and_does_not_wait_for_its_next_turn(
    street: Street, tmp_path: Path
) -> None:
    config = make_config()
    seldom = config.uplink.model_copy(update={"heartbeat_s": NEVER_S})
    config = config.model_copy(update={"state_folder": tmp_path, "uplink": seldom})
    came_up: list[None] = []
    room = UplinkRoom(
        config,
        street.endpoint("unit-a"),
        SystemClock(),
        alternate=None,
        credentials=None,
        facts=dict,
        report=lambda _: None,
        on_command=lambda _: None,
        on_up=lambda: came_up.append(None),
    )
    await room.begin()
    ear = Ear()
    wanted = Subscription(UnitTopics("street", "unit-a").heartbeat)
    try:
        async with (
            linked(street.endpoint("control-room"), passing("console-beats", (wanted,)), on_message=ear),
            alongside(*(_run(each) for each in room.rooms())),
        ):
            await until(lambda: ear.heard, "it beats once it is there")
            for _ in range(2):
                before, ups = len(ear.heard), len(came_up)
                connection = next(iter(room.paths._links.values()))._connection
                assert connection is not None
                connection.abandon("the test ended it")
                await until(lambda: len(came_up) > ups, "it is back")  # noqa: B023
                await until(lambda: len(ear.heard) > before, "and says how it is")  # noqa: B023
            await room.paths.close()
    finally:
        await room.outbox.close()


async def _run(room: Room) -> None:
    _, run = room
    await run(lambda: None)
