"""How a network in training does with what it never learns from: its objective on held-out voices, by their noise.

The same voices, and some of the texts, are those of `measure.py`: this is for watching, and for seeing whether what is
missing is learned at all. What to keep is decided by nothing here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import structlog
import torch

from voicemodel import RATE_HZ, chain, noises, texts, voices
from voicemodel.features import cosine_transform, log_mels
from voicemodel.lessons import batch, grouped
from voicemodel.scenes import Chapter
from voicemodel.speak import CannotSay, say
from voicemodel.workers import workers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from voicemodel.network import Network
    from voicemodel.speak import Utterance

log = structlog.get_logger()

CONDITIONS = {
    "clean": (None, ()),
    "10 dB": (10.0, noises.MEASURED),
    "5 dB": (5.0, noises.MEASURED),
    "10 dB over talk": (10.0, ("crowd",)),
    "5 dB over talk": (5.0, ("crowd",)),
}
PHRASES, SENTENCES = 10, 10
"""That each voice says, beside the held-out phrases."""
AROUND_S = (0.5, 0.6)


class Examination:
    """Held-out voices in each of `CONDITIONS`."""

    def __init__(self, chapters: dict[str, Chapter], said: Sequence[tuple[list[int], list[bool]]]) -> None:
        self._chapters = chapters
        self._said = said

    @classmethod
    def made(cls, folder: Path) -> Examination:
        """Make it, or read what of it is there."""
        folder.mkdir(parents=True, exist_ok=True)
        with workers() as pool:
            spoken = [one for each in pool.map(_spoken, voices.HELD_OUT) for one in each]
        chapters = {}
        for name, (snr_db, kinds) in CONDITIONS.items():
            path = folder / f"{name.replace(' ', '-')}.npz"
            if not path.exists():
                _scenes(spoken, snr_db, kinds).save(path)
            chapters[name] = Chapter.load(path)
        return cls(chapters, [chain.sequence(one.phones) for one in spoken])

    def objectives(self, network: Network, grammar: chain.Bigram) -> dict[str, float]:
        """LF-MMI a frame in each condition: the less the better; 0 would be certainty."""
        was = network.training
        network.eval()
        found = {name: self._objective(network, grammar, chapter) for name, chapter in self._chapters.items()}
        network.train(was)
        return found

    def _objective(self, network: Network, grammar: chain.Bigram, chapter: Chapter) -> float:
        starts = np.concatenate([[0], np.cumsum(chapter.frames)])
        total, frames = 0.0, 0
        for group in grouped(chapter, [int(scene) for scene in np.argsort(chapter.frames, kind="stable")]):
            mels = [chapter.mels[starts[scene] : starts[scene + 1]].astype(np.float32) for scene in group]
            texts = [self._said[int(chapter.entry[scene])] for scene in group]
            asked = batch([mel @ cosine_transform() for mel in mels], texts, network)
            with torch.no_grad():
                scores = network(asked.cepstra)[0][:, : int(asked.frames.max())]
            wanted, _ = chain.numerator(scores, asked.frames, asked.said, grammar)
            likely, _ = chain.denominator(scores, asked.frames, grammar)
            fits = wanted > chain.NEVER / 10
            total += float((likely - wanted)[fits].sum())
            frames += int(asked.frames[fits].sum())
        return total / frames


def _spoken(voice: voices.Voice) -> list[Utterance]:
    chance = random.Random(f"examined {voice}")
    lines = [
        *texts.phrases("trained")[:PHRASES],
        *texts.phrases("held out"),
        *(texts.sentence(chance) for _ in range(SENTENCES)),
    ]
    found = []
    for line in lines:
        try:
            found.append(say(line, voice))
        except CannotSay as cannot:
            log.warning("left_out", reason=str(cannot))
    return found


def _scenes(spoken: Sequence[Utterance], snr_db: float | None, kinds: tuple[str, ...]) -> Chapter:
    chance = np.random.default_rng(11)

    def somebody(chance: Generator) -> NDArray[np.float32]:
        return spoken[int(chance.integers(len(spoken)))].sound

    mels = []
    for one in spoken:
        before, after = (int(RATE_HZ * length_s) for length_s in AROUND_S)
        sound = np.concatenate([np.zeros(before, np.float32), one.sound, np.zeros(after, np.float32)])
        if snr_db is not None:
            street = noises.noise(chance, str(chance.choice(kinds)), len(sound), somebody)
            loud = np.sqrt(np.mean(one.sound**2, dtype=np.float64))
            sound = sound + street * np.float32(loud * 10 ** (-snr_db / 20))
        level = 10 ** (chance.uniform(-25, -3) / 20) / np.abs(sound).max()
        mels.append(log_mels(np.asarray(sound * level, np.float32)).astype(np.float16))
    return Chapter(
        np.concatenate(mels), np.array([len(mel) for mel in mels], np.int32), np.arange(len(mels), dtype=np.int32)
    )
