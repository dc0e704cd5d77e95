"""The recogniser's sound, made from the meter's."""

from __future__ import annotations

import numpy as np
import pytest

from agent.hw.decimator import Decimator
from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.gate import level_dbfs
from fakes.widener import Widener
from tests.meter.sounds import cut, noise, pcm, tone

SETTLED = 2 * SAMPLE_RATE_HZ // 100
"""The filter's own start."""


def level_at_16_khz(frequency_hz: float, dbfs: float = -4.0) -> float:
    return level_dbfs(Decimator().feed(pcm(tone(frequency_hz, 0.5, dbfs)))[SETTLED:])


@pytest.mark.parametrize("frequency_hz", [50, 100, 300, 1000, 3000, 5000, 6500, 7000, 7200])
def test_what_16_khz_can_hold_passes_as_it_is(frequency_hz: float) -> None:
    assert level_at_16_khz(frequency_hz) == pytest.approx(-4.0, abs=0.02)


@pytest.mark.parametrize(
    "frequency_hz", [8000, 8100, 8500, 9000, 10_000, 12_000, 15_000, 15_990, 17_000, 20_000, 23_900]
)
def test_what_it_cannot_hold_leaves_no_mirror_image(frequency_hz: float) -> None:
    assert level_at_16_khz(frequency_hz) < -4.0 - 60.0


@pytest.mark.parametrize("size", [2, 6, 998, 9600])
def test_where_blocks_end_makes_no_difference(size: int) -> None:
    sound = pcm(noise(0.3, 20.0, 20_000.0))
    decimator = Decimator()

    assert b"".join(decimator.feed(block) for block in cut(sound, size)) == Decimator().feed(sound)


def test_each_block_gives_a_third_of_its_samples_at_once() -> None:
    decimator = Decimator()
    sound = pcm(noise(0.5, 20.0, 20_000.0))

    assert [len(decimator.feed(block)) for block in cut(sound, 9600)] == [3200] * 5
    assert decimator.feed(b"") == b""


def test_full_scale_sound_is_clipped_and_never_wraps() -> None:
    square = np.sign(tone(400.0, 0.2))
    heard = np.frombuffer(Decimator().feed(pcm(square))[SETTLED:], dtype="<i2").astype(np.int32)

    assert heard.max() == 32767
    assert heard.min() == -32768
    assert np.sort(np.abs(np.diff(heard)))[-1] < 65_000, "a wrapped sample jumps by the whole scale"


def test_the_streets_sound_comes_back_through_48_khz_as_it_was() -> None:
    street = np.random.default_rng(2).normal(0, 0.1, SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(street)
    spectrum[np.fft.rfftfreq(SAMPLE_RATE_HZ, 1 / SAMPLE_RATE_HZ) > 7000] = 0
    sound = pcm(np.fft.irfft(spectrum))
    widener, decimator = Widener(), Decimator()
    back = b"".join(decimator.feed(widener.feed(block)) for block in cut(sound, 3200))
    delay = 128  # of both filters, 384 samples at 48 kHz
    sent, heard = (np.frombuffer(each, dtype="<i2").astype(np.float64) for each in (sound, back))
    error = heard[delay:] - sent[:-delay]

    assert heard.size == sent.size
    assert 20 * np.log10(np.std(error[delay:]) / np.std(sent)) < -55
