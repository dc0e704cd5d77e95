"""Recordings of people, where the builder is given some: their microphones and rooms are borrowed, their words are not.

Nothing is learned from what is said in them, so that they stay a test of phrases that training never heard from people.

`--recordings DIR` holds a folder for each phrase, with short FLAC or WAV files of it; the folder's name is the phrase,
or stands for it in `SAID`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from scipy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from voicemodel import RATE_HZ, lexicon
from voicemodel.corpus import Entry
from voicemodel.speak import resampled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

SAID = {"snowboy": "snow boy"}
"""What is said in a folder whose name is written otherwise."""
_FRAME, _STEP = 512, 256
_BINS = _FRAME // 2 + 1


TESTED_ONE_IN = 3
"""Of each folder's recordings, from the first on: those that `./dev voice-bench` plays as calls. Training hears nothing
of them; the shipped model's borrowed the rooms and microphones of all."""


def recordings(folder: Path, said: lexicon.Lexicon, *, tested: bool = True) -> list[Entry]:
    """The recordings of phrases that the lexicon has the words of; without those that the bench tests with, or all."""
    paths = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        here = sorted(path for path in place.iterdir() if path.suffix in {".flac", ".wav"})
        paths += [path for number, path in enumerate(here) if tested or number % TESTED_ONE_IN]
    found = []
    for path in paths:
        words = SAID.get(path.parent.name, path.parent.name.replace("_", " ")).split()
        if any(word not in said for word in words):
            continue
        sound, rate_hz = soundfile.read(path, dtype="float32")
        sound = resampled(sound.mean(axis=1) if sound.ndim > 1 else sound, rate_hz)
        pcm = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2")
        found.append(Entry(" ".join(words), lexicon.usual(said, words), pcm, "people"))
    return found


@dataclass(frozen=True)
class Place:
    """What one recording tells of its speaker, microphone and room, whatever was said."""

    speech_db: NDArray[np.float64]
    """The mean spectrum of its loud frames, smoothed so far that no single sound shows."""
    quiet: NDArray[np.float64]
    """The amplitude spectrum of its quiet frames."""
    snr_db: float


def _frames(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    count = 1 + (len(sound) - _FRAME) // _STEP
    cut = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[: count * _STEP : _STEP]
    return np.asarray(np.abs(rfft(cut * np.hanning(_FRAME), axis=1)) ** 2 + 1e-12, np.float64)


def _speech_db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    level = power.sum(axis=1)
    loud = power[level >= np.quantile(level, 0.6)].mean(axis=0)
    return np.asarray(uniform_filter1d(10 * np.log10(loud), 25, mode="nearest"))


def places(entries: Iterable[Entry]) -> list[Place]:
    """The places of these recordings; those without a pause say nothing of their noise and are left out."""
    found = []
    for entry in entries:
        sound = entry.sound.astype(np.float32) / np.float32(32768)
        if len(sound) < RATE_HZ // 2:
            continue
        power = _frames(sound)
        level = power.sum(axis=1)
        quiet = power[level <= np.quantile(level, 0.15)].mean(axis=0)
        snr_db = 10 * np.log10(np.quantile(level, 0.9) / quiet.sum())
        found.append(Place(_speech_db(power), np.sqrt(quiet), float(snr_db)))
    return found


def moved(sound: NDArray[np.float32], place: Place) -> NDArray[np.float32]:
    """This synthetic utterance with the mean spectrum of what was said there."""
    if len(sound) < 2 * _FRAME:
        return sound
    gains_db = np.clip(place.speech_db - _speech_db(_frames(sound)), -30, 30)
    gains_db -= gains_db[3:100].mean()
    spectrum = rfft(sound)
    gain = 10 ** (np.interp(_bins(len(spectrum)), np.arange(_BINS), gains_db) / 20)
    return np.asarray(irfft(spectrum * gain, len(sound)), np.float32)


def quiet(chance: Generator, place: Place, samples: int) -> NDArray[np.float32]:
    """So much of the noise of that place, `snr_db` below an utterance with an RMS of 1."""
    spectrum = np.interp(_bins(samples // 2 + 1), np.arange(_BINS), place.quiet)
    phase = chance.uniform(0, 2 * np.pi, len(spectrum))
    noise = irfft(spectrum * np.exp(1j * phase), samples)
    return np.asarray(noise / (noise.std() + 1e-12) * 10 ** (-place.snr_db / 20), np.float32)


def _bins(count: int) -> NDArray[np.float64]:
    """Where each of so many bins of a long spectrum lies among `_BINS`."""
    return np.linspace(0, _BINS - 1, count)
