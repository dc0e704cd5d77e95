"""What a real daemon burns in through its life: start, reload with other masks, kill -9, a dead recorder, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from agent.config.filming import CameraSettings, MaskSettings
from agent.footage.burn.caption import CLOCK_WORDS, local_time
from agent.footage.burn.masks import Cells
from agent.footage.burn.placement import caption_spot
from agent.footage.store.segments import SegmentName
from tests.footage.caption_reader import read_caption
from tests.footage.mask_check import DOOR_AND_CLOCK, NOISE, SHOP_WINDOW, MaskCheck, pictures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fakes.town import Town

LIMIT_S = 60.0
TENTH = len("2026-11-24 17:03:12.4")
FILM: dict[str, Any] = {"enabled": True, "width_px": 320, "height_px": 180, "fps": 30, "bitrate_kbps": 500}


def camera(masks: tuple[MaskSettings, ...]) -> dict[str, Any]:
    """The camera's section of the unit's file."""
    given = [{"name": mask.name, "points": [list(point) for point in mask.points]} for mask in masks]
    return {**FILM, "masks": given}


def check_of(masks: tuple[MaskSettings, ...]) -> MaskCheck:
    return MaskCheck.of(CameraSettings.model_validate({**FILM, "masks": masks}))


def segments(town: Town, since_s: float) -> Iterator[tuple[float, Path]]:
    """What was begun since then, each with its beginning on the monotonic clock, in order."""
    begun = [(SegmentName.parse(path.name).start.monotonic_s, path) for path in folder(town).glob("*.ts")]
    yield from sorted((began_s, path) for began_s, path in begun if began_s >= since_s)


def folder(town: Town) -> Path:
    return town.state_folder / "footage" / "segments"


async def films_on(town: Town, since_s: float) -> None:
    """Wait until a whole segment that was begun since then lies on the disk, and the next has begun."""
    async with asyncio.timeout(LIMIT_S):
        while len(list(segments(town, since_s))) < 2:
            assert town.unit.running, town.unit.log[-4000:]
            await asyncio.sleep(0.1)


def assert_dated(luma: NDArray[np.uint8], town: Town, path: Path) -> None:
    """The first picture of a segment says the moment that the segment's name tells, and the quality of its clock."""
    spot = caption_spot(Cells.none(320, 180), "top")
    assert spot, "and no mask is near it"
    said = read_caption(luma, spot)
    named = SegmentName.parse(path.name).start
    due = f"{local_time(named.wall, ZoneInfo(town.config.unit.timezone))}  {CLOCK_WORDS[named.quality]}  hk-"
    assert said[TENTH:].startswith(due[TENTH:])
    off = datetime.fromisoformat(f"{said[:TENTH]}00000") - datetime.fromisoformat(f"{due[:TENTH]}00000")
    assert abs(off) < timedelta(seconds=0.5), "two readings of one moment, with waits in between"


async def test_every_picture_is_masked_and_dated_through_start_reload_kill_and_a_dead_recorder(
    town_with: Callable[..., Town],
) -> None:
    footage = {"segment_s": 2, "sync_s": 0.2, "pre_event_s": 1.0, "post_event_s": 1.0}
    async with town_with(camera=camera(SHOP_WINDOW), footage=footage) as town:
        walk = asyncio.create_task(town.street.walk_past(for_s=LIMIT_S))
        await town.start_unit()
        await films_on(town, 0)

        town.write_config(camera=camera(DOOR_AND_CLOCK))
        reload_s = time.monotonic()
        town.unit.reload()
        reloaded_s = await town.unit.told("READY=1", since_s=reload_s)
        await films_on(town, reloaded_s)

        town.unit.kill()
        await town.unit.ended()
        killed_s = time.monotonic()
        await town.start_unit()
        await films_on(town, killed_s)

        os.kill(town.unit.children()["recorder"], signal.SIGKILL)
        await films_on(town, time.monotonic())
        walk.cancel()
        await asyncio.gather(walk, return_exceptions=True)
        town.unit.terminate()
        await town.unit.ended()

        first, then = check_of(SHOP_WINDOW), check_of(DOOR_AND_CLOCK)
        masked_first = masked_then = 0
        for began_s, path in segments(town, 0):
            pictures = list(pictures_of(path))
            by_first = all(first.noise(picture) <= NOISE for picture in pictures)
            by_then = all(then.noise(picture) <= NOISE for picture in pictures)
            assert by_first != by_then, f"{path.name}: one set of masks in all of its pictures, and not the other"
            assert by_first or began_s >= reload_s, f"{path.name}: the masks of the file that was in force"
            assert by_then or began_s < reloaded_s, f"{path.name}: the masks of the file that is in force"
            assert_dated(pictures[0].luma, town, path)
            masked_first, masked_then = masked_first + by_first * len(pictures), masked_then + by_then * len(pictures)
        # A whole segment has a group of pictures at least, however late a busy machine draws them.
        assert masked_first >= FILM["fps"]
        assert masked_then >= 3 * FILM["fps"]
