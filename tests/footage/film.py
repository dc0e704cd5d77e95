"""Footage for tests: real pictures that say which they are, as fast as they can be drawn, and how to read them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.clock import ClockQuality, Moment
from agent.config.filming import CameraSettings
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentWriter
from fakes.camera import StreetFilm
from fakes.frame_clock import FrameClock, read_frame_clock
from fakes.scene import StreetScene

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.hw.kit import Packet

FPS = 15
FRAME_S = 1 / FPS
BOOT = "1a2b3c4d-0000-4000-8000-000000000000"
START = Moment(5_000.0, datetime(2026, 11, 22, 2, 14, 7, 412_000, tzinfo=UTC), BOOT, ClockQuality.SYNCED)
SETTINGS = CameraSettings(width_px=320, height_px=180, fps=FPS, bitrate_kbps=500)


class StoppedClock:
    """Knows how the two clocks relate, and not what time it is."""

    def now(self) -> Moment:
        return START

    def at(self, monotonic_s: float) -> Moment:
        return START.later(monotonic_s - START.monotonic_s)


@cache
def film(seconds: int, start_s: float = START.monotonic_s, settings: CameraSettings = SETTINGS) -> tuple[Packet, ...]:
    """So many seconds of a walker under the lamp."""
    camera = StreetFilm(settings, StreetScene(person=True, lit=True))
    return tuple(camera.shoot(StoppedClock().at(start_s + n * FRAME_S)) for n in range(seconds * FPS))


def store(folder: Path, frames: Sequence[Packet], segment_frames: int) -> FootageIndex:
    """The frames as closed segments below `folder`, and their index."""
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    for first in range(0, len(frames), segment_frames):
        writer = SegmentWriter(folder / "segments", StoppedClock().at(frames[first].taken_s), FPS)
        for frame in frames[first : first + segment_frames]:
            writer.write(frame)
        writer.close()
    return FootageIndex(folder / "index.sqlite", folder / "segments")


def clocks(path: Path) -> list[FrameClock]:
    """What the pictures of a stored file say about themselves; fails on any decoding error."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        return [
            read_frame_clock(picture.to_ndarray()[: picture.height].astype(np.uint8))
            for picture in container.decode(video=0)
        ]
