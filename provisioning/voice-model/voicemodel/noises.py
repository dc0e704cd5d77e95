"""What a street adds to speech: wind and traffic, engines, hum, bangs, music-like notes, and other people talking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from voicemodel import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Speech = Callable[[Generator], NDArray[np.float32]]
    """Gives some utterance, for babble."""

MEASURED = ("white", "pink", "traffic", "hum", "gusts", "bangs", "notes", "engine")
"""What a model is measured in; the same since the first one, so that their figures compare."""
KINDS = (*MEASURED, "cars", "murmur", "babble")
OFTEN = ("traffic", "cars", "murmur", "babble")
"""What a street is made of; of these training has twice as much."""
TALK = ("babble", "crowd")
DISTANT_TALKERS = 6
"""So many at once are a sound of the street and no speech: nobody understands one of them."""


def noise(chance: Generator, kind: str, samples: int, speech: Speech | None = None) -> NDArray[np.float32]:
    """Noise of one of `KINDS`, or "crowd", with an RMS of 1; "babble" and "crowd" need `speech`."""
    match kind:
        case "white":
            sound = coloured(chance, samples, 0)
        case "pink":
            sound = coloured(chance, samples, 1)
        case "traffic":
            sound = coloured(chance, samples, chance.uniform(1.4, 2.2))
        case "hum":
            sound = _harmonics(chance, samples, chance.choice([50.0, 100.0]) * chance.uniform(0.99, 1.01), 12, 0.7)
            sound += 0.2 * coloured(chance, samples, 1)
        case "gusts":
            slow = np.interp(np.arange(samples), np.linspace(0, samples, 8), 0.3 + chance.random(8))
            sound = coloured(chance, samples, chance.uniform(1.2, 2.2)) * slow
        case "engine":
            sound = coloured(chance, samples, 1.5) + 0.4 * _harmonics(chance, samples, chance.uniform(20, 90), 20, 0.5)
        case "bangs" | "notes" | "cars" | "murmur":
            sound = {"bangs": _bangs, "notes": _notes, "cars": _cars, "murmur": _murmur}[kind](chance, samples)
        case _:
            if speech is None:
                msg = f"{kind} needs speech to be made of"
                raise ValueError(msg)
            if kind == "crowd":
                sound = crowd(chance, samples, speech, talkers=int(chance.integers(2, 8)))
            else:
                sound = babble(chance, samples, speech, talkers=int(chance.integers(2, 7)))
    return np.asarray(sound / (sound.std() + 1e-9), np.float32)


def coloured(chance: Generator, samples: int, slope: float) -> NDArray[np.float64]:
    """Noise whose power falls with frequency to the power of `slope`: 0 white, 1 pink, 2 brown; RMS 1."""
    length = next_fast_len(max(samples, 16), real=True)
    bins = length // 2 + 1
    spectrum = chance.standard_normal(bins) + 1j * chance.standard_normal(bins)
    sound = irfft(spectrum * (np.arange(bins) * (RATE_HZ / length) / 2 + 3.0) ** (-slope / 2), length)[:samples]
    return np.asarray(sound / (sound.std() + 1e-9))


def babble(chance: Generator, samples: int, speech: Speech, talkers: int) -> NDArray[np.float64]:
    """Several people who talk at once, none of them close."""
    sound = np.zeros(samples)
    for _ in range(talkers):
        voice = speech(chance)
        gap = np.zeros(int(chance.integers(0, RATE_HZ)), np.float32)
        line = np.resize(np.concatenate([voice, gap]), samples)
        sound += np.roll(line, int(chance.integers(samples))) / (voice.std() + 1e-6) * chance.uniform(0.4, 1.0)
    return sound


def crowd(chance: Generator, samples: int, speech: Speech, talkers: int) -> NDArray[np.float64]:
    """Several people near by who go on talking, each saying one thing after the other, within 8 dB of each other."""
    sound = np.zeros(samples)
    for _ in range(talkers):
        loudness, at = 10 ** (chance.uniform(-8, 0) / 20), -int(chance.integers(RATE_HZ))
        while at < samples:
            voice = speech(chance)
            level = loudness / (voice.std() + 1e-6)
            heard = voice[max(0, -at) : samples - at]
            sound[max(0, at) : max(0, at) + len(heard)] += heard * level
            at += len(voice) + int(RATE_HZ * chance.uniform(0.1, 1.0))
    return sound


def _cars(chance: Generator, samples: int) -> NDArray[np.float64]:
    """Cars that pass, one every few seconds, over distant traffic."""
    sound = chance.uniform(0.05, 0.4) * coloured(chance, samples, 1.8)
    time_s = np.arange(samples) / RATE_HZ
    for _ in range(1 + int(samples / RATE_HZ / chance.uniform(2, 6))):
        there_s, near_s = chance.uniform(0, samples / RATE_HZ), chance.uniform(0.2, 1.5)
        tyres = coloured(chance, samples, chance.uniform(0.7, 1.8))
        sound += chance.uniform(0.4, 1.5) * tyres / (1 + ((time_s - there_s) / near_s) ** 2)
    return sound


def _murmur(chance: Generator, samples: int) -> NDArray[np.float64]:
    """Talk too far away to have sounds: bands of noise in the rhythm of syllables."""
    sound = 0.1 * coloured(chance, samples, 1.5)
    for _ in range(int(chance.integers(1, 4))):
        points = max(4, int(samples / RATE_HZ * chance.uniform(5, 14)))
        rhythm = np.interp(np.arange(samples), np.linspace(0, samples, points), chance.random(points) ** 2)
        spectrum = rfft(coloured(chance, samples, 1))
        at_hz = np.arange(len(spectrum)) * (RATE_HZ / samples)
        low_hz, high_hz = chance.uniform(150, 400), chance.uniform(1200, 3500)
        band = 1 / (1 + (low_hz / (at_hz + 1)) ** 4) / (1 + (at_hz / high_hz) ** 4)
        sound += chance.uniform(0.4, 1.0) * irfft(spectrum * band, samples) * rhythm
    return sound


def _harmonics(chance: Generator, samples: int, base_hz: float, count: int, fall: float) -> NDArray[np.float64]:
    time_s = np.arange(samples) / RATE_HZ
    sound = np.zeros(samples)
    for number in range(1, count):
        phase = chance.uniform(0, 2 * np.pi)
        sound += chance.uniform(0.2, 1.0) / number**fall * np.sin(2 * np.pi * base_hz * number * time_s + phase)
    return sound


def _bangs(chance: Generator, samples: int) -> NDArray[np.float64]:
    """Doors, bottles, heels: short bursts over a quiet street."""
    sound = 0.05 * coloured(chance, samples, 1)
    for _ in range(int(chance.integers(2, 4 + samples // 8000))):
        start = int(chance.integers(0, max(1, samples - 16)))
        length = min(samples - start, int(chance.integers(200, 6000)))
        fall = np.exp(-np.arange(length) / (length / chance.uniform(3, 8)))
        sound[start : start + length] += coloured(chance, length, chance.uniform(0, 1.5))[:length] * fall
    return sound


def _notes(chance: Generator, samples: int) -> NDArray[np.float64]:
    """Music-like: notes, glides and alarms one after the other, two voices."""
    sound = 0.03 * coloured(chance, samples, 1)
    for _ in range(2):
        at = 0
        while at < samples:
            length = min(int(chance.integers(1600, 10000)), samples - at)
            time_s = np.arange(length) / RATE_HZ
            pitch_hz, glide = chance.uniform(110, 2200), chance.uniform(-0.3, 0.3)
            fall = chance.uniform(0.8, 2)
            note = sum(
                np.sin(2 * np.pi * pitch_hz * number * (time_s + glide * time_s**2)) / number**fall
                for number in range(1, int(chance.integers(2, 6)))
            )
            ramp = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / 200)
            sound[at : at + length] += chance.uniform(0.2, 1) * note * ramp
            at += length
    return sound
