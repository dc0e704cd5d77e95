from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from agent.config.hearing import MeterSettings
from agent.helpers.messages import SoundMeasured, decode, encode
from agent.hw.kit import BLOCK_MS, PcmBlock
from agent.meter.metering import Metering
from tests.meter.sounds import blocks, pcm, silence, tone

if TYPE_CHECKING:
    from collections.abc import Iterable

ON = MeterSettings(enabled=True)
CALIBRATED = MeterSettings(enabled=True, calibration_offset_db=120.0, calibrated_on=date(2026, 11, 2))


def street(seconds: float, dbfs: float = -40.0, since_s: float = 1000.0) -> list[PcmBlock]:
    """A steady tone, as the microphone gives it."""
    sound = pcm(tone(1000.0, seconds, dbfs))
    return [PcmBlock(b"", since_s + count * BLOCK_MS / 1000, wide=wide) for count, wide in enumerate(blocks(sound), 1)]


def told(metering: Metering, sound: Iterable[PcmBlock]) -> list[SoundMeasured]:
    return [measured for block in sound if (measured := metering.feed(block))]


def test_the_last_minute_is_told_each_ten_seconds() -> None:
    messages = told(Metering(ON), street(75.0))

    assert [message.until_s for message in messages] == pytest.approx([1010 + 10 * count for count in range(7)], abs=1)
    assert [message.measured_s for message in messages] == [9, 19, 29, 39, 49, 59, 60]
    assert [message.floor_measured_s for message in messages] == [9, 19, 29, 39, 49, 59, 69]
    assert {(message.laeq_db, message.lafmax_db, message.la90_db) for message in messages} == {(-40.0, -40.0, -40.0)}


def test_without_a_calibration_levels_are_relative_to_full_scale_and_say_so() -> None:
    (message,) = told(Metering(ON), street(11.0))

    assert message.calibrated_on is None
    assert message.octaves_db["1000"] == -40.0


def test_with_a_calibration_levels_are_sound_pressure_and_say_since_when() -> None:
    (message,) = told(Metering(CALIBRATED), street(11.0))

    assert (message.laeq_db, message.calibrated_on) == (80.0, date(2026, 11, 2))
    assert decode(encode(message)) == message


def test_octave_bands_are_told_only_where_they_are_wanted() -> None:
    (message,) = told(Metering(MeterSettings(enabled=True, octave_bands=False)), street(11.0))

    assert message.octaves_db == {}


@pytest.mark.parametrize("how", ["blocks lost", "microphone opened again"])
def test_a_hole_in_the_sound_is_not_measured_and_makes_no_click(how: str) -> None:
    before, after = street(6.0, -50.0), street(14.05, -50.0, since_s=1006.0 if how == "blocks lost" else 1010.0)
    # What comes after the hole begins in the middle of a wave.
    after[0] = replace(
        after[0], lost=2 if how == "blocks lost" else 0, wide=pcm(silence(0.05), tone(50.0, 0.05, -20.0))
    )
    *_, message = told(Metering(ON), [*before, *after])

    assert message.lafmax_db == pytest.approx(-50.0, abs=0.1)
    assert message.measured_s == 5 + (13 if how == "blocks lost" else 9)


def test_blocks_that_jitter_are_measured_as_one_sound() -> None:
    late = [replace(block, ended_s=block.ended_s + 0.09 * (count % 3)) for count, block in enumerate(street(21.0))]
    *_, message = told(Metering(ON), late)

    assert message.measured_s == 19
