from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.meter.minute import energy_mean_db
from agent.meter.octaves import BANDS, HALF_BAND
from tests.meter.sounds import noise, pcm, read, tone

if TYPE_CHECKING:
    from agent.meter.meter import Second

NAMES = list(BANDS)


def sum_db(second: Second) -> float:
    return energy_mean_db(second.octaves_db.values()) + 10 * float(np.log10(len(BANDS)))


@pytest.mark.parametrize("band", NAMES)
def test_a_tone_in_the_middle_of_a_band_is_in_that_band_alone(band: str) -> None:
    second = read(pcm(tone(BANDS[band], 2.0)))[0]

    assert second.octaves_db[band] == pytest.approx(-20.0, abs=0.05)
    assert second.lzeq_db == pytest.approx(-20.0, abs=0.05)
    far_db = {other: -20.0 - second.octaves_db[other] for other in NAMES if other != band}
    near = {NAMES[NAMES.index(band) + step] for step in (-1, 1) if 0 <= NAMES.index(band) + step < len(NAMES)}
    # IEC 61260-1:2014 table 1, class 1: at least 16.6 dB an octave away, 40.5 dB two octaves away.
    assert all(attenuation_db >= (16.6 if other in near else 40.5) for other, attenuation_db in far_db.items())


def test_wind_below_the_lowest_band_is_not_in_it() -> None:
    second = read(pcm(tone(BANDS["63"] / 8, 2.0, -10.0)))[0]

    assert second.octaves_db["63"] < -10.0 - 60.0  # class 1, three octaves away


@pytest.mark.parametrize("pink", [False, True])
def test_the_bands_add_up_to_the_sound(*, pink: bool) -> None:
    low_hz, high_hz = BANDS["63"] / HALF_BAND, BANDS["8000"] * HALF_BAND
    seconds = read(pcm(noise(4.0, low_hz + 10, high_hz - 10, pink=pink)))

    assert [sum_db(second) for second in seconds] == pytest.approx([second.lzeq_db for second in seconds], abs=0.05)
    assert energy_mean_db(second.lzeq_db or 0.0 for second in seconds) == pytest.approx(-20.0, abs=0.2)


def test_pink_noise_is_alike_in_every_octave() -> None:
    seconds = read(pcm(noise(21.0, 20.0, 20_000.0, pink=True)))
    means_db = [energy_mean_db(second.octaves_db[band] for second in seconds) for band in NAMES]

    assert means_db == pytest.approx([float(np.mean(means_db))] * len(NAMES), abs=0.4)
