"""Time weighting Fast, by IEC 61672-1's own tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.fast import STEP_SAMPLES, STEPS, TIME_CONSTANT_S, Fast
from agent.meter.weighting import CHUNK_SAMPLES
from tests.meter.sounds import pcm, read, silence, tone

TABLE_4_DB = {
    1000: 0.0, 500: -0.1, 200: -1.0, 100: -2.6, 50: -4.8, 20: -8.3, 10: -11.1, 5: -14.1, 2: -18.0, 1: -21.0,
}  # fmt: skip
"""IEC 61672-1:2013 table 4: how much less than the steady tone a 4 kHz burst of so many ms reads, with Fast."""


@pytest.mark.parametrize(("burst_ms", "table_db"), TABLE_4_DB.items())
def test_a_toneburst_reads_as_the_standard_says(burst_ms: int, table_db: float) -> None:
    steady_db = read(pcm(tone(4000.0, 2.0, -6.0)))[0].lafmax_db
    seconds = read(pcm(silence(2.137), tone(4000.0, burst_ms / 1000, -6.0), silence(2.5)))

    assert max(second.lafmax_db for second in seconds) - steady_db == pytest.approx(table_db, abs=0.15)


def test_the_level_falls_by_34_7_db_a_second_when_the_sound_ends() -> None:
    seconds = read(pcm(tone(1000.0, 2.0, -6.0), silence(2.0)))
    falling = [level_db for second in seconds[1:] for level_db in second.laf_db][1:]
    falls_db_per_s = -10 * np.diff(falling)

    assert falls_db_per_s == pytest.approx([10 * math.log10(math.e) / TIME_CONSTANT_S] * len(falls_db_per_s), abs=0.1)
    assert falls_db_per_s[0] == pytest.approx(34.7, abs=0.1)
    assert len(falls_db_per_s) > 10


def test_fast_is_the_recursion_over_every_sample() -> None:
    squares = np.square(np.random.default_rng(1).normal(size=(5, CHUNK_SAMPLES)).astype(np.float32))
    kept = math.exp(-1 / (TIME_CONSTANT_S * WIDE_RATE_HZ))
    mean, expected = 0.0, []
    for count, square in enumerate(squares.ravel().tolist(), 1):
        mean = kept * mean + (1 - kept) * square
        if count % STEP_SAMPLES == 0:
            expected.append(mean)
    fast = Fast()

    assert np.concatenate([fast.feed(chunk) for chunk in squares]) == pytest.approx(expected, rel=1e-5)
    assert len(expected) == 5 * STEPS
