"""The sound of a street with people who call for help in it: seeded, and with no clock of its own.

Pulling a block is what advances its time, so that the simulated microphone paces it and a test runs through minutes of
it in a second. The noise is synthetic: it has the spectrum, the passing cars and the murmur of a street, not its truth.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

LOOP_SAMPLES = 2**20
"""65.5 s of noise, repeated; a power of two keeps the Fourier transform quick, and makes the loop seamless."""
CARS = 7
"""Cars in a loop: one each nine seconds, an evening in a small town."""
ACTIVE_SHARE = 0.1
"""Samples with less than this share of the utterance's highest short-time power are its pauses, not its level."""


SPEAKER_TO_MICROPHONE_DB = -7.0
"""What becomes of the level of the unit's own recordings on the way to its microphone: its lines (-18 dBFS) come
out 15 dB over an evening's street, as those of a small horn a hand's breadth away."""


@dataclass
class _Utterance:
    samples: Samples
    next_sample: int = 0


class StreetSound:
    """Street noise without end, and the words spoken into it."""

    def __init__(self, seed: int = 1, level_dbfs: float = -40.0) -> None:
        noise = _street_noise(np.random.default_rng(seed))
        self._noise: Samples = noise * np.float32(_amplitude(level_dbfs) / _rms(noise))
        self._level_dbfs = level_dbfs
        self._at = 0
        self._spoken: list[_Utterance] = []
        self._echo: _Utterance | None = None

    def play(self, wav_path: Path, snr_db: float = 20.0) -> float:
        """Speak this 16 kHz mono 16-bit WAV from the next block on, so loud over the street's mean level.

        Returns:
            Seconds from the start of the next block to the last sample of speech.
        """
        speech = _read(wav_path)
        loudness = _amplitude(self._level_dbfs + snr_db) / active_rms(speech)
        self._spoken.append(_Utterance(speech * np.float32(loudness)))
        return last_sound(speech) / SAMPLE_RATE_HZ

    def echo(self, wav_path: Path) -> None:
        """The unit's own speaker plays this WAV from the next block on, in the place of what it still plays."""
        self._echo = _Utterance(_read(wav_path) * np.float32(_amplitude(SPEAKER_TO_MICROPHONE_DB)))

    def next_block(self) -> bytes:
        """The next `BLOCK_SAMPLES` samples, 16-bit little-endian."""
        where = np.arange(self._at, self._at + BLOCK_SAMPLES) % LOOP_SAMPLES
        block = self._noise[where]
        for utterance in (*self._spoken, *([self._echo] if self._echo else [])):
            part = utterance.samples[utterance.next_sample : utterance.next_sample + BLOCK_SAMPLES]
            block[: part.size] += part
            utterance.next_sample += part.size
        self._spoken = [left for left in self._spoken if left.next_sample < left.samples.size]
        self._at += BLOCK_SAMPLES
        return (np.clip(block, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def _street_noise(rng: np.random.Generator) -> Samples:
    """One loop of noise: the rumble of traffic, passing cars, a murmur of people, the hiss of the rest."""
    rumble = _shaped(rng, low_hz=30, high_hz=500, slope_db_per_octave=-6)
    hiss = _shaped(rng, low_hz=200, high_hz=7000, slope_db_per_octave=-3)
    cars = _shaped(rng, low_hz=80, high_hz=3000, slope_db_per_octave=-4) * _passages(rng)
    murmur = _shaped(rng, low_hz=250, high_hz=2500, slope_db_per_octave=-4) * _syllables(rng)
    street: Samples = rumble + 0.3 * hiss + 0.8 * cars + 0.4 * murmur
    return street


def _shaped(rng: np.random.Generator, low_hz: float, high_hz: float, slope_db_per_octave: float) -> Samples:
    """Noise of unit level in a band, falling by a slope; its end meets its beginning."""
    frequency_hz = np.fft.rfftfreq(LOOP_SAMPLES, 1 / SAMPLE_RATE_HZ)
    weight = np.zeros_like(frequency_hz)
    band = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    weight[band] = (frequency_hz[band] / low_hz) ** (slope_db_per_octave / 20 / np.log10(2))
    phase = rng.uniform(0, 2 * np.pi, frequency_hz.size)
    noise = np.fft.irfft(weight * np.exp(1j * phase), LOOP_SAMPLES).astype(np.float32)
    return noise / np.float32(_rms(noise))


def _passages(rng: np.random.Generator) -> Samples:
    """The loudness of cars that come and go, each within some three to eight seconds."""
    time_s = np.arange(LOOP_SAMPLES, dtype=np.float32) / SAMPLE_RATE_HZ
    length_s = LOOP_SAMPLES / SAMPLE_RATE_HZ
    loudness = np.zeros(LOOP_SAMPLES, dtype=np.float32)
    for passed_s in rng.uniform(0, length_s, CARS):
        away_s = np.abs(time_s - np.float32(passed_s))
        away_s = np.minimum(away_s, length_s - away_s)
        loudness += np.float32(rng.uniform(0.5, 1.5)) * np.exp(-np.square(away_s / np.float32(rng.uniform(1, 2.5))))
    return loudness


def _syllables(rng: np.random.Generator) -> Samples:
    """The rise and fall of several people's talk: about four syllables a second."""
    swing = _shaped(rng, low_hz=2, high_hz=6, slope_db_per_octave=0)
    return np.clip(1 + swing, 0, None).astype(np.float32)


def _read(wav_path: Path) -> Samples:
    with wave.open(str(wav_path), "rb") as wav:
        if (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) != (SAMPLE_RATE_HZ, 1, 2):
            msg = f"{wav_path} is not a 16 kHz mono 16-bit WAV"
            raise ValueError(msg)
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(np.float32) / np.float32(32768)


def _short_time_power(speech: Samples) -> Samples:
    """The mean power around each sample, over 20 ms."""
    window = SAMPLE_RATE_HZ // 50
    return np.convolve(np.square(speech), np.ones(window, dtype=np.float32) / window, mode="same").astype(np.float32)


def active_rms(speech: Samples) -> float:
    """The level of an utterance without its pauses."""
    power = _short_time_power(speech)
    return _rms(speech[power > ACTIVE_SHARE * np.max(power)])


def last_sound(speech: Samples) -> int:
    """One past the last sample of an utterance that is more than its own trailing silence (-30 dB)."""
    power = _short_time_power(speech)
    return int(np.flatnonzero(power > np.max(power) / 1000)[-1]) + 1


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _amplitude(level_dbfs: float) -> float:
    return float(10 ** (level_dbfs / 20))
