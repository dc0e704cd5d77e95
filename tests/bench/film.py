"""The packets that footage is measured with: made once, read by ours and by FFmpeg from the same file."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.clock import ClockQuality, Moment
from agent.config.filming import CameraSettings
from agent.hw.kit import Packet
from fakes.camera import StreetFilm
from fakes.scene import StreetScene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.hw.kit import Picture

SETTINGS = CameraSettings(width_px=1280, height_px=720, fps=15, bitrate_kbps=2000)
START = Moment(5_000.0, datetime(2026, 11, 24, 2, 14, 7, tzinfo=UTC), "1a2b3c4d" + "0" * 24, ClockQuality.SYNCED)
TICKS_A_SECOND = 90_000
TIME_BASE = Fraction(1, TICKS_A_SECOND)
FRAME_S = 1 / SETTINGS.fps
FILMED_S = 60
"""Filmed once and then told again: it begins with a key frame, and copying does not look at pictures."""
GRAIN_LEVELS = 4
"""A sensor's noise at night. A drawn street alone needs half of its 2 Mbit/s."""


class StoppedClock:
    """Knows how the two clocks relate, and not what time it is."""

    def now(self) -> Moment:
        """The beginning of the film."""
        return START

    def at(self, monotonic_s: float) -> Moment:
        """A moment of the film."""
        return START.later(monotonic_s - START.monotonic_s)


class Grain:
    """Sensor noise, as a `BurnIn`: a few fields of it, taken in turn."""

    def __init__(self) -> None:
        dice = np.random.default_rng(1)
        shape = SETTINGS.height_px, SETTINGS.width_px
        self._fields = [dice.integers(-GRAIN_LEVELS, GRAIN_LEVELS + 1, shape).astype(np.int16) for _ in range(7)]
        self._turn = 0

    def __call__(self, picture: Picture, _taken_s: float) -> None:
        """Let the picture's brightness tremble."""
        self._turn = (self._turn + 1) % len(self._fields)
        picture.luma[:] = np.clip(picture.luma + self._fields[self._turn], 16, 235)


def shoot() -> list[bytes]:
    """One minute of a walker under the lamp, a key frame each second."""
    camera = StreetFilm(SETTINGS, StreetScene(person=True, lit=True), Grain())
    moments = (StoppedClock().at(START.monotonic_s + n * FRAME_S) for n in range(FILMED_S * SETTINGS.fps))
    return [camera.shoot(moment).data for moment in moments]


def store(frames: list[bytes], seconds: int, path: Path) -> Path:
    """So many seconds of these frames in NUT, FFmpeg's own container, which asks for the least work to read."""
    with av.open(str(path), "w", format="nut") as container:
        stream = container.add_mux_stream(
            "h264", width=SETTINGS.width_px, height=SETTINGS.height_px, time_base=TIME_BASE
        )
        for n in range(seconds * SETTINGS.fps):
            packet = av.Packet(frames[n % len(frames)])
            packet.stream, packet.time_base = stream, TIME_BASE
            packet.pts = packet.dts = round((START.monotonic_s + n * FRAME_S) / TIME_BASE)
            packet.is_keyframe = n % SETTINGS.fps == 0
            container.mux(packet)
    return path


def read(path: Path) -> Iterator[Packet]:
    """The frames of a stored film, one after the other."""
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.pts is not None:
                yield Packet(bytes(packet), packet.is_keyframe, packet.pts / TICKS_A_SECOND, FRAME_S)
