from __future__ import annotations

import math

import numpy as np
import pytest

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.meter import LEAST_POWER, SoundLevelMeter, level_db
from tests.meter.sounds import blocks, noise, pcm, read, silence, tone

STREET = pcm(noise(2.5, 30.0, 15_000.0, pink=True), tone(700.0, 1.3, -12.0), noise(1.3, 50.0, 9_000.0, dbfs=-40.0))


@pytest.mark.parametrize("size", [2, 2 * 4800, 2 * 4801, 2 * 12_345, len(STREET)])
def test_where_blocks_end_makes_no_difference(size: int) -> None:
    sound = STREET if size > 2 else STREET[: 2 * (2 * WIDE_RATE_HZ + 1)]
    assert read(sound, size=size) == read(sound)
    assert read(sound)


def test_blocks_without_sound_and_half_samples_are_nothing() -> None:
    meter = SoundLevelMeter()
    heard = [second for block in blocks(STREET) for part in (b"", block + b"\x7f", b"") for second in meter.feed(part)]

    assert heard == read(STREET)


def test_a_calibrator_reads_94_db_with_the_offset_that_it_gave() -> None:
    calibrator = pcm(tone(1000.0, 2.0, -31.4))
    shown_dbfs = read(calibrator)[0].laeq_db

    second = read(calibrator, offset_db=94.0 - shown_dbfs)[0]
    assert [second.laeq_db, second.lafmax_db] == pytest.approx([94.0, 94.0], abs=0.01)
    assert second.octaves_db["1000"] == pytest.approx(94.0, abs=0.05)
    assert second.lzeq_db == pytest.approx(94.0, abs=0.05)


def test_digital_silence_has_a_level() -> None:
    (second,) = read(pcm(silence(2.0)))

    assert second.laeq_db == second.lafmax_db == second.lzeq_db == level_db(LEAST_POWER) == -140.0
    assert set(second.octaves_db.values()) == {-140.0}
    assert not second.overloaded


def test_an_offset_of_the_converter_is_no_sound() -> None:
    (second,) = read(pcm(silence(2.0) + 0.5))

    assert second.laeq_db < -100.0
    assert second.lzeq_db is not None
    assert second.lzeq_db < -80.0


def test_sound_at_full_scale_is_called_overloaded_and_still_has_a_level() -> None:
    square = pcm(np.sign(tone(1000.0, 2.0)))
    (second,) = read(square)

    assert second.overloaded
    assert second.laeq_db == pytest.approx(0.0, abs=0.5)
    assert not read(pcm(tone(1000.0, 2.0, -4.0)))[0].overloaded


def test_any_bytes_are_sound() -> None:
    for second in read(np.random.default_rng(1).bytes(8 * WIDE_RATE_HZ)):
        levels = [second.laeq_db, second.lafmax_db, *second.laf_db, *second.octaves_db.values()]
        assert all(math.isfinite(each) and -60.0 < each < 0.0 for each in levels)


def test_octave_bands_can_be_left_out() -> None:
    meter = SoundLevelMeter(octaves=False)
    (second,) = (second for block in blocks(pcm(tone(1000.0, 2.0))) for second in meter.feed(block))

    assert (dict(second.octaves_db), second.lzeq_db) == ({}, None)
    assert second.laeq_db == pytest.approx(-20.0, abs=0.01)


def test_after_a_gap_the_meter_settles_before_it_measures() -> None:
    meter = SoundLevelMeter()
    loud = pcm(tone(50.0, 1.95, -3.5))
    quiet = pcm(tone(1000.0, 2.0, -60.0))
    meter.feed(loud)
    meter.restart()
    (second,) = meter.feed(quiet)

    assert second.lafmax_db == pytest.approx(-60.0, abs=0.1)
