"""An upload stands still from a press until the broker has the alert, and goes on after that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.control_room.command_line import understood
from agent.signals import Category
from agent.uplink.media.web.flow import BLOCK_BYTES
from fakes.town import LIMIT_S, UNIT_ID
from tests.system.test_evidence import clip_to_send
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town

SLOW_KBIT_PER_S = 128
"""A block in a second: nothing lies in a buffer, so what comes is what leaves."""
STILL_S = 3.0
"""Three blocks would come in this time; a road is given for 10 s at most."""


async def test_no_byte_of_an_upload_leaves_from_a_press_until_its_alert_is_with_the_broker(
    town_with: Callable[..., Town], tmp_path: Path
) -> None:
    async with clip_to_send(town_with, tmp_path, kbit_per_s=SLOW_KBIT_PER_S) as (town, site, alert, clip):
        room, known = town.control_room, town.known()

        def came() -> int:
            return sum(map(len, site.files.values()))

        file = f"incidents/{alert.alert_id}/clip.mp4"
        wanted = understood(f"{UNIT_ID} upload file={file} url={site.url}", room.desk.units)
        answers = room.command(wanted)
        while (await anext(answers))["status"] != "running":
            pass
        await until(lambda: came() >= BLOCK_BYTES, "the upload is under way")
        assert came() < clip["sizeBytes"] - 4 * BLOCK_BYTES, "there is more to come"
        town.broker.freeze()
        try:
            pressed_s = await town.street.press("panic-1")
            await town.street.lamp_is(lit=True, since_s=pressed_s)
            before = await _settled(came)  # what was in the kernel's hands is there
            await asyncio.sleep(STILL_S)  # the time itself is what matters here
            assert came() == before
        finally:
            town.broker.thaw()
        assert await town.alert(Category.HELP, after=known)
        await until(lambda: came() > before, "the upload goes on")
        await asyncio.wait_for(_over(clip["sizeBytes"], came), LIMIT_S * 3)
        await answers.aclose()


async def _settled(came: Callable[[], int]) -> int:
    """How much came, once nothing more does: an upload that goes on all the same is settled when it is whole."""
    before = -1
    while came() != before:
        before = came()
        await asyncio.sleep(0.5)
    return before


async def _over(size: int, came: Callable[[], int]) -> None:
    while came() < size:  # noqa: ASYNC110 - the server has threads, no events
        await asyncio.sleep(0.1)
