"""How soon after a button was pressed the picture of it is on the control room's desk, by whichever path is up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from agent.signals import Category, Outcome
from fakes.town import LIMIT_S, Town
from tests.bench.alarm_path import unit_with
from tests.bench.bare_paho import PAUSE_S
from tests.bench.figures import Row, Spread, spread_row
from tests.system.two_ways import both_up, two_ways
from tests.uplink.chaos.rough_network import End, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from agent.control_room.room import ControlRoom

AIM: Final = "<= 2 s"
CUTS: Final = 3
"""Calls with a cut path."""
FILMED: Final = 2
"""Segments of the shortest length: by then the recorder is what it is all day."""


async def call_to_still_s(town: Town) -> float:
    """Press, wait for the picture that the alert tells of, and close the call; seconds between the first two."""
    await asyncio.sleep(PAUSE_S)
    before = town.known()
    pressed_s = await town.street.press("panic-1")
    call = await town.alert(Category.HELP, after=before)

    def is_here(room: ControlRoom) -> bool:
        told = call.latest.data["evidence"]["snapshot"]["sha256"]
        return told is not None and room.album.standing(call, "snapshot") == "here"

    await town.control_room.wait_for(is_here, LIMIT_S)
    came_s = time.monotonic()
    await town.control_room.close_alert(call.alert_id, Outcome.TEST, "bench", "bench")
    await town.control_room.wait_for(lambda _: call.closed, LIMIT_S)
    await town.street.lamp_is(lit=False)
    return came_s - pressed_s


async def _has_filmed(town: Town) -> None:
    async with asyncio.timeout(LIMIT_S):
        while len([*(town.config.footage_folder / "segments").glob("*.ts")]) < FILMED:  # noqa: ASYNC110 - no folder has an event
            await asyncio.sleep(0.1)


async def with_two_paths(folder: Path, how: End | None, count: int) -> list[float]:
    """Calls of a unit with two paths, the first of which is cut so before them."""
    town = Town(folder, "safe-space", unit_with(camera={"enabled": True}, footage={"segment_s": 2}))
    async with two_ways(town) as first, town:
        await town.start_unit()
        await _has_filmed(town)
        await both_up(town, 2 * LIMIT_S)
        if how is not None:
            first.always = Fault(end=End.RESET, end_after=0)  # nor does a new connection come through
            first.strike(how)
        return [await call_to_still_s(town) for _ in range(count)]


async def each_its_own_cut(folder: Path, how: End) -> list[float]:
    """The first call after a cut, of a unit each: later ones know of it."""
    return [sample for number in range(CUTS) for sample in await with_two_paths(folder / f"{number}", how, 1)]


async def still_rows(folder: Path, count: int) -> list[Row]:
    """Trigger to picture on the desk: as usual, with the first path down, and with it silent."""
    return [
        spread_row(
            "button -> its still on the control room's desk, 1280x720",
            Spread.of(await with_two_paths(folder / "s0", None, count)),
            AIM,
        ),
        spread_row(
            "... the first path just reset, and not to be had again",
            Spread.of(await each_its_own_cut(folder / "s1", End.RESET)),
            AIM,
        ),
        spread_row(
            "... the first path just cut in silence (half-open)",
            Spread.of(await each_its_own_cut(folder / "s2", End.HALF_OPEN)),
            AIM,
        ),
    ]
