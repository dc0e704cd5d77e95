"""The A curve, by analytic tones through the meter itself."""

from __future__ import annotations

import numpy as np
import pytest

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.weighting import CHUNK_SAMPLES, FRAME_SAMPLES, a_weighted, a_weighting_db
from tests.meter.sounds import pcm, read, tone

IEC_61672_A_DB = {
    63: -26.2, 80: -22.5, 100: -19.1, 125: -16.1, 160: -13.4, 200: -10.9, 250: -8.6, 315: -6.6, 400: -4.8, 500: -3.2,
    630: -1.9, 800: -0.8, 1000: 0.0, 1250: 0.6, 1600: 1.0, 2000: 1.2, 2500: 1.3, 3150: 1.2, 4000: 1.0, 5000: 0.5,
    6300: -0.1, 8000: -1.1,
}  # fmt: skip
"""IEC 61672-1:2013 table 3, by nominal third-octave frequency."""
BEYOND_A_DB = {
    20: -50.5,
    25: -44.7,
    31.5: -39.4,
    40: -34.6,
    50: -30.2,
    10000: -2.5,
    12500: -4.3,
    16000: -6.6,
    20000: -9.3,
}
"""The rest of what the standard gives from 20 Hz on, which the issue does not ask for."""
ROUNDED_DB = 0.05
"""The table's own."""


def exact_hz(nominal_hz: float) -> float:
    """The third-octave frequency that is meant: a power of 10^0.1."""
    return float(10 ** (round(10 * np.log10(nominal_hz)) / 10))


@pytest.mark.parametrize(("nominal_hz", "a_db"), (IEC_61672_A_DB | BEYOND_A_DB).items())
def test_a_tone_reads_as_the_standard_weights_it(nominal_hz: float, a_db: float) -> None:
    seconds = read(pcm(tone(exact_hz(nominal_hz), 3.05, dbfs=-10.0)))

    assert len(seconds) == 2, "the first is for settling"
    assert [second.laeq_db for second in seconds] == pytest.approx([-10.0 + a_db] * 2, abs=ROUNDED_DB + 0.02)


@pytest.mark.parametrize(("nominal_hz", "a_db"), IEC_61672_A_DB.items())
def test_the_curve_is_the_standards(nominal_hz: float, a_db: float) -> None:
    assert a_weighting_db(np.array([exact_hz(nominal_hz)]))[0] == pytest.approx(a_db, abs=ROUNDED_DB + 0.001)


def test_a_steady_tone_has_the_same_level_with_fast_as_with_the_mean() -> None:
    seconds = read(pcm(tone(1000.0, 4.0)))

    assert {round(second.lafmax_db, 2) for second in seconds} == {round(seconds[0].laeq_db, 2)} == {-20.0}


@pytest.mark.parametrize("dbfs", [-70.0, -50.0, -30.0, -10.0, -4.0])
def test_levels_are_linear_over_the_converters_range(dbfs: float) -> None:
    assert read(pcm(tone(1000.0, 2.0, dbfs)))[0].laeq_db == pytest.approx(dbfs, abs=0.05)


def test_the_filter_is_causal_and_dies_away_within_a_chunk() -> None:
    click = np.zeros(FRAME_SAMPLES + CHUNK_SAMPLES, dtype=np.float32)
    at = FRAME_SAMPLES - CHUNK_SAMPLES // 2
    click[at] = 1.0
    answer = np.concatenate([a_weighted(click[:FRAME_SAMPLES]), a_weighted(click[CHUNK_SAMPLES:])])
    at -= CHUNK_SAMPLES

    assert np.max(np.abs(answer[:at])) < 1e-6
    assert np.max(np.abs(answer[at : at + WIDE_RATE_HZ // 1000])) > 0.5
    assert np.max(np.abs(answer[at + CHUNK_SAMPLES - 10 :])) < 1e-6
