"""The spoken corpus on the disk: for each engine one file of sound and one of what was said, made step by step.

Utterance k of an engine is the same on every machine and in every run, whoever makes it and in whatever order; but for
Piper's, whose network draws the noise in its voice itself.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog

from voicemodel import texts, voices
from voicemodel.speak import CannotSay, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from voicemodel.phones import Phones
    from voicemodel.speak import Utterance

log = structlog.get_logger()

SHARES = {
    "readers-american": 1200,
    "readers-british": 1200,
    "strangers-british": 700,
    "kokoro": 700,
    "strangers-american": 500,
    "hibari": 4000,
    "strangers-hibari": 2500,
    "piper": 2000,
    "strangers-piper": 1000,
    "festival": 1200,
    "strangers-festival": 300,
    "strangers-espeak": 700,
    "espeak": 1500,
    "flite": 5000,
    "strangers-flite": 1500,
}
"""How many utterances each engine says, those that take longest first, so that all cores end together. Voices made from
recordings of people are nine in ten."""


@dataclass(frozen=True)
class Part:
    """What is said of all that the engines could say."""

    share: float = 1.0
    """Of `SHARES`."""
    first: int = 0
    """The number of each engine's first utterance: another one has other texts and speakers from there on."""

    def numbers(self, engine: str) -> range:
        """Of this engine's utterances."""
        return range(self.first, self.first + round(self.share * SHARES[engine]))


WHOLE = Part()


def spoken(engine: str, number: int) -> Utterance | None:
    """Utterance `number` of this engine; None if the engine cannot say it."""
    chance = random.Random(f"{engine}:{number}")
    written = texts.strange if engine.startswith(voices.SAY_ANYTHING) else texts.training
    text, voice = written(chance), voices.training(chance, engine)
    try:
        return say(text, voice, number)
    except CannotSay as cannot:
        log.warning("left_out", reason=str(cannot))
        return None


def make(folder: Path, engine: str, part: Part = WHOLE) -> None:
    """Let this engine say its utterances, going on where an earlier run stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    listing, sound = folder / f"{engine}.jsonl", folder / f"{engine}.raw"
    lines = listing.read_text().splitlines() if listing.exists() else []
    kept = [json.loads(line) for line in lines]
    stored = sum(entry["samples"] for entry in kept)
    with listing.open("a") as told, sound.open("ab") as stream:
        stream.truncate(stored * 2)
        for number in part.numbers(engine)[len(kept) :]:
            utterance = spoken(engine, number)
            pcm = np.rint(utterance.sound * 32767).astype("<i2") if utterance else np.zeros(0, "<i2")
            stream.write(pcm.tobytes())
            stream.flush()
            entry = {
                "text": utterance.text if utterance else "",
                "phones": [" ".join(word) for word in utterance.phones] if utterance else [],
                "samples": len(pcm),
            }
            told.write(json.dumps(entry) + "\n")
            told.flush()


@dataclass(frozen=True)
class Entry:
    """One utterance of the corpus."""

    text: str
    phones: tuple[Phones, ...]
    sound: NDArray[np.int16]
    engine: str


def read(folder: Path) -> Iterator[Entry]:
    """All utterances that were said so far."""
    for listing in sorted(folder.glob("*.jsonl")):
        pcm = np.memmap(listing.with_suffix(".raw"), "<i2", "r")
        at = 0
        for line in listing.read_text().splitlines():
            entry = json.loads(line)
            end = at + entry["samples"]
            if entry["samples"]:
                phones = tuple(tuple(word.split()) for word in entry["phones"])
                yield Entry(entry["text"], phones, pcm[at:end], listing.stem)
            at = end
