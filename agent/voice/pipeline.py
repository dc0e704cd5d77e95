"""Gate, recogniser and decision in a row: the same for a microphone, a file and the simulated street."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.voice.decision import Decider, Phrase
from agent.voice.gate import Gate
from agent.voice.lexicon import nearest_words, unknown_words, vocabulary
from agent.voice.recogniser import VoskRecogniser, grammar, load_model

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.config.hearing import VoiceSettings
    from agent.hw.kit import PcmBlock
    from agent.voice.decision import Detection, Rejection, Word
    from agent.voice.recogniser import Recogniser


class WordUnknown(Exception):
    """A phrase holds a word that the model cannot hear: choose another word, or another model."""


class Pipeline:
    """Blocks of sound in, detections out, on whatever clock the blocks carry."""

    def __init__(self, recogniser: Recogniser, decider: Decider) -> None:
        self._recogniser = recogniser
        self._decider = decider
        self._gate = Gate()

    @property
    def recognised_s(self) -> float:
        """Seconds of sound that passed the gate."""
        return self._recogniser.heard_s

    @property
    def recogniser_age_s(self) -> float:
        """Seconds of sound that the present recogniser was given."""
        return self._recogniser.age_s

    @property
    def rejected(self) -> Counter[Rejection]:
        """Phrases that were heard but did not count, by reason."""
        return self._decider.rejected

    def hear(self, block: PcmBlock) -> list[Detection]:
        """Hear the next block; returns the phrases decided with it."""
        passed = self._gate.feed(block.pcm[: len(block.pcm) // 2 * 2])  # half a sample is none
        if not passed.pcm:
            return []
        words = self._recogniser.feed(passed.pcm)
        if passed.shut:
            words += self._recogniser.rest()
        return self._decide(words, block.ended_s)

    def end(self, at_s: float) -> list[Detection]:
        """No more sound comes after `at_s`; returns what was still undecided."""
        return self._decide(self._recogniser.flush(), at_s)

    def _decide(self, words: Sequence[Word], now_s: float) -> list[Detection]:
        # The newest sample fed is the one of now: no gap, of the gate or of lost blocks, shifts a word after it.
        ahead_s = now_s - self._recogniser.heard_s
        return self._decider.decide([word.later(ahead_s) for word in words], now_s)


def phrases_of(voice: VoiceSettings) -> list[Phrase]:
    """The configured phrases."""
    return [
        Phrase(tuple(phrase.say.split()), phrase.label, phrase.min_confidence, phrase.silent)
        for phrase in voice.phrases
    ]


def pipelines(
    model_folder: Path, phrases: Sequence[Phrase], decoys: Sequence[str], refractory_s: float
) -> Callable[[], Pipeline]:
    """Load a model once; returns what makes fresh pipelines over it.

    Raises:
        ModelUnusable: the model is missing or broken.
        WordUnknown: a phrase holds a word that the model cannot hear.
    """
    known = vocabulary(model_folder)
    for phrase in phrases:
        for word in unknown_words(phrase.text, known):
            near = nearest_words(word, known)
            hint = f"; it knows {', '.join(near)}" if near else ""
            msg = f'the voice model does not know the word "{word}" of the phrase "{phrase.text}"{hint}'
            raise WordUnknown(msg)
    sentences = grammar(phrases, decoys, known)
    model = load_model(model_folder)

    def fresh() -> Pipeline:
        return Pipeline(VoskRecogniser(model, sentences, phrases), Decider(phrases, refractory_s))

    return fresh
