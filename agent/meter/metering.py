"""The meter's place in the listener: blocks of the microphone in, a message now and then out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.helpers.messages import SoundMeasured
from agent.hw.kit import BLOCK_MS
from agent.meter.meter import SoundLevelMeter
from agent.meter.minute import Minutes

if TYPE_CHECKING:
    from agent.config.hearing import MeterSettings
    from agent.hw.kit import PcmBlock

TELL_EVERY_S = 10.0
"""So that each heartbeat (25 s) has a minute that is hardly over."""
GAP_S = 5 * BLOCK_MS / 1000
"""Blocks this far apart do not follow on each other: the microphone was opened anew. Less is the jitter of devices
that do not say when a sample was taken."""


class Metering:
    """Measures what a microphone hears, over all its losses."""

    def __init__(self, settings: MeterSettings) -> None:
        self._calibrated_on = settings.calibrated_on
        self._meter = SoundLevelMeter(settings.calibration_offset_db or 0.0, octaves=settings.octave_bands)
        self._minutes = Minutes()
        self._ended_s: float | None = None
        self._told_s: float | None = None

    def feed(self, block: PcmBlock) -> SoundMeasured | None:
        """Measure a block; returns what is to be told of the last minute, each `TELL_EVERY_S`."""
        self._follow(block)
        for second in self._meter.feed(block.wide):
            self._minutes.add(second, block.ended_s)
        if self._told_s is None:
            self._told_s = block.ended_s
        if block.ended_s - self._told_s < TELL_EVERY_S:
            return None
        self._told_s = block.ended_s
        return self._measured(block.ended_s)

    def _follow(self, block: PcmBlock) -> None:
        """A second with a hole in it is no second: what is missing would be a click, and its level unknown."""
        before_s, self._ended_s = self._ended_s, block.ended_s
        if block.lost or (before_s is not None and not -GAP_S < block.ended_s - before_s < GAP_S):
            self._meter.restart()

    def _measured(self, now_s: float) -> SoundMeasured | None:
        levels = self._minutes.levels(now_s)
        if levels is None:
            return None
        return SoundMeasured(
            until_s=now_s,
            laeq_db=round(levels.laeq_db, 1),
            lafmax_db=round(levels.lafmax_db, 1),
            octaves_db={band: round(level_db, 1) for band, level_db in levels.octaves_db.items()},
            measured_s=levels.measured_s,
            overloaded_s=levels.overloaded_s,
            la90_db=round(levels.la90_db, 1),
            floor_measured_s=levels.floor_measured_s,
            calibrated_on=self._calibrated_on,
        )
