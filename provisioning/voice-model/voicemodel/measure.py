"""What a model hears, by real Vosk: held-out voices in noise, and recordings of people where there are some.

Counted is the text that Vosk itself gives, without the gate and the decision of `agent.voice`: this measures the model.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import vosk
from scipy.stats import chi2

from agent.voice.lexicon import ModelUnusable, require_files
from voicemodel import RATE_HZ, lexicon, noises, people, texts, voices
from voicemodel.speak import CannotSay, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from voicemodel.corpus import Entry

KEY = ("help me", "call the police", "help help", "i need help", "intruder", "leave me alone", "get off me")
"""The phrases that the first model was measured with; the last two are never said whole in training."""
SNRS_DB = (None, 20.0, 10.0, 5.0)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    heard: int
    said: int

    def __str__(self) -> str:
        return f"{self.heard}/{self.said} = {100 * self.heard / max(1, self.said):.1f} %"


def per_hour(events: int, hours: float) -> str:
    """A rate with its exact 95 % interval for rare events (Poisson)."""
    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = chi2.ppf(0.975, 2 * events + 2) / 2
    return f"{events} in {hours:.2f} h = {events / hours:.2f} an hour ({low / hours:.2f} to {high / hours:.2f})"


@cache
def _model(folder: str) -> vosk.Model:
    vosk.SetLogLevel(-1)
    return vosk.Model(folder)


def heard(folder: str, phrases: Sequence[str], pcm: NDArray[np.int16]) -> list[str]:
    """Which of these phrases Vosk hears, listening for them and [unk]."""
    recogniser = vosk.KaldiRecognizer(_model(folder), RATE_HZ, json.dumps([*phrases, "[unk]"]))
    blocks = (pcm[start : start + RATE_HZ // 2].tobytes() for start in range(0, len(pcm), RATE_HZ // 2))
    said = [json.loads(recogniser.Result())["text"] for block in blocks if recogniser.AcceptWaveform(block)]
    said.append(json.loads(recogniser.FinalResult())["text"])
    return [phrase for phrase in phrases if any(texts.holds(text, phrase) for text in said)]


def in_noise(sound: NDArray[np.float32], snr_db: float | None, seed: int) -> NDArray[np.int16]:
    """An utterance with quiet around it, at some level, in some noise of a street."""
    chance = np.random.default_rng(seed)
    padded = np.concatenate([np.zeros(RATE_HZ // 2), sound, np.zeros(RATE_HZ * 6 // 10)]).astype(np.float32)
    if snr_db is not None:
        street = noises.noise(chance, str(chance.choice(noises.MEASURED)), len(padded))
        padded = padded + street * np.float32(np.sqrt(np.mean(sound**2)) * 10 ** (-snr_db / 20))
    level = 10 ** (chance.uniform(-25, -3) / 20) / np.abs(padded).max()
    return np.asarray(np.rint(padded * level * 32767), np.int16)


def _voice(job: tuple[str, voices.Voice]) -> list[tuple[voices.Voice, float | None, bool, bool]]:
    """All phrases by one voice: (who, SNR, heard, another heard)."""
    folder, voice = job
    found = []
    for number, phrase in enumerate(dict.fromkeys((*KEY, *texts.phrases("held out")))):
        try:
            sound = say(phrase, voice).sound
        except CannotSay:
            continue
        listened = KEY if phrase in KEY else (phrase,)
        for snr_db in SNRS_DB:
            hits = heard(folder, listened, in_noise(sound, snr_db, number))
            found.append((voice, snr_db, phrase in hits, bool(set(hits) - {phrase})))
    return found


HELD_OUT = {
    "voices made from recordings of people": voices.HELD_OUT_RECORDED,
    "readers (two British, two American)": voices.HELD_OUT_READERS,
    "formant voices (espeak-ng)": voices.HELD_OUT_FORMANT,
}


def held_out_voices(folder: str) -> None:
    """Print what is heard of the voices that training never heard."""
    with ProcessPoolExecutor() as pool:
        jobs = [(folder, voice) for group in HELD_OUT.values() for voice in group]
        found = [row for rows in pool.map(_voice, jobs) for row in rows]
    for kind, group in HELD_OUT.items():
        for snr_db in SNRS_DB:
            hits = [hit for voice, snr, hit, _ in found if voice in group and snr == snr_db]
            where = "clean" if snr_db is None else f"{snr_db:.0f} dB SNR"
            print(f"held-out {kind}, {where}: {Share(sum(hits), len(hits))}")  # noqa: T201


def _clip(job: tuple[str, str, NDArray[np.int16]]) -> tuple[str, bool, list[str], float]:
    folder, phrase, pcm = job
    return phrase, bool(heard(folder, [phrase], pcm)), heard(folder, KEY, pcm), len(pcm) / RATE_HZ / 3600


def recorded_people(folder: str, clips: Sequence[Entry]) -> None:
    """Print what is heard of people: the phrase of each clip listened for alone, and `KEY`, which nobody says."""
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(_clip, [(folder, clip.text, np.array(clip.sound)) for clip in clips], chunksize=16))
    hits: dict[str, list[bool]] = defaultdict(list)
    for phrase, hit, _, _ in found:
        hits[phrase].append(hit)
    for phrase, each in hits.items():
        print(f'people, "{phrase}": {Share(sum(each), len(each))}')  # noqa: T201
    false = Counter(phrase for _, _, others, _ in found for phrase in others)
    hours = sum(length_h for _, _, _, length_h in found)
    print(f"people who say none of the {len(KEY)} phrases: {per_hour(false.total(), hours)} {dict(false)}")  # noqa: T201


def main() -> None:
    """Measure a model."""
    parser = argparse.ArgumentParser(prog="provisioning/voice-model/build --measure", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--recordings", type=Path, help="people's recordings: a folder for each phrase")
    asked = parser.parse_args()
    try:
        require_files(asked.model)
    except ModelUnusable as unusable:
        parser.error(str(unusable))
    clips = []
    if asked.recordings:
        if not asked.recordings.is_dir():
            parser.error(f"--recordings: there is no folder {asked.recordings}")
        clips = people.recordings(asked.recordings, lexicon.read())
        if not clips:
            parser.error(f"--recordings: {asked.recordings} holds no recording of words that the lexicon has")
    held_out_voices(str(asked.model))
    if clips:
        recorded_people(str(asked.model), clips)


if __name__ == "__main__":
    main()
