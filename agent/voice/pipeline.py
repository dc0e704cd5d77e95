"""Gate, recogniser and decision in a row: the same for a microphone, a file and the simulated street."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agent.voice.decision import Decider, Phrase, Suspicion
from agent.voice.gate import Gate
from agent.voice.lexicon import nearest_words, unknown_words, vocabulary
from agent.voice.recogniser import VoskRecogniser, grammar, load_model

if TYPE_CHECKING:
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
        self.suspicion: Suspicion | None = None
        """What a partial result made likely with the last block, not decided yet; once an utterance at most."""

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
        self.suspicion = None
        passed = self._gate.feed(block.pcm[: len(block.pcm) // 2 * 2])  # half a sample is none
        if not passed.pcm:
            return []
        before = self._recogniser.suspected
        words = self._recogniser.feed(passed.pcm)
        if passed.shut:
            words += self._recogniser.rest()
        if before is None and (phrase := self._recogniser.suspected):
            self.suspicion = Suspicion(phrase, block.ended_s)
        return self._decide(words, block.ended_s)

    def end(self, at_s: float) -> list[Detection]:
        """No more sound comes after `at_s`; returns what was still undecided."""
        return self._decide(self._recogniser.flush(), at_s)

    def _decide(self, words: Sequence[Word], now_s: float) -> list[Detection]:
        # The newest sample fed is the one of now: no gap, of the gate or of lost blocks, shifts a word after it.
        ahead_s = now_s - self._recogniser.heard_s
        return self._decider.decide([word.later(ahead_s) for word in words], now_s)


class Deaf:
    """In the place of a pipeline where nothing is listened for: the microphone is there to measure."""

    def __init__(self) -> None:
        self.rejected: Counter[Rejection] = Counter()
        """Always empty."""
        self.suspicion: Suspicion | None = None
        """Never any."""
        self.recognised_s = 0.0
        self.recogniser_age_s = 0.0
        """There is none."""

    def hear(self, block: PcmBlock) -> list[Detection]:  # noqa: ARG002 - that is what deaf means
        """Nothing."""
        return []

    def end(self, at_s: float) -> list[Detection]:  # noqa: ARG002 - as above
        """Nothing."""
        return []


def phrases_of(voice: VoiceSettings) -> list[Phrase]:
    """The configured phrases."""
    return [
        Phrase(tuple(each.say.split()), each.label, each.min_confidence, each.silent, each.repeat_within_s)
        for each in voice.phrases
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
    rivals = [decoy for decoy in decoys if decoy in sentences]
    model = load_model(model_folder)

    def fresh() -> Pipeline:
        return Pipeline(VoskRecogniser(model, sentences, phrases, rivals), Decider(phrases, refractory_s, rivals))

    return fresh
